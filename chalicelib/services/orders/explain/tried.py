"""What would have filled an order whose attempts failed: other terms, another size, or a later moment."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

from chalicelib.codec.times import from_ms, to_ms
from chalicelib.domain.depth import Depth
from chalicelib.domain.events import Building, QuotesReceived
from chalicelib.domain.failures import Failure, FailureCode
from chalicelib.domain.money import minimum_output, to_human_units
from chalicelib.domain.orders import Order
from chalicelib.domain.status import OrderType
from chalicelib.ports.hindsight import Hindsight
from chalicelib.routing.best_swap import best_swap
from chalicelib.services.orders.explain import wording
from chalicelib.services.orders.explain.explanation import Attempt, Change, Counterfactual
from chalicelib.services.orders.explain.past_ticks import look_back
from chalicelib.services.orders.explain.search import (
    largest_amount,
    least_amount,
    least_slippage_bps,
    limit_fits,
    min_output_with,
    price_limit_for,
)
from chalicelib.services.orders.explain.shortfalls import Shortfall, is_certain, is_simulated, shortfalls_of

#: The widest tolerance that an order may have.
_MAX_SLIPPAGE_BPS = 5_000
#: How long after its end an order may still learn that its price came back.
_LOOKAHEAD = timedelta(minutes=10)


def for_tried_order(
    order: Order, attempts: Sequence[Attempt], hindsight: Hindsight, now: datetime
) -> Iterator[Counterfactual]:
    """The counterfactuals of the attempts, for a failure that the terms of the order or its size caused."""
    error = attempts[-1].error if attempts else None
    if error is None:
        return
    by_size = error.code in (FailureCode.PRICE_IMPACT_TOO_HIGH, FailureCode.NO_LIQUIDITY)
    if by_size and not is_simulated(order.spec, error):
        yield from _other_size(order, attempts[-1], error, hindsight)
    shortfalls = shortfalls_of(order, attempts, hindsight)
    if error.code is not FailureCode.SLIPPAGE_EXCEEDED or not shortfalls:
        return
    yield from _other_slippage(order, attempts, shortfalls)
    yield from other_price(order, attempts, shortfalls)
    if order.spec.limit_price is not None:
        yield from _size_as_quoted(order, attempts[-1], hindsight)
    yield from _later_moment(order, hindsight, now)


def _other_slippage(
    order: Order, attempts: Sequence[Attempt], shortfalls: Sequence[Shortfall]
) -> Iterator[Counterfactual]:
    """The least slippage tolerance that one of the attempts would have needed, rather one that was sent."""
    spec, quoted = order.spec, _first_quoted(attempts)
    if spec.type is OrderType.LIMIT or quoted is None:
        return
    reachable = [one for one in shortfalls if one.amount_out >= (spec.limit_min_out or 0)]
    nearest = max(reachable, key=lambda one: (one.is_exact, one.amount_out), default=None)
    bps = least_slippage_bps(quoted, nearest.amount_out) if nearest else 0
    if nearest is None or not spec.slippage_bps < bps <= _MAX_SLIPPAGE_BPS:
        return
    minimum = minimum_output(quoted, bps)
    allowed = f"A slippage tolerance of {wording.slippage(bps)} allows {wording.received(minimum, spec)}"
    text = f"{allowed}, and {nearest.sentence(spec)}."
    yield Counterfactual(Change.SLIPPAGE, Decimal(bps) / 100, is_certain(nearest, shortfalls, minimum), text)


def other_price(
    order: Order, attempts: Sequence[Attempt], shortfalls: Sequence[Shortfall]
) -> Iterator[Counterfactual]:
    """The price limit nearest to the order's that one of the attempts would have met, rather one that was sent."""
    spec, quoted = order.spec, _first_quoted(attempts)
    if spec.limit_min_out is None:
        return
    allowed = minimum_output(quoted, spec.slippage_bps) if quoted and spec.launch else 0
    short = [one for one in shortfalls if allowed <= one.amount_out < spec.limit_min_out]
    nearest = max(short, key=lambda one: (one.is_exact, one.amount_out), default=None)
    limit = price_limit_for(spec, nearest.amount_out) if nearest else None
    if nearest is None or limit is None:
        return
    change, name = (Change.MAX_PRICE, "maximum price") if spec.launch else (Change.LIMIT_PRICE, "limit")
    text = f"A {name} of {wording.price(limit, spec.pair)} would have been met: {nearest.sentence(spec)}."
    minimum = min_output_with(order.spec, limit)
    yield Counterfactual(change, limit, is_certain(nearest, shortfalls, minimum), text)


def _other_size(order: Order, attempt: Attempt, error: Failure, hindsight: Hindsight) -> Iterator[Counterfactual]:
    """The largest size within the limit of the price impact, or the least that brings anything."""
    spec, at = order.spec, from_ms(error.at_ms) if error.at_ms is not None else attempt.events[-1].at
    market = hindsight.market(spec.pair, at, at, order.launched_in)
    depths = market.depths(to_ms(at))
    fits = partial(limit_fits, spec, depths)
    if not depths or fits(spec.amount_in):
        return
    too_large = error.code is FailureCode.PRICE_IMPACT_TOO_HIGH
    size = (largest_amount if too_large else least_amount)(fits, spec.amount_in)
    best = best_swap(depths, spec.side, size) if size else None
    if size is None or best is None:
        return
    impact = f"with a price impact of {wording.percentage(best.swap.price_impact_pct)}"
    why = impact if too_large else f"for {wording.received(best.amount_out, spec)}"
    amount, venue = wording.amount(size, spec.token_in), wording.name_of(best.depth.venue)
    text = f"{venue} could have traded {amount} {why} at {wording.moment(at)}."
    # A venue may quote from a price that is about to be replaced; then its pool was another.
    is_known = any(depth.swap(spec.side, spec.amount_in).amount_out == error.amount_out for depth in depths)
    value = to_human_units(size, spec.token_in.decimals)
    yield Counterfactual(Change.AMOUNT_IN, value, market.is_exact and is_known, text)


def _size_as_quoted(order: Order, attempt: Attempt, hindsight: Hindsight) -> Iterator[Counterfactual]:
    """The largest size whose quote would have met the limit. Whether its swap would have landed is not known."""
    spec, at = order.spec, attempt.events[-1].at
    market = hindsight.market(spec.pair, attempt.events[0].at, at)
    depths: list[Depth] = []
    for event in attempt.events:
        for answer in event.data.answers if isinstance(event.data, QuotesReceived) else ():
            quote = answer.quote
            at_ms = quote.quoted_at_ms if quote and quote.quoted_at_ms is not None else to_ms(event.at)
            depth = market.depth(answer.venue, at_ms, quote.price_at_ms) if quote else None
            depths += [depth] if depth else []
    fits = partial(limit_fits, spec, depths)
    size = None if fits(spec.amount_in) else largest_amount(fits, spec.amount_in)
    best = best_swap(depths, spec.side, size) if size else None
    if size and best:
        quoted = f"{wording.name_of(best.depth.venue)} would have quoted {wording.received(best.amount_out, spec)}"
        text = f"A size of {wording.amount(size, spec.token_in)} would have met the limit: {quoted}."
        value = to_human_units(size, spec.token_in.decimals)
        yield Counterfactual(Change.AMOUNT_IN, value, is_exact=False, text=text)


def _later_moment(order: Order, hindsight: Hindsight, now: datetime) -> Iterator[Counterfactual]:
    """The first moment after the end at which the market brought the minimum output again."""
    spec, ended, minimum = order.spec, order.events[-1].at, order.min_amount_out or order.spec.limit_min_out
    until = min(now, ended + _LOOKAHEAD)
    if minimum is None or until <= ended:
        return
    market = hindsight.market(spec.pair, ended, until, order.launched_in)
    ticks = look_back(market, spec, to_ms(ended), to_ms(until))
    moment = next((one for one in ticks.moments if one.output >= minimum), None)
    if moment is None or moment.best is None:
        return
    at, venue = from_ms(moment.at_ms), wording.name_of(moment.best.depth.venue)
    brought = f"the whole size brought {wording.received(moment.output, spec)} on {venue}"
    text = f"At {wording.moment(at)}, after its end, {brought}; the minimum was {wording.received(minimum, spec)}."
    yield Counterfactual(Change.MOMENT, at, ticks.is_exact, text)


def _first_quoted(attempts: Sequence[Attempt]) -> int | None:
    """The quoted output that the minimum of the order comes from."""
    for attempt in attempts:
        quotes = [event.data for event in attempt.events if isinstance(event.data, QuotesReceived)]
        built = [event.data for event in attempt.events if isinstance(event.data, Building)]
        quote = quotes[-1].quote_of(built[-1].venue) if quotes and built else None
        if quote:
            return quote.amount_out
    return None
