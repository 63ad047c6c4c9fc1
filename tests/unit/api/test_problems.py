"""Every error has one form, and none tells a caller how the engine is made."""

import logging

import pytest

from chalicelib.api.errors import FieldError, InvalidOrderError
from chalicelib.api.bare_problems import plain_problem
from chalicelib.api.problems import malformed, problem_of, too_large
from chalicelib.codec.exact_json import dumps, loads
from chalicelib.domain.errors import (
    IdempotencyConflictError,
    IllegalTransitionError,
    OrderNotFoundError,
    RateLimitedError,
    TooManyActiveOrdersError,
)
from chalicelib.domain.failures import AttemptFailedError, FailureCode
from chalicelib.ports.history import HistoryUnavailableError

FIELDS = {"type", "title", "status", "detail", "code", "requestId", "errors"}
BAD_FIELD = FieldError("amountIn", "AMOUNT_NOT_POSITIVE", "must be greater than 0")
KNOWN = [
    (malformed("The body must be JSON."), 400, "MALFORMED_REQUEST"),
    (too_large(16_384), 413, "BODY_TOO_LARGE"),
    (InvalidOrderError([BAD_FIELD]), 422, "INVALID_ORDER"),
    (OrderNotFoundError("id"), 404, "ORDER_NOT_FOUND"),
    (IdempotencyConflictError(), 422, "IDEMPOTENCY_KEY_REUSED"),
    (HistoryUnavailableError("down"), 503, "HISTORY_UNAVAILABLE"),
    (RateLimitedError(7), 429, "RATE_LIMITED"),
    (TooManyActiveOrdersError(7), 429, "BACKLOG_FULL"),
]


@pytest.mark.parametrize(
    ("error", "status", "code"), KNOWN, ids=lambda value: value if isinstance(value, str) else ""
)
def test_an_error_has_the_status_and_code_of_the_contract(error: Exception, status: int, code: str) -> None:
    problem = problem_of(error)
    body = loads(dumps(problem.as_body("request")))
    assert set(body) - {"retryAfter"} == FIELDS
    assert body.get("retryAfter") == problem.retry_after
    assert (problem.status, body["status"], body["code"], body["requestId"]) == (status, status, code, "request")
    assert body["title"]
    assert body["detail"]


def test_every_bad_field_is_told_with_its_code_and_a_sentence() -> None:
    problem = problem_of(
        InvalidOrderError([BAD_FIELD, FieldError("slipage", "UNKNOWN_FIELD", "is not a known field")])
    )
    assert problem.as_fields()["errors"][0] == {
        "field": "amountIn",
        "code": "AMOUNT_NOT_POSITIVE",
        "message": "must be greater than 0",
    }
    assert [error["field"] for error in problem.as_fields()["errors"]] == ["amountIn", "slipage"]
    assert "2 fields are" in problem.detail


@pytest.mark.parametrize("code", FailureCode)
def test_a_quote_that_may_come_later_is_503_with_a_time_and_one_that_cannot_is_422(code: FailureCode) -> None:
    error = AttemptFailedError(code, "why")
    problem = problem_of(error)
    assert (problem.status, problem.retry_after) == ((503, 1) if error.retryable else (422, None))
    assert (problem.code, problem.detail) == (code.value, "why")


def test_whoever_is_told_to_come_back_is_told_when() -> None:
    assert problem_of(HistoryUnavailableError("down")).retry_after


@pytest.mark.parametrize(
    "error", [RuntimeError("secret table orders-prod"), KeyError("secret"), IllegalTransitionError("secret step")]
)
def test_a_bug_is_logged_with_its_trace_and_tells_the_caller_nothing(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        problem = problem_of(error)
    assert (problem.status, problem.code) == (500, "INTERNAL_ERROR")
    assert "secret" not in dumps(problem.as_body("request"))
    assert [record.exc_info[1] for record in caplog.records if record.exc_info] == [error]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 413, 415, 429, 500, 503])
def test_a_bare_status_is_a_problem_in_words_too(status: int) -> None:
    problem = plain_problem(status)
    assert problem.status == status
    assert problem.code.isupper()
    assert problem.title
    assert problem.detail
