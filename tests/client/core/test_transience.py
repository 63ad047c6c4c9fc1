"""Which refusals a later attempt may overcome."""

import pytest

from orderengine.core.answers import problem_of
from orderengine.core.transience import full_jitter, is_final, is_transient
from orderengine.errors import NotTheEngine, Unreachable
from tests.client.scripted import problem


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (400, "INVALID_QUERY", False),
        (401, "EXPIRED_CREDENTIAL", False),
        (404, "ORDER_NOT_FOUND", False),
        (408, "", True),
        (425, "", True),
        (429, "RATE_LIMITED", True),
        (429, "OPEN_ORDERS_FULL", False),
        (429, "TOO_MANY_WAITS", False),
        (500, "INTERNAL_ERROR", True),
        (503, "UNAVAILABLE", True),
    ],
)
def test_a_refusal_is_transient_by_its_status_and_code(status: int, code: str, expected: bool) -> None:
    assert is_transient(status, code) is expected
    assert is_final(problem_of(problem(status, code))) is not expected


def test_what_is_no_refusal_of_the_engine_is_not_final() -> None:
    assert not is_final(Unreachable("no answer"))
    assert not is_final(NotTheEngine("a page", 404, "text/html", ""))


def test_full_jitter_doubles_up_to_its_cap() -> None:
    assert [full_jitter(1.0, failures, 0.1, 20.0) for failures in (0, 1, 3, 30)] == [0.1, 0.2, 0.8, 20.0]
    assert full_jitter(0.0, 30, 0.1, 20.0) == 0.0
