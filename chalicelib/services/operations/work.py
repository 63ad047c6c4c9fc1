"""The orders that workers execute now, and those that wait for their next attempt."""

from dataclasses import dataclass
from datetime import datetime

from chalicelib.clock import MAX_CLOCK_DIFFERENCE
from chalicelib.codec.times import from_ms, to_ms
from chalicelib.domain.status import Status
from chalicelib.ports.order_index import OrderIndex
from chalicelib.ports.orders import StoredOrder

#: The orders that execute at the same time: ``MaximumConcurrency`` of the processor's event source mapping.
SLOTS = 10
#: Orders that one look at the work reads: those with a worker, and those that the rate limit starts within seconds,
#: which have similar deadlines. There are fewer of these up to a limit of 1000 starts a minute.
_MAX_ORDERS = 300


@dataclass(frozen=True, slots=True)
class Work:
    """``leased``: the orders with a valid lease, the first to end first. ``retrying``: orders between attempts."""

    leased: tuple[StoredOrder, ...] = ()
    retrying: int = 0


@dataclass(frozen=True, slots=True)
class FindWork:
    """Finds the work by the deadlines that leases and pauses set. All times are in seconds."""

    index: OrderIndex
    lease_seconds: int
    backoff_cap_seconds: float
    deadline_grace_seconds: int

    def __call__(self, now: datetime) -> Work:
        found = self._candidates(now)
        leased = [one for one in found if _is_leased(one, now)]
        return Work(
            tuple(sorted(leased, key=lambda one: one.lease.until_ms if one.lease else 0)),
            sum(_is_between_attempts(one) for one in found if not _is_leased(one, now)),
        )

    def _candidates(self, now: datetime) -> list[StoredOrder]:
        """The active orders whose deadline may be that of a valid lease or of a pause that goes on.

        Such a deadline is a grace time after the end of the lease or pause. Another component's clock set it.
        """
        first_ms = to_ms(now - MAX_CLOCK_DIFFERENCE) + self.deadline_grace_seconds * 1000
        longest_ms = int(max(self.lease_seconds, self.backoff_cap_seconds) * 1000)
        last_ms = to_ms(now + MAX_CLOCK_DIFFERENCE) + self.deadline_grace_seconds * 1000 + longest_ms
        return self.index.with_deadline(first_ms, last_ms, _MAX_ORDERS)


def _is_leased(stored: StoredOrder, now: datetime) -> bool:
    return stored.lease is not None and from_ms(stored.lease.until_ms) >= now and not stored.order.is_terminal


def _is_between_attempts(stored: StoredOrder) -> bool:
    return stored.lease is None and stored.order.status is Status.ROUTING and stored.order.attempts > 1
