"""The lives of orders as the history has them."""

from dataclasses import dataclass
from typing import Any

from tests.bench.orders import spec_of
from tests.bench.subject import Subject, wait_until
from tests.bench.venue_time import VenueTimes

_LIVES = """
    select o.order_id::text, o.dex_used, o.attempts, max(e.seq),
        extract(epoch from min(e.at) filter (where e.status = 'pending'))::float8,
        extract(epoch from min(e.at) filter (where e.status = 'routing'))::float8,
        extract(epoch from max(e.at) filter (where e.status = 'submitted'))::float8,
        extract(epoch from max(e.at) filter (where e.status = 'confirmed'))::float8
    from orders o join order_events e using (order_id) where o.user_id = %s
        and o.status = 'confirmed' group by o.order_id
"""
_POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Life:
    """The times of a confirmed order's events in seconds since the epoch.

    ``venues`` are the seconds at venues of one attempt: a further attempt counts as the engine's own time.
    """

    order_id: str
    attempts: int
    last_seq: int
    accepted: float
    began: float
    submitted: float
    ended: float
    venues: float

    @property
    def own_ms(self) -> float:
        """Milliseconds of the engine's own from ``routing`` to ``confirmed``."""
        return (self.ended - self.began - self.venues) * 1000

    @property
    def whole_ms(self) -> float:
        """Milliseconds from ``pending`` to ``confirmed`` without the venues."""
        return (self.ended - self.accepted - self.venues) * 1000


def confirmed_lives(subject: Subject, user: str, body: dict[str, Any], orders: int, seconds: float) -> list[Life]:
    """Wait until a user's ``orders`` are confirmed, and return their lives in the order of their acceptance.

    :raises BenchError: if one is not confirmed within ``seconds``.
    """
    wait_until(
        lambda: subject.confirmed(user) >= orders,
        seconds,
        _POLL_SECONDS,
        lambda: f"of {orders} orders of {user} are {subject.statuses(user)}",
    )
    times, spec = VenueTimes(subject.settings), spec_of({**body, "userId": user})
    rows = subject.query(_LIVES, user)
    lives = [
        Life(order_id, attempts, last_seq, accepted, began, submitted, ended, times.seconds(spec, order_id, dex))
        for order_id, dex, attempts, last_seq, accepted, began, submitted, ended in rows
    ]
    return sorted(lives, key=lambda life: life.accepted)
