"""What an order would do now, without anything being executed or kept."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from chalicelib.codec.times import to_ms, to_text
from chalicelib.domain.conditions import LaunchTerms, TimeInForce
from chalicelib.domain.failures import AttemptFailedError
from chalicelib.domain.money import minimum_output, to_human_units
from chalicelib.domain.orders import OrderSpec
from chalicelib.domain.status import OrderType
from chalicelib.domain.swaps import SwapRequest
from chalicelib.routing.router import Route, Router
from chalicelib.services.orders.acceptance import PlanAcceptance, expiry

#: From here on a preview warns; the router refuses at ``MAX_IMPACT_PCT``.
_HIGH_IMPACT_PCT = 1
_HIGH_SLIPPAGE_BPS = 500


@dataclass(frozen=True, slots=True)
class PreviewOrder:
    router: Router
    enter: PlanAcceptance
    now: Callable[[], datetime]

    def __call__(self, spec: OrderSpec) -> dict[str, Any]:
        """Both quotes, the route, the least output, warnings, and a summary in plain words.

        :raises AttemptFailedError: if no venue has a quote for a market order.
        :raises PoolAlreadyLiveError: for a sniper order on what has been launched.
        """
        now = self.now()
        entry = self.enter(spec, now)
        if spec.launch:
            return {**_of_launch(spec, spec.launch), **_wait(spec, now)}
        asked = SwapRequest(spec.pair, spec.token_in, spec.token_out, spec.amount_in, simulate=spec.simulate)
        try:
            route = self.router.route(replace(asked, market_as_of_ms=to_ms(now)))
        except AttemptFailedError as error:
            if spec.type is OrderType.MARKET:
                raise
            return {**_unfillable(spec, error), "marketableAtEntry": False, **_wait(spec, now)}
        quoted = route.chosen.amount_out
        minimum = spec.limit_min_out or minimum_output(quoted, spec.slippage_bps)
        found = {
            **route.as_meta(),
            **_amounts(spec, quoted, minimum),
            "warnings": _warnings(spec, route),
        }
        expected, least = found["amountOut"], found["minAmountOut"]
        paid = f"{found['amountIn']} {spec.token_in.symbol}"
        if spec.type is OrderType.MARKET:
            summary = (
                f"Swap {paid} on {route.chosen.venue} for about {expected} {spec.token_out.symbol}, "
                f"and for no less than {least}."
            )
            return {**found, "summary": summary}
        marketable = bool(entry.moves[0][1].get("marketableAtEntry"))
        when = "at once" if marketable else "as soon as the whole of it brings that"
        if spec.time_in_force is TimeInForce.IOC:
            when = "at once or not at all"
        summary = (
            f"Swap {paid} for no less than {least} {spec.token_out.symbol}, {when}; "
            f"now it would bring about {expected} on {route.chosen.venue}."
        )
        return {**found, "marketableAtEntry": marketable, **_wait(spec, now), "summary": summary}


def _unfillable(spec: OrderSpec, error: AttemptFailedError) -> dict[str, Any]:
    """Of a limit order that nobody could fill now, and which would wait for better times."""
    found = _unquoted(spec, error.reason, degraded=True)
    paid, least = f"{found['amountIn']} {spec.token_in.symbol}", found["minAmountOut"]
    immediate = spec.time_in_force is TimeInForce.IOC
    when = "at once or not at all, which is what would happen now" if immediate else "once it can be filled at all"
    return {
        **found,
        "warnings": [{"code": error.code.value, "message": f"It could not be filled now: {error.reason}."}],
        "summary": f"Swap {paid} for no less than {least} {spec.token_out.symbol}, {when}.",
    }


def _of_launch(spec: OrderSpec, wanted: LaunchTerms) -> dict[str, Any]:
    found = _unquoted(spec, "the mint has no pool yet", degraded=False)
    return {
        **found,
        "warnings": [],
        "summary": (
            f"Swap {found['amountIn']} {spec.token_in.symbol} for {wanted.mint} when its first pool is opened"
            + (f" on {wanted.venue}" if wanted.venue else "")
            + "."
        ),
    }


def _unquoted(spec: OrderSpec, reason: str, *, degraded: bool) -> dict[str, Any]:
    """What is found of an order for which there is no route now."""
    return {
        "rQuote": None,
        "mQuote": None,
        "chosen": None,
        "reason": reason,
        "degraded": degraded,
        **_amounts(spec, None, spec.limit_min_out),
    }


def _amounts(spec: OrderSpec, quoted: int | None, minimum: int | None) -> dict[str, Any]:
    def got(base_units: int | None) -> Decimal | None:
        return None if base_units is None else to_human_units(base_units, spec.token_out.decimals)

    return {
        "side": spec.side.value,
        "amountIn": to_human_units(spec.amount_in, spec.token_in.decimals),
        "amountInBase": str(spec.amount_in),
        "amountOut": got(quoted),
        "amountOutBase": None if quoted is None else str(quoted),
        "minAmountOut": got(minimum),
        "minAmountOutBase": None if minimum is None else str(minimum),
    }


def _wait(spec: OrderSpec, now: datetime) -> dict[str, Any]:
    until = expiry(spec, now)
    return {
        "timeInForce": spec.time_in_force and spec.time_in_force.value,
        "expiresAt": until and to_text(until),
    }


def _warnings(spec: OrderSpec, route: Route) -> list[dict[str, str]]:
    found = []
    impact = route.chosen.price_impact_pct
    if impact >= _HIGH_IMPACT_PCT:
        found.append({"code": "HIGH_PRICE_IMPACT", "message": f"The trade moves the pool's price by {impact} %."})
    if spec.type is not OrderType.LIMIT and spec.slippage_bps >= _HIGH_SLIPPAGE_BPS:
        found.append({"code": "HIGH_SLIPPAGE", "message": "The slippage tolerance is wide open to a worse price."})
    if route.degraded:
        found.append({"code": "DEGRADED", "message": "Not every venue has a usable quote now."})
    return found
