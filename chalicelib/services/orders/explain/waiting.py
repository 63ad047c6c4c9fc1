"""What an open order waits for, and what triggers it, in words."""

from chalicelib.domain.conditions import Launch, LaunchTerms, TimeInForce
from chalicelib.domain.events import Amended, Opened, OpenTerms, PriceTriggered
from chalicelib.domain.money import written
from chalicelib.domain.orders import Order
from chalicelib.domain.spec import OrderSpec
from chalicelib.services.orders.explain import wording


def opened(spec: OrderSpec, data: Opened) -> str:
    if spec.launch:
        return f"Open: it waits for {launch(spec, spec.launch)}{_until(data.terms)}."
    at = condition(spec, data.terms)
    if data.marketable:
        return f"The whole size can be traded at once at {at}."
    if data.terms.time_in_force is TimeInForce.IOC:
        return f"The whole size cannot be traded at {at} now; the order is immediate-or-cancel."
    return f"Open: it waits until the whole size can be traded at {at}{_until(data.terms)}."


def condition(spec: OrderSpec, terms: OpenTerms) -> str:
    """The limit and the minimum output that follows from it."""
    limit_price = terms.limit_price or spec.limit_price
    limit = "its limit" if limit_price is None else wording.limit(spec, limit_price)
    minimum = terms.min_amount_out if terms.min_amount_out is not None else spec.limit_min_out
    least = "" if minimum is None else f", at least {wording.received(minimum, spec)}"
    return f"{limit}, net of fees{least}"


def launch(spec: OrderSpec, wanted: LaunchTerms) -> str:
    """The launch that a sniper order waits for."""
    text = f"the first pool of {wording.symbol(spec.token_out)}"
    if wanted.venue:
        text += f" on {wording.name_of(wanted.venue)}"
    filters = []
    paid = wording.symbol(spec.token_in)
    if wanted.min_liquidity is not None:
        filters.append(f"at least {written(wanted.min_liquidity)} {paid} of liquidity")
    if wanted.max_price is not None:
        filters.append(f"a price of {wording.price(wanted.max_price, spec.pair)} or less for the whole amount")
    return f"{text} with {' and '.join(filters)}" if filters else text


def pool_opened(spec: OrderSpec, launch: Launch) -> str:
    quote = launch.quote or wording.symbol(spec.pair.quote)
    depth = f"{written(launch.liquidity)} {quote} of liquidity"
    at = f"{written(launch.price)} {quote} per {wording.symbol(spec.token_out)}"
    return f"{wording.name_of(launch.venue)} opens a pool with {depth} at {at}."


def amended(spec: OrderSpec, data: Amended) -> str:
    changes, parts = data.changes, []
    if changes.limit_price is not None:
        parts.append(f"the limit is now {wording.limit(spec, changes.limit_price)}")
    if changes.slippage_bps is not None:
        parts.append(f"the slippage tolerance is now {wording.slippage(changes.slippage_bps)}")
    if changes.expires_at is not None:
        parts.append(f"the order now expires at {wording.moment(changes.expires_at)}")
    text = f"Amended on request: {', '.join(parts)}"
    if changes.limit_price is not None and data.terms.min_amount_out is not None:
        text += f". The whole size has to bring at least {wording.received(data.terms.min_amount_out, spec)}"
    return f"{text}."


def triggered_at_entry(order: Order) -> str:
    entered = order.events[-1].data if order.events else None
    if isinstance(entered, Opened) and entered.marketable:
        return "Triggered at once, because it can be filled now."
    return "Triggered at once: an immediate-or-cancel order is tried without waiting."


def triggered_by_price(spec: OrderSpec, data: PriceTriggered) -> str:
    reached = wording.computed_price(data.price, spec.pair)
    limit = "" if spec.limit_price is None else f", and the limit is {wording.limit(spec, spec.limit_price)}"
    return f"Triggered: {wording.name_of(data.venue)} trades the whole size at {reached} net of fees{limit}."


def _until(terms: OpenTerms) -> str:
    return f", until {wording.moment(terms.expires_at)}" if terms.expires_at else ""
