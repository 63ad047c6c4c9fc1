"""The market of a period, looked at in each of its ticks, or in samples of them if there are too many."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice, zip_longest

from chalicelib.domain.depth import Depth
from chalicelib.domain.spec import OrderSpec
from chalicelib.domain.tokens import Side
from chalicelib.ports.hindsight import PastMarket
from chalicelib.routing.best_swap import BestSwap, best_price, best_swap

#: Moments that an explanation looks at in all, which takes about a fifth of a second. Longer periods are sampled.
MAX_MOMENTS = 2_000
#: Samples of a period, and of the shorter one around its best sample.
_SAMPLES = 400


@dataclass(frozen=True, slots=True)
class Moment:
    """The pools at a moment, and the best swap of the whole order then.

    ``stale`` has the pools in the ticks after the next push by this price, which a process may still use then.
    """

    at_ms: int
    depths: Sequence[Depth]
    best: BestSwap | None
    stale: Sequence[Depth] = ()

    @property
    def output(self) -> int:
        return self.best.amount_out if self.best else 0


@dataclass(frozen=True, slots=True)
class PastTicks:
    """Moments of a period in turn. ``is_exact``: none is left out, and the market is known as it was."""

    moments: Sequence[Moment]
    is_exact: bool

    def best(self) -> Moment | None:
        """The moment at which the whole order brings most."""
        return max(self.moments, key=lambda moment: moment.output, default=None)

    def cheapest(self, spec: OrderSpec) -> Moment | None:
        """The moment with the best price for a very small amount."""
        priced = [(best_price(moment.depths, spec.side), moment) for moment in self.moments]
        known = [(price, moment) for price, moment in priced if price is not None]
        if not known:
            return None
        sign = 1 if spec.side is Side.SELL else -1
        return max(known, key=lambda one: sign * one[0])[1]


def look_back(market: PastMarket, spec: OrderSpec, since_ms: int, until_ms: int, cache_ms: int = 0) -> PastTicks:
    """The beginning of a period, each later tick, and each price that was pushed within a tick.

    ``cache_ms`` is how long a process may use a price that another has replaced.
    """

    def at(at_ms: int) -> Moment:
        depths = market.depths(at_ms)
        return Moment(at_ms, depths, best_swap(depths, spec.side, spec.amount_in))

    pushed = [at_ms for at_ms in market.price_moments if since_ms <= at_ms <= until_ms]
    if (until_ms - since_ms) // market.tick_ms + len(pushed) <= MAX_MOMENTS:
        first = (since_ms // market.tick_ms + 1) * market.tick_ms
        moments = {since_ms, *range(first, until_ms + 1, market.tick_ms), *pushed}
        found = {at_ms: at(at_ms) for at_ms in sorted(moments)}
        return PastTicks(list(_with_stale(market, found, pushed, cache_ms)), market.is_exact)
    sampled = {*_spread(since_ms, until_ms, market.tick_ms), *_thinned(pushed), until_ms}
    found = {at_ms: at(at_ms) for at_ms in sampled}
    step = (until_ms - since_ms) // _SAMPLES
    while step > market.tick_ms:
        peak = max(found.values(), key=lambda moment: moment.output).at_ms
        first, last = max(peak - step, since_ms), min(peak + step, until_ms)
        found |= {at_ms: at(at_ms) for at_ms in _spread(first, last, market.tick_ms)}
        step = (last - first) // _SAMPLES
    return PastTicks([found[at_ms] for at_ms in sorted(found)], is_exact=False)


def _with_stale(
    market: PastMarket, found: Mapping[int, Moment], pushed: Sequence[int], cache_ms: int
) -> Iterator[Moment]:
    pushes = set(pushed)
    for moment, following in zip_longest(found.values(), islice(found, 1, None)):
        stale: list[Depth] = []
        if following in pushes:
            for at_ms in range(following, following + cache_ms, market.tick_ms):
                known = (market.depth(depth.venue, at_ms, following - 1) for depth in moment.depths)
                stale += [depth for depth in known if depth]
        yield replace(moment, stale=stale) if stale else moment


def _spread(first_ms: int, last_ms: int, tick_ms: int) -> Iterable[int]:
    return range(first_ms, last_ms + 1, max((last_ms - first_ms) // _SAMPLES, tick_ms))


def _thinned(moments: Sequence[int]) -> Sequence[int]:
    """At most ``_SAMPLES`` of them, evenly chosen."""
    return moments[:: max(-(-len(moments) // _SAMPLES), 1)]
