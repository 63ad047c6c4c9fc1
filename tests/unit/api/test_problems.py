"""Every error answer is a problem document, and none reveals internals of the engine."""

import logging

import pytest

from chalicelib.api.bare_problems import plain_problem
from chalicelib.api.codes import FieldCode
from chalicelib.api.errors import FieldError, InvalidOrderError
from chalicelib.api.problems import malformed, problem_of, too_large
from chalicelib.codec.exact_json import dumps, loads
from chalicelib.domain.conditions import MAX_AMENDMENTS
from chalicelib.domain.errors import (
    AmendedTooOftenError,
    BrokenRule,
    BrokenRulesError,
    CancelTooLateError,
    ContendedError,
    IdempotencyConflictError,
    IllegalTransitionError,
    InvalidCursorError,
    MissingScopeError,
    NotAmendableError,
    OrderMovedOnError,
    OrderNotFoundError,
    OrderStateError,
    PoolAlreadyLiveError,
    RateLimitedError,
    Rule,
    TooManyActiveOrdersError,
    TooManyOpenOrdersError,
    TooManyRequestsError,
)
from chalicelib.domain.failures import AttemptFailedError, FailureCode
from chalicelib.domain.status import Status
from chalicelib.ports.history import HistoryUnavailableError

FIELDS = {"type", "title", "status", "detail", "code", "requestId", "errors"}
BAD_FIELD = FieldError("amountIn", FieldCode.AMOUNT_NOT_POSITIVE, "must be greater than 0")
KNOWN = [
    (malformed("The body must be JSON."), 400, "MALFORMED_REQUEST"),
    (too_large(16_384), 413, "BODY_TOO_LARGE"),
    (InvalidOrderError([BAD_FIELD]), 422, "INVALID_ORDER"),
    (OrderNotFoundError("id"), 404, "ORDER_NOT_FOUND"),
    (IdempotencyConflictError(), 422, "IDEMPOTENCY_KEY_REUSED"),
    (HistoryUnavailableError("down"), 503, "HISTORY_UNAVAILABLE"),
    (RateLimitedError(7, 900), 429, "RATE_LIMITED"),
    (TooManyRequestsError(7), 429, "TOO_MANY_REQUESTS"),
    (TooManyActiveOrdersError(7), 429, "BACKLOG_FULL"),
    (TooManyOpenOrdersError(7), 429, "OPEN_ORDERS_FULL"),
    (BrokenRulesError([BrokenRule("expires_at", Rule.EXPIRES_IN_THE_FUTURE)]), 422, "INVALID_ORDER"),
    (PoolAlreadyLiveError("mint"), 409, "POOL_ALREADY_LIVE"),
    (InvalidCursorError("x"), 400, "INVALID_QUERY"),
    (MissingScopeError("trade"), 403, "MISSING_SCOPE"),
    (ContendedError("id"), 503, "UNAVAILABLE"),
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


@pytest.mark.parametrize(
    ("kind", "status", "code", "outcome"),
    [
        (CancelTooLateError, 409, "CANCEL_TOO_LATE", "too_late"),
        (NotAmendableError, 409, "NOT_AMENDABLE", "not_open"),
        (AmendedTooOftenError, 409, "AMENDED_TOO_OFTEN", "too_often"),
        (OrderMovedOnError, 412, "ORDER_MOVED_ON", "moved_on"),
    ],
)
def test_a_change_that_the_status_does_not_allow_has_a_verdict(
    kind: type[OrderStateError], status: int, code: str, outcome: str
) -> None:
    body = problem_of(kind("id", Status.ROUTING, 300)).as_body("request")
    assert (body["status"], body["code"], body["outcome"]) == (status, code, outcome)
    assert body["verdict"] == {"outcome": outcome, "status": "routing", "seq": 300}
    assert any(word in body["detail"] for word in ("routing", "300", str(MAX_AMENDMENTS)))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(900, "15 minutes"), (60, "1 minute"), (90, "90 seconds"), (1, "1 second"), (0, "0 seconds")],
)
def test_the_refusal_of_the_rate_limit_names_the_horizon_of_the_deployment(seconds: int, words: str) -> None:
    assert f"for the next {words}." in problem_of(RateLimitedError(7, seconds)).detail


@pytest.mark.parametrize("rule", Rule)
def test_every_rule_has_a_code_and_a_sentence(rule: Rule) -> None:
    [error] = problem_of(BrokenRulesError([BrokenRule("limit_price", rule)])).errors
    assert error.field == "limitPrice"
    assert error.message


def test_every_bad_field_has_its_code_and_a_sentence() -> None:
    problem = problem_of(
        InvalidOrderError([BAD_FIELD, FieldError("slipage", FieldCode.UNKNOWN_FIELD, "is not a known field")])
    )
    assert problem.as_fields()["errors"][0] == {
        "field": "amountIn",
        "code": "AMOUNT_NOT_POSITIVE",
        "message": "must be greater than 0",
    }
    assert [error["field"] for error in problem.as_fields()["errors"]] == ["amountIn", "slipage"]
    assert "2 fields are" in problem.detail


@pytest.mark.parametrize("code", FailureCode)
def test_a_retryable_quote_failure_is_503_with_retry_after_and_a_fatal_one_is_422(code: FailureCode) -> None:
    error = AttemptFailedError(code, "why")
    problem = problem_of(error)
    assert (problem.status, problem.retry_after) == ((503, 1) if error.retryable else (422, None))
    assert (problem.code, problem.detail) == (code.value, "why")


def test_a_503_has_a_retry_after() -> None:
    assert problem_of(HistoryUnavailableError("down")).retry_after
    assert problem_of(ContendedError("id")).retry_after


@pytest.mark.parametrize(
    "error", [RuntimeError("secret table orders-prod"), KeyError("secret"), IllegalTransitionError("secret step")]
)
def test_a_bug_is_logged_with_its_trace_and_reveals_nothing_to_the_caller(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        problem = problem_of(error)
    assert (problem.status, problem.code) == (500, "INTERNAL_ERROR")
    assert "secret" not in dumps(problem.as_body("request"))
    assert [record.exc_info[1] for record in caplog.records if record.exc_info] == [error]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 413, 415, 429, 500, 503])
def test_a_status_without_an_error_still_has_a_problem_body(status: int) -> None:
    problem = plain_problem(status)
    assert problem.status == status
    assert problem.code.isupper()
    assert problem.title
    assert problem.detail
