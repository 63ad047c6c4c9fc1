"""What would have filled a limit order that waited: another limit, a smaller size, or another moment.

A price that is met for a moment may fill no order: a look has to see it, and it has to last until the swap lands. An
exact counterfactual therefore rests on a window in which the price held for as long as all that takes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from itertools import islice, pairwise

from chalicelib.codec.times import from_ms, to_ms
from chalicelib.domain.events import Amended, Opened, PriceTriggered
from chalicelib.domain.orders import Order
from chalicelib.domain.spec import OrderSpec
from chalicelib.ports.hindsight import Hindsight
from chalicelib.services.orders.explain import brief, wording
from chalicelib.services.orders.explain.explanation import Change, Counterfactual
from chalicelib.services.orders.explain.past_ticks import Moment, PastTicks, look_back
from chalicelib.services.orders.explain.search import min_output_with, price_limit_for
from chalicelib.services.orders.explain.smaller_sizes import smaller_size
from chalicelib.services.orders.explain.windows import FillTimes, Windows

#: Windows that are tried as the one in which an order certainly fills.
_MAX_TRIED = 50


@dataclass(frozen=True, slots=True)
class _Span:
    """A time in which the order's limit asks for the same minimum output, its moments, and their windows.

    Between two quick amendments there may be no moment.
    """

    minimum: int
    since_ms: int
    moments: Sequence[Moment]
    windows: Windows

    def has(self, triggers: Sequence[int]) -> bool:
        """True if the order triggered within this time."""
        return any(self.since_ms <= at_ms <= self.windows.until_ms for at_ms in triggers)


def for_resting_order(
    order: Order, missed: Sequence[Counterfactual], hindsight: Hindsight, until: datetime, times: FillTimes
) -> Iterator[Counterfactual]:
    """The counterfactuals of a limit order that waited for its price until then.

    ``missed`` has the limit that the swaps of the order would have met; the nearer of the two limits is given.
    """
    minimums = list(_minimums(order))
    if not minimums:
        return
    spec, since_ms, until_ms = order.spec, minimums[0][0], to_ms(until)
    market = hindsight.market(spec.pair, from_ms(since_ms), until)
    whole = last = look_back(market, spec, since_ms, until_ms, times.cache_ms)
    if len(minimums) > 1:
        # The last limit says nothing about the time before it.
        last = look_back(market, spec, minimums[-1][0], until_ms, times.cache_ms)
    spans = [*_spans(spec, whole, minimums, until_ms, times)]
    triggers = _triggers(order)
    held = _held_moment(spec, spans, triggers, is_exact=whole.is_exact)
    if held:
        yield from (*missed, held)
        return
    span = next(_spans(spec, last, minimums[-1:], until_ms, times))
    limits = [*_as_certain(order, missed, last, triggers), *_held_limit(spec, span, is_exact=last.is_exact)]
    sizes = list(smaller_size(spec, last, until_ms, times))
    # The prices of a moment are no news of an order that was triggered by such a price and missed it.
    if not span.has(triggers):
        limits = limits or list(brief.limit(spec, span.minimum, last, until_ms, times))
        sizes = sizes or list(brief.size(spec, last, until_ms, times))
    if limits:
        yield _nearest(spec, limits)
    yield from sizes
    untried = [one for one in spans if not one.has(triggers)]
    yield from islice((moment for one in untried for moment in _brief_moment(spec, one)), 1)


def _minimums(order: Order) -> Iterator[tuple[int, int]]:
    """When the order was opened, and when an amendment set another limit; and the minimum output from then on."""
    for event in order.events:
        if isinstance(event.data, Opened) or (
            isinstance(event.data, Amended) and event.data.changes.limit_price is not None
        ):
            output = event.data.terms.min_amount_out or order.spec.limit_min_out
            if output:
                yield to_ms(event.at), output


def _triggers(order: Order) -> list[int]:
    """When the price triggered the order, in milliseconds since the epoch."""
    return [
        to_ms(event.at)
        for event in order.events
        if isinstance(event.data, PriceTriggered) or (isinstance(event.data, Opened) and event.data.marketable)
    ]


def _spans(
    spec: OrderSpec, ticks: PastTicks, minimums: Sequence[tuple[int, int]], until_ms: int, times: FillTimes
) -> Iterator[_Span]:
    for (since_ms, minimum), (end_ms, _) in pairwise([*minimums, (until_ms, 0)]):
        is_last = end_ms == until_ms
        moments = [one for one in ticks.moments if since_ms <= one.at_ms < end_ms + is_last]
        yield _Span(minimum, since_ms, moments, Windows.of(times, moments, end_ms, spec.side, spec.amount_in))


def _held_moment(
    spec: OrderSpec, spans: Sequence[_Span], triggers: Sequence[int], *, is_exact: bool
) -> Counterfactual | None:
    """The first moment from which the order's own limit held for a whole window, without a trigger that missed."""
    for span in spans:
        windows = span.windows
        for start in windows.starts():
            since_ms = windows.at_ms[start]
            tried = any(since_ms <= at_ms <= since_ms + windows.times.window_ms for at_ms in triggers)
            if windows.holds(start, span.minimum) and not tried:
                least = wording.received(span.minimum, spec)
                what = f"the whole size met the limit and did so for {brief.takes(windows.times)}"
                text = f"From {wording.moment(from_ms(since_ms))} on {what}: it returned at least {least}."
                is_certain = is_exact and windows.fills(start, span.minimum)
                return Counterfactual(Change.MOMENT, from_ms(since_ms), is_certain, text)
    return None


def _held_limit(spec: OrderSpec, span: _Span, *, is_exact: bool) -> Iterator[Counterfactual]:
    """The nearest limit that held for a whole window, rather one with which the order certainly fills."""
    windows, found = span.windows, None
    levels = sorted(((windows.level(start), -start) for start in windows.starts()), reverse=True)
    for level, start in levels[:_MAX_TRIED]:
        limit = price_limit_for(spec, level)
        if limit is None or level >= span.minimum:
            break
        minimum = min_output_with(spec, limit)
        began = windows.began(-start, minimum)
        is_certain = is_exact and windows.fills(began, minimum)
        if is_certain or found is None:
            found = (limit, began, is_certain)
        if is_certain or not is_exact:
            break
    if found is None:
        return
    limit, began, is_certain = found
    name, at = wording.price(limit, spec.pair), wording.moment(from_ms(windows.at_ms[began]))
    filled = "would have filled" if is_certain else "would probably have filled"
    why = f"the whole size traded at it or better from then on for {brief.takes(windows.times)}"
    text = f"A limit of {name} {filled} from {at} on: {why}."
    yield Counterfactual(Change.LIMIT_PRICE, limit, is_certain, text)


def _brief_moment(spec: OrderSpec, span: _Span) -> Iterator[Counterfactual]:
    """The first moment at which the order's own limit was met, but not for a whole window."""
    met = next((one for one in span.moments if one.output >= span.minimum), None)
    if met is None or met.best is None:
        return
    end_ms, times = span.windows.until_ms, span.windows.times
    lasted = brief.lasted(span.moments, met, end_ms, lambda one: one.output >= span.minimum)
    where = f"on {wording.name_of(met.best.depth.venue)}, for {lasted}"
    text = f"At {wording.moment(from_ms(met.at_ms))} the whole size met the limit {where}; {brief.lands(times)}."
    yield Counterfactual(Change.MOMENT, from_ms(met.at_ms), is_exact=False, text=text)


def _as_certain(
    order: Order, missed: Sequence[Counterfactual], ticks: PastTicks, triggers: Sequence[int]
) -> Iterator[Counterfactual]:
    """The limits of the missed swaps. An easier limit that an earlier price met would have sent another swap."""
    asked, last_ms = order.spec.limit_min_out or 0, max(triggers, default=0)
    for one in missed:
        minimum = _minimum_of(order.spec, one)
        earlier = any(minimum <= moment.output < asked for moment in ticks.moments if moment.at_ms < last_ms)
        yield replace(one, is_exact=one.is_exact and ticks.is_exact and not earlier)


def _minimum_of(spec: OrderSpec, one: Counterfactual) -> int:
    return min_output_with(spec, one.value) if isinstance(one.value, Decimal) else 0


def _nearest(spec: OrderSpec, limits: Sequence[Counterfactual]) -> Counterfactual:
    return max(limits, key=lambda one: (_minimum_of(spec, one), one.is_exact))
