"""The windows of a period in which a size surely traded at a price for as long as a fill may take."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chalicelib.domain.tokens import Side
from chalicelib.routing.best_swap import MAX_IMPACT_PCT
from chalicelib.services.orders.explain.past_ticks import Moment


@dataclass(frozen=True, slots=True)
class FillTimes:
    """What passes at most between a price and the landing of a swap that it triggers, in milliseconds.

    ``look_ms`` is the time between two looks, ``cache_ms`` the age of the prices that a look may use, ``quotes_ms``
    the time-out of the quotes, and ``swap_ms`` the longest swap. ``pause_ms`` is how long an order pauses after its
    first miss.
    """

    look_ms: int
    cache_ms: int
    quotes_ms: int
    swap_ms: int
    pause_ms: int

    @property
    def window_ms(self) -> int:
        return self.look_ms + self.cache_ms + self.quotes_ms + self.swap_ms


@dataclass(frozen=True, slots=True)
class Windows:
    """The windows of ``times.window_ms`` that begin at a moment and end before ``until_ms``, for one size.

    ``low`` and ``high`` have for each venue the least and the greatest output in each moment.
    """

    times: FillTimes
    at_ms: Sequence[int]
    until_ms: int
    low: Mapping[str, Sequence[int]]
    high: Mapping[str, Sequence[int]]

    @classmethod
    def of(cls, times: FillTimes, moments: Sequence[Moment], until_ms: int, side: Side, amount: int) -> "Windows":
        ranges = [_outputs(moment, side, amount) for moment in moments]
        venues = dict.fromkeys(venue for one in ranges for venue in one)
        low = {venue: [one.get(venue, (0, 0))[0] for one in ranges] for venue in venues}
        high = {venue: [one.get(venue, (0, 0))[1] for one in ranges] for venue in venues}
        return cls(times, [moment.at_ms for moment in moments], until_ms, low, high)

    def starts(self) -> range:
        """The indexes of the moments at which a window begins."""
        return range(bisect_right(self.at_ms, self.until_ms - self.times.window_ms - 1))

    def end(self, start: int) -> int:
        """The index after the last moment of a window."""
        return bisect_right(self.at_ms, self.at_ms[start] + self.times.window_ms)

    def level(self, start: int) -> int:
        """The greatest minimum output that a swap in this window surely reaches; 0 if there is none."""
        end = self.end(start)
        lows = (min(low[start:end]) for low in self.low.values())
        return max((low for low in lows if self._is_sure(start, end, low)), default=0)

    def holds(self, start: int, minimum: int) -> bool:
        """True if an order with this minimum output that is ready to trigger surely fills within this window."""
        return start in self.starts() and self._is_sure(start, self.end(start), minimum)

    def began(self, start: int, minimum: int) -> int:
        """The first of the adjacent windows up to this one in which the minimum holds."""
        while self.holds(start - 1, minimum):
            start -= 1
        return start

    def fills(self, start: int, minimum: int) -> bool:
        """True if an order with this minimum output surely fills by the end of this window or shortly after.

        An earlier price may have triggered the order and moved away: its swap may still be under way when the window
        begins, or the order pauses. The pauses before the last miss took no longer than the time between the misses,
        and each pause is twice the one before.
        """
        reached = [at for at in range(start) if any(high[at] >= minimum for high in self.high.values())]
        if not reached:
            return self.holds(start, minimum)
        began_ms, ended_ms = self.at_ms[reached[0]], self.at_ms[reached[-1] + 1]
        missed_ms = min(ended_ms + self.times.window_ms, self.at_ms[start])
        ready_ms = missed_ms + ended_ms - began_ms + self.times.pause_ms
        last = max(start, bisect_right(self.at_ms, ready_ms))
        return all(self.holds(at, minimum) for at in range(start, last + 1))

    def _is_sure(self, start: int, end: int, minimum: int) -> bool:
        """True if some venue always reaches the minimum, and none that a quote may choose by it is below it later."""
        if minimum < 1 or not any(min(low[start:end]) >= minimum for low in self.low.values()):
            return False
        return not any(self._falls_short(venue, start, end, minimum) for venue in self.low)

    def _falls_short(self, venue: str, start: int, end: int, minimum: int) -> bool:
        """True if a venue reaches the minimum in a window, and is below it then or later in the window."""
        low, high = self.low[venue], self.high[venue]
        if min(low[start:end]) >= minimum:
            return False
        reached = next((at for at in range(start, end) if high[at] >= minimum), end)
        return any(output < minimum for output in low[reached:end])


def _outputs(moment: Moment, side: Side, amount: int) -> dict[str, tuple[int, int]]:
    """The least and the greatest output of each venue; the least is 0 where the price impact is too large."""
    found: dict[str, tuple[int, int]] = {}
    for depth in (*moment.depths, *moment.stale):
        swap = depth.swap(side, amount)
        output = swap.amount_out if swap.price_impact_pct <= MAX_IMPACT_PCT else 0
        low, high = found.get(depth.venue, (output, output))
        found[depth.venue] = (min(low, output), max(high, output))
    return found
