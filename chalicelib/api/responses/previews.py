"""The answer to a preview: quotes, route, minimum output, warnings, and a summary in plain words."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, NotRequired, TypedDict

from chalicelib.api.codes import WarningCode
from chalicelib.api.quotes import FailureBody, no_quotes, route_body
from chalicelib.codec.times import to_text
from chalicelib.domain.conditions import LaunchTerms, TimeInForce
from chalicelib.domain.events import QuotesReceived
from chalicelib.domain.money import to_human_units, written
from chalicelib.domain.spec import OrderSpec
from chalicelib.domain.status import OrderType
from chalicelib.services.orders.preview import Preview

#: A preview warns from here on; the router refuses above ``MAX_IMPACT_PCT``.
_HIGH_IMPACT_PCT = 1
_HIGH_SLIPPAGE_BPS = 500


class WarningBody(TypedDict):
    code: str
    message: str


class AmountsBody(TypedDict):
    """Amounts in human units, ``...Base`` integers in base units as text. Null where no route exists yet."""

    side: str
    amountIn: Decimal
    amountInBase: str
    amountOut: Decimal | None
    amountOutBase: str | None
    minAmountOut: Decimal | None
    minAmountOutBase: str | None


class PreviewBody(AmountsBody):
    """The preview. A venue adds its quote, or null, under its own name. Limit and sniper orders have a lifetime."""

    chosen: str | None
    reason: str
    degraded: bool
    errors: NotRequired[dict[str, FailureBody]]
    warnings: list[WarningBody]
    summary: str
    marketableAtEntry: NotRequired[bool]
    timeInForce: NotRequired[str | None]
    expiresAt: NotRequired[str | None]


def preview_body(preview: Preview, describe_fault: Callable[[str], str]) -> dict[str, Any]:
    """A ``PreviewBody``. ``describe_fault`` describes what a simulated fault does to an order."""
    spec = preview.spec
    body: dict[str, Any] = dict(_route(preview))
    quoted = _chosen_output(preview.quotes)
    body |= _amounts(spec, quoted, preview.min_amount_out)
    body["warnings"] = [*_warnings(preview), *_fault_warnings(preview.spec, describe_fault)]
    body["summary"] = _summary(preview, body)
    if preview.marketable is not None:
        body["marketableAtEntry"] = preview.marketable
    if spec.type is not OrderType.MARKET:
        body["timeInForce"] = spec.time_in_force and spec.time_in_force.value
        body["expiresAt"] = preview.expires_at and to_text(preview.expires_at)
    return body


def _route(preview: Preview) -> dict[str, Any]:
    if preview.quotes:
        return route_body(preview.quotes, preview.spec.token_in, preview.spec.token_out)
    reason = preview.unfillable.reason if preview.unfillable else "the mint has no pool yet"
    unrouted = {"chosen": None, "reason": reason, "degraded": preview.unfillable is not None}
    return {**no_quotes(preview.venues), **unrouted}


def _chosen_output(quotes: QuotesReceived | None) -> int | None:
    quote = quotes and quotes.quote_of(quotes.chosen)
    return quote.amount_out if quote else None


def _amounts(spec: OrderSpec, quoted: int | None, minimum: int | None) -> AmountsBody:
    def received(base_units: int | None) -> Decimal | None:
        return None if base_units is None else to_human_units(base_units, spec.token_out.decimals)

    return {
        "side": spec.side.value,
        "amountIn": to_human_units(spec.amount_in, spec.token_in.decimals),
        "amountInBase": str(spec.amount_in),
        "amountOut": received(quoted),
        "amountOutBase": None if quoted is None else str(quoted),
        "minAmountOut": received(minimum),
        "minAmountOutBase": None if minimum is None else str(minimum),
    }


def _warnings(preview: Preview) -> list[WarningBody]:
    if preview.unfillable:
        failure = preview.unfillable
        outcome = "It would fail now" if preview.spec.type is OrderType.MARKET else "It could not be filled now"
        return [{"code": failure.code.value, "message": f"{outcome}: {failure.reason}."}]
    quotes, spec = preview.quotes, preview.spec
    if quotes is None:
        return []
    warnings: list[WarningBody] = []
    quote = quotes.quote_of(quotes.chosen)
    if quote and quote.price_impact_pct >= _HIGH_IMPACT_PCT:
        message = f"The trade moves the pool's price by {written(quote.price_impact_pct)} %."
        warnings.append({"code": WarningCode.HIGH_PRICE_IMPACT.value, "message": message})
    if spec.type is not OrderType.LIMIT and spec.slippage_bps >= _HIGH_SLIPPAGE_BPS:
        message = "The slippage tolerance is wide open to a worse price."
        warnings.append({"code": WarningCode.HIGH_SLIPPAGE.value, "message": message})
    if quotes.is_degraded:
        message = "Not every venue has a usable quote now."
        warnings.append({"code": WarningCode.DEGRADED.value, "message": message})
    return warnings


def _fault_warnings(spec: OrderSpec, describe_fault: Callable[[str], str]) -> list[WarningBody]:
    if spec.simulate is None:
        return []
    return [{"code": WarningCode.SIMULATED_FAULT.value, "message": describe_fault(spec.simulate)}]


def _summary(preview: Preview, body: dict[str, Any]) -> str:
    spec = preview.spec
    paid, bought = f"{written(body['amountIn'])} {spec.token_in.symbol}", spec.token_out.symbol
    if spec.launch:
        return _launch_summary(paid, spec.launch)
    if body["minAmountOut"] is None:
        return f"Swap {paid} for {bought}, which would fail now."
    minimum = written(body["minAmountOut"])
    if preview.unfillable:
        return f"Swap {paid} for no less than {minimum} {bought}, {_unfillable_timing(spec)}."
    expected, venue = written(body["amountOut"]), body["chosen"]
    if spec.type is OrderType.MARKET:
        return f"Swap {paid} on {venue} for about {expected} {bought}, and for no less than {minimum}."
    timing = _timing(spec, bool(preview.marketable))
    now = f"now it would bring about {expected} on {venue}"
    return f"Swap {paid} for no less than {minimum} {bought}, {timing}; {now}."


def _launch_summary(paid: str, launch: LaunchTerms) -> str:
    venue = f" on {launch.venue}" if launch.venue else ""
    return f"Swap {paid} for {launch.mint} when its first pool is opened{venue}."


def _timing(spec: OrderSpec, marketable: bool) -> str:
    if spec.time_in_force is TimeInForce.IOC:
        return "at once or not at all"
    return "at once" if marketable else "as soon as the whole of it brings that"


def _unfillable_timing(spec: OrderSpec) -> str:
    if spec.time_in_force is TimeInForce.IOC:
        return "at once or not at all, which is what would happen now"
    return "once it can be filled at all"
