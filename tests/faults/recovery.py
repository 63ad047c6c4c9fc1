"""The recovery of orders from kills: how long after the last kill each was over, and how late it expired."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from chalicelib.codec.times import to_ms
from chalicelib.domain.events import Event, Failed
from chalicelib.domain.failures import FailureCode
from chalicelib.domain.status import TERMINAL, Status
from tests.faults.durations import distribution
from tests.faults.killing import Kill
from tests.faults.result import Result

#: The requirement: an order is over this long after the last kill, and an expiry is at most this late.
RECOVERY_SECONDS, EXPIRY_SECONDS = 30, 10


@dataclass(frozen=True)
class Life:
    """The events of an order, and the expiry that its client gave it."""

    order_id: str
    events: Sequence[Event]
    expires_ms: int | None = None

    @property
    def end(self) -> Event:
        return self.events[-1]

    @property
    def ended_ms(self) -> int:
        return to_ms(self.end.at)

    def last_kill(self, kills: Iterable[Kill]) -> Kill | None:
        """Return the last kill between the acceptance of the order and its end."""
        began_ms = to_ms(self.events[0].at)
        hits = [kill for kill in kills if began_ms <= kill.at_ms <= self.ended_ms]
        return max(hits, key=lambda kill: kill.at_ms, default=None)


def judge_recovery(lives: Sequence[Life], kills: Sequence[Kill], tolerance: int, result: Result) -> None:
    """Compare recoveries and expiries with ``tolerance`` times their limits, and note their distributions."""
    recoveries: dict[str, list[float]] = {"cold": [], "running": []}
    late: list[float] = []
    for life in lives:
        kill = life.last_kill(kills)
        if life.end.status is Status.EXPIRED and life.expires_ms is not None:
            # A kill excuses an expiry for as long as it excuses an end.
            late.append((life.ended_ms - max(life.expires_ms, kill.at_ms if kill else 0)) / 1000)
            if late[-1] > tolerance * EXPIRY_SECONDS:
                result.violations.append(f"{life.order_id}: expired {late[-1]:.1f} s late")
        elif kill and life.end.status in TERMINAL and life.end.status is not Status.CANCELLED:
            seconds = (life.ended_ms - kill.at_ms) / 1000
            recoveries["cold" if kill.cold else "running"].append(seconds)
            result.recovered(seconds)
            if seconds > tolerance * RECOVERY_SECONDS:
                result.violations.append(f"{life.order_id}: over {seconds:.1f} s after the last kill{_pause(life)}")
        if isinstance(life.end.data, Failed) and life.end.data.failure.code is FailureCode.QUEUE_EXHAUSTED:
            result.violations.append(f"{life.order_id}: became a dead letter")
    for kind, times in {"any": [*recoveries["cold"], *recoveries["running"]], **recoveries}.items():
        result.notes.append(f"last kill ({kind}) -> over: {_with_slow(times, RECOVERY_SECONDS)}")
    result.notes.append(f"expiry or last kill -> expired: {_with_slow(late, EXPIRY_SECONDS)}")
    result.notes.append(f"killed: {_counted(kills, cold=True)}; {_counted(kills, cold=False)}")


def _with_slow(times: Sequence[float], limit_seconds: int) -> str:
    return f"{distribution(times)}; {sum(one > limit_seconds for one in times)} over {limit_seconds} s"


def _pause(life: Life) -> str:
    """Return the longest pause between two events, which says where the order was forgotten."""
    pauses = [(to_ms(two.at) - to_ms(one.at), one.status, two.status) for one, two in pairwise(life.events)]
    if not pauses:
        return ""
    pause, one, two = max(pauses)
    return f" ({pause / 1000:.1f} s from {one} to {two})"


def _counted(kills: Sequence[Kill], *, cold: bool) -> str:
    functions = Counter(kill.function or "not loaded yet" for kill in kills if kill.cold is cold)
    names = ", ".join(f"{count} {name}" for name, count in functions.most_common())
    return f"{functions.total()} {'cold' if cold else 'running'} ({names})"
