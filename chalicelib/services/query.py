"""Looking things up: the order table for one order, Postgres for lists, the venues for quotes."""

from dataclasses import dataclass
from typing import Any

from chalicelib.domain.money import minimum_output, to_human_units
from chalicelib.domain.orders import Event, Order, OrderSpec
from chalicelib.ports import History, OrderFilter, OrderStore, Page
from chalicelib.routing.router import Route, Router
from chalicelib.routing.venue import SwapRequest
from chalicelib.services.lookup import find_order


@dataclass(frozen=True, slots=True)
class Queries:
    orders: OrderStore
    history: History
    router: Router

    def order(self, order_id: str) -> Order:
        """:raises OrderNotFoundError: if there is no such order."""
        return find_order(self.orders, order_id).order

    def events(self, order_id: str, after_seq: int) -> tuple[Event, ...]:
        """The order's events after ``after_seq``.

        :raises OrderNotFoundError: if there is no such order.
        """
        return self.order(order_id).events[after_seq:]

    def page(self, wanted: OrderFilter, limit: int, cursor: str | None) -> Page:
        """:raises HistoryUnavailableError, ValueError: the latter for a cursor that is none of ours."""
        return self.history.page(wanted, limit, cursor)

    def route(self, request: SwapRequest) -> Route:
        """:raises AttemptFailedError: if no venue has a quote."""
        return self.router.route(request)

    def preview(self, spec: OrderSpec) -> dict[str, Any]:
        """What the order would do now, without executing or keeping anything.

        :raises AttemptFailedError: if no venue has a quote.
        """
        route = self.router.route(
            SwapRequest(spec.pair, spec.token_in, spec.token_out, spec.amount_in, simulate=spec.simulate)
        )
        quote = route.chosen
        minimum = minimum_output(quote.amount_out, spec.slippage_bps)
        paid = to_human_units(spec.amount_in, spec.token_in.decimals)
        expected = to_human_units(quote.amount_out, spec.token_out.decimals)
        least = to_human_units(minimum, spec.token_out.decimals)
        return {
            **route.as_meta(),
            "side": spec.side.value,
            "amountIn": paid,
            "amountInBase": str(spec.amount_in),
            "amountOut": expected,
            "amountOutBase": str(quote.amount_out),
            "minAmountOut": least,
            "minAmountOutBase": str(minimum),
            "warnings": _warnings(spec, route),
            "summary": (
                f"Swap {paid} {spec.token_in.symbol} on {quote.venue} for about "
                f"{expected} {spec.token_out.symbol}, and for no less than {least}."
            ),
        }


#: From here on a preview warns; the router refuses at ``MAX_IMPACT_PCT``.
_HIGH_IMPACT_PCT = 1
_HIGH_SLIPPAGE_BPS = 500


def _warnings(spec: OrderSpec, route: Route) -> list[dict[str, str]]:
    found = []
    impact = route.chosen.price_impact_pct
    if impact >= _HIGH_IMPACT_PCT:
        found.append({"code": "HIGH_PRICE_IMPACT", "message": f"The trade moves the pool's price by {impact} %."})
    if spec.slippage_bps >= _HIGH_SLIPPAGE_BPS:
        found.append({"code": "HIGH_SLIPPAGE", "message": "The slippage tolerance is wide open to a worse price."})
    if route.degraded:
        found.append({"code": "DEGRADED", "message": "Not every venue has a usable quote now."})
    return found
