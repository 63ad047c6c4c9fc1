"""The request rate of a user: it holds in all environments together, and refuses no user within it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.api.problems import problem_of
from chalicelib.domain.errors import TooManyRequestsError
from chalicelib.domain.identity import Caller, Credential, Scope, unrestricted
from chalicelib.services.limits.request_rate import WINDOW_MS, RequestRate
from orderengine.testing.fakes.clock import FakeClock
from orderengine.testing.fakes.rate_limit import FakeRequestPermits
from tests.support.workbench import a_workbench

ALICE = Caller("alice", frozenset(Scope), Credential("key", None))
BOB = replace(ALICE, user_id="bob")


class Environments:
    """Environments of one deployment, each with a counter of its own."""

    def __init__(self, number: int, per_minute: int) -> None:
        self.clock = FakeClock()
        self.permits = FakeRequestPermits()
        self.rates = [RequestRate(self.permits, per_minute, self.clock.now_ms) for _ in range(number)]

    def admits(self, environment: int = 0, caller: Caller = ALICE) -> bool:
        try:
            self.rates[environment % len(self.rates)].admit(caller)
        except TooManyRequestsError:
            return False
        return True


def in_a_window(per_minute: int) -> int:
    return -(-per_minute * WINDOW_MS // 60_000)


@given(
    number=st.integers(1, 40),
    per_minute=st.integers(1, 3000),
    spread=st.randoms(use_true_random=False),
    excess=st.floats(0, 3),
)
def test_a_user_within_the_limit_is_never_refused_and_no_user_gets_much_more(
    number: int, per_minute: int, spread: object, excess: float
) -> None:
    environments, limit = Environments(number, per_minute), in_a_window(per_minute)
    choose = spread.randrange  # type: ignore[attr-defined]
    for window in range(2):
        environments.clock.sleep(WINDOW_MS / 1000 if window else 0)
        assert all(environments.admits(choose(number)) for _ in range(limit))
        admitted = limit + sum(environments.admits(choose(number)) for _ in range(int(excess * limit)))
        assert admitted <= limit + (number + 1) * (limit // 20)


def test_a_flood_over_all_environments_stays_within_the_bound() -> None:
    environments = Environments(number=10, per_minute=1200)
    assert sum(environments.admits(request) for request in range(5000)) <= 200 + 11 * 10


def test_a_refused_request_names_the_end_of_the_window_and_succeeds_then() -> None:
    environments = Environments(number=1, per_minute=60)
    environments.clock.sleep(3.3)
    while environments.admits():
        pass
    with pytest.raises(TooManyRequestsError) as caught:
        environments.rates[0].admit(ALICE)
    problem = problem_of(caught.value)
    assert (problem.status, problem.code, problem.retry_after) == (429, "TOO_MANY_REQUESTS", 7)
    environments.clock.sleep(6)
    assert not environments.admits()
    environments.clock.sleep(1)
    assert environments.admits()


def test_one_user_at_the_limit_leaves_the_others_alone() -> None:
    environments = Environments(number=1, per_minute=60)
    while environments.admits():
        pass
    assert environments.admits(caller=BOB)


def test_few_requests_cost_no_write_and_many_cost_one_for_each_eleven() -> None:
    environments = Environments(number=1, per_minute=1200)
    assert all(environments.admits() for _ in range(10))
    assert environments.permits.writes == 0
    assert all(environments.admits() for _ in range(110))
    assert environments.permits.writes == 10


def test_a_refused_user_costs_no_further_write() -> None:
    environments = Environments(number=1, per_minute=60)
    while environments.admits():
        pass
    writes = environments.permits.writes
    assert not any(environments.admits() for _ in range(100))
    assert environments.permits.writes == writes


def test_requests_are_admitted_while_dynamodb_does_not_answer() -> None:
    environments = Environments(number=1, per_minute=1200)
    environments.permits.down = True
    assert all(environments.admits() for _ in range(1000))
    assert environments.permits.writes == 90, "not every request waits for the time-out"


def test_without_authentication_or_without_a_limit_no_request_is_counted() -> None:
    limited, unlimited = Environments(number=1, per_minute=1), Environments(number=1, per_minute=0)
    assert all(limited.admits(caller=unrestricted("alice")) for _ in range(100))
    assert all(unlimited.admits() for _ in range(100))


def test_the_setting_sets_the_limit_of_the_engine() -> None:
    rate = a_workbench(max_requests_per_minute=6).engine.request_rate
    rate.admit(ALICE)
    with pytest.raises(TooManyRequestsError):
        rate.admit(ALICE)
