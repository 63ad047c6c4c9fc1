"""Random requests of every kind, signed in and not: each gets a clear answer, and none that is refused is stored."""

from tests.e2e.client import Client
from tests.fuzz.fuzzing import Fuzz
from tests.fuzz.subject import stored_orders
from tests.support.locked import LockedStack

#: About a minute on a small machine. ``make fuzz`` continues for an hour.
_REQUESTS = 2000


def test_random_requests_get_clear_answers_and_leave_nothing_behind_when_refused(
    locked: LockedStack, operator: Client, stranger: Client
) -> None:
    fuzz = Fuzz(operator, stranger, stored=lambda: stored_orders(locked.stack))
    fuzz.run(_REQUESTS)
    assert len(fuzz.accepted) > 50, "too few random orders are valid to be a trial"
