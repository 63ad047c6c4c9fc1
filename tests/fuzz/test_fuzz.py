"""The short form of ``make fuzz``, on a stack with authentication and one without."""

from collections import Counter
from collections.abc import Iterator

import pytest

from tests.fuzz.fuzzing import Fuzz
from tests.fuzz.schema import PHASES, check_schema
from tests.fuzz.subject import a_fuzz

_SEED = 1
#: schemathesis sends ten times as many requests to the calls that the contract describes. These are for bodies that
#: are not JSON, paths without a route, sockets and strangers, and for orders that a refused request may leave.
_REQUESTS, _SOCKETS = 300, 100


@pytest.fixture(scope="module", params=["open", "locked"])
def fuzz(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fuzz]:
    """A stack of its own: random prices and cancels of all orders would disturb other tests."""
    with a_fuzz("on" if request.param == "locked" else "off", tmp_path_factory.mktemp("fuzz")) as fuzz:
        yield fuzz


def test_schemathesis_finds_nothing(fuzz: Fuzz) -> None:
    is_locked = fuzz.client.key is not None
    # The coverage phase makes the same requests in both modes; make fuzz makes them in both.
    phases = [phase for phase in PHASES if is_locked or phase != "coverage"]
    calls = check_schema(fuzz.client.http, fuzz.client.key, seed=_SEED, phases=phases)
    print(f"\nCalls by phase, data and status: {dict(sorted(calls.items()))}")
    by_phase: Counter[str] = Counter()
    for name, number in calls.items():
        by_phase[name.split()[0]] += number
    assert all(by_phase[phase] > 20 for phase in phases), by_phase
    assert not is_locked or calls["coverage negative 422"] > 500, "too little invalid data to be a trial"
    assert sum(number for name, number in calls.items() if name.endswith("positive 202")) > 30, "too few valid orders"


def test_random_requests_get_clear_answers_and_leave_nothing_behind_when_refused(fuzz: Fuzz) -> None:
    if fuzz.stranger is None:
        pytest.skip("the stack with authentication shows the same; make fuzz tries both")
    fuzz.run(_REQUESTS, _SOCKETS)
    assert len(fuzz.accepted) > 10, "too few random orders are valid to be a trial"
