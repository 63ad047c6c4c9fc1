"""Prices that lasted for less than a fill may take. They are estimates, because a swap may land after them."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from chalicelib.codec.times import from_ms
from chalicelib.domain.money import to_human_units
from chalicelib.domain.spec import OrderSpec
from chalicelib.routing.best_swap import best_swap
from chalicelib.services.orders.explain import wording
from chalicelib.services.orders.explain.explanation import Change, Counterfactual
from chalicelib.services.orders.explain.past_ticks import Moment, PastTicks
from chalicelib.services.orders.explain.search import largest_amount, limit_fits, min_output_with, price_limit_for
from chalicelib.services.orders.explain.windows import FillTimes


def takes(times: FillTimes) -> str:
    """The length of a window with what it consists of."""
    return f"the {wording.duration(times.window_ms)} that a look, the quotes and the swap take at most"


def lands(times: FillTimes) -> str:
    return f"a swap lands up to {wording.duration(times.window_ms)} after the price that triggers it"


def lasted(moments: Sequence[Moment], met: Moment, until_ms: int, is_met: Callable[[Moment], bool]) -> str:
    """How long a condition that is met at a moment held around it, as far as the moments show."""
    at = moments.index(met)
    since = next((one for one in range(at, 0, -1) if not is_met(moments[one - 1])), 0)
    until = next((one.at_ms for one in moments[at + 1 :] if not is_met(one)), until_ms)
    milliseconds = until - moments[since].at_ms
    return wording.duration(milliseconds) if milliseconds > 0 else "the last instant"


def limit(spec: OrderSpec, asked: int, ticks: PastTicks, until_ms: int, times: FillTimes) -> Iterator[Counterfactual]:
    """The limit that the best price of the period met, if it did not meet the order's own."""
    best = ticks.best()
    price = price_limit_for(spec, best.output) if best and best.output < asked else None
    if best is None or best.best is None or price is None:
        return
    minimum = min_output_with(spec, price)
    how_long = lasted(ticks.moments, best, until_ms, lambda one: one.output >= minimum)
    where = f"on {wording.name_of(best.best.depth.venue)} at {wording.moment(from_ms(best.at_ms))}"
    what = f"A limit of {wording.price(price, spec.pair)} was met {where}, for {how_long}"
    yield Counterfactual(Change.LIMIT_PRICE, price, is_exact=False, text=f"{what}; {lands(times)}.")


def size(spec: OrderSpec, ticks: PastTicks, until_ms: int, times: FillTimes) -> Iterator[Counterfactual]:
    """The largest size that met the limit at the best price of a very small amount."""
    best = ticks.cheapest(spec)
    if best is None or limit_fits(spec, best.depths, spec.amount_in):
        return
    amount = largest_amount(partial(limit_fits, spec, best.depths), spec.amount_in)
    swap = best_swap(best.depths, spec.side, amount) if amount else None
    if amount is None or swap is None:
        return
    how_long = lasted(ticks.moments, best, until_ms, lambda one: limit_fits(spec, one.depths, amount))
    where = f"on {wording.name_of(swap.depth.venue)} at {wording.moment(from_ms(best.at_ms))}, for {how_long}"
    text = f"A size of {wording.amount(amount, spec.token_in)} met the limit {where}; {lands(times)}."
    value = to_human_units(amount, spec.token_in.decimals)
    yield Counterfactual(Change.AMOUNT_IN, value, is_exact=False, text=text)
