"""The largest size of a limit order that met its limit for as long as a fill may take."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from chalicelib.codec.times import from_ms
from chalicelib.domain.money import to_human_units
from chalicelib.domain.spec import OrderSpec
from chalicelib.domain.tokens import Side
from chalicelib.routing.best_swap import best_price
from chalicelib.services.orders.explain import brief, wording
from chalicelib.services.orders.explain.explanation import Change, Counterfactual
from chalicelib.services.orders.explain.past_ticks import PastTicks
from chalicelib.services.orders.explain.search import largest_amount
from chalicelib.services.orders.explain.windows import FillTimes, Windows

#: How often the search turns to a window that takes a larger size.
_MAX_TURNS = 3


def smaller_size(spec: OrderSpec, ticks: PastTicks, until_ms: int, times: FillTimes) -> Iterator[Counterfactual]:
    """The largest size that met the limit throughout some window, if any did."""

    def windows(amount: int) -> Windows:
        return Windows.of(times, ticks.moments, until_ms, spec.side, amount)

    start, found, turns = _cheapest(spec, ticks, until_ms, times), None, 0
    while start is not None and turns < _MAX_TURNS:
        size = largest_amount(partial(_fits, spec, ticks, until_ms, times, start), spec.amount_in)
        if size is None:
            break
        found, turns, larger = (start, size), turns + 1, windows(size + 1)
        minimum = _minimum(spec, size + 1)
        start = next((one for one in larger.starts() if larger.holds(one, minimum)), None)
    if found is None:
        return
    start, size = found
    is_certain = ticks.is_exact and windows(size).fills(start, _minimum(spec, size))
    amount, at = wording.amount(size, spec.token_in), wording.moment(from_ms(ticks.moments[start].at_ms))
    filled = "would have filled" if is_certain else "would probably have filled"
    text = f"A size of {amount} {filled} from {at} on: it met the limit from then on for {brief.takes(times)}."
    yield Counterfactual(Change.AMOUNT_IN, to_human_units(size, spec.token_in.decimals), is_certain, text)


def _minimum(spec: OrderSpec, amount: int) -> int:
    return replace(spec, amount_in=amount).limit_min_out or 0


def _fits(spec: OrderSpec, ticks: PastTicks, until_ms: int, times: FillTimes, start: int, amount: int) -> bool:
    end_ms = ticks.moments[start].at_ms + times.window_ms
    moments = [one for one in ticks.moments[start:] if one.at_ms <= end_ms]
    return Windows.of(times, moments, until_ms, spec.side, amount).holds(0, _minimum(spec, amount))


def _cheapest(spec: OrderSpec, ticks: PastTicks, until_ms: int, times: FillTimes) -> int | None:
    """The window with the best price for a very small amount at its worst moment."""
    windows = Windows.of(times, ticks.moments, until_ms, spec.side, 1)
    sign = 1 if spec.side is Side.SELL else -1
    prices = [best_price(one.depths, spec.side) for one in ticks.moments]
    worst = {}
    for start in windows.starts():
        end = windows.end(start)
        known = [sign * price for price in prices[start:end] if price is not None]
        if len(known) == end - start:
            worst[start] = min(known)
    return max(worst, key=lambda start: worst[start], default=None)
