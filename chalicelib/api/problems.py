"""RFC 9457 problem details: the one form of every error, over HTTP and on sockets.

``problem_of`` is the one table from exception to answer. What is not in it is a bug: it is logged with its trace,
and the caller learns no more than that something went wrong.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeVar

from chalicelib.api.requests.fields import WireModel, validated
from chalicelib.domain.errors import (
    AmendedTooOftenError,
    CancelTooLateError,
    FieldError,
    IdempotencyConflictError,
    InvalidOrderError,
    MovedOnError,
    NotAmendableError,
    OrderNotFoundError,
    PoolAlreadyLiveError,
    RateLimitedError,
    TooManyActiveOrdersError,
    TooManyOpenOrdersError,
    TooManyOrdersError,
)
from chalicelib.domain.failures import AttemptFailedError
from chalicelib.ports.history import HistoryUnavailableError

_Model = TypeVar("_Model", bound=WireModel)

log = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"
_TYPE_BASE = "urn:order-execution-engine:problem:"


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as a client sees it. ``retry_after`` is in seconds, ``verdict`` why a change came too late."""

    status: int
    code: str
    title: str
    detail: str
    errors: Sequence[FieldError] = ()
    retry_after: int | None = None
    verdict: Mapping[str, Any] | None = None

    def as_body(self, request_id: str) -> dict[str, Any]:
        return {
            "type": _TYPE_BASE + self.code.lower().replace("_", "-"),
            "requestId": request_id,
            **self.as_fields(),
        }

    def as_fields(self) -> dict[str, Any]:
        """What is wrong. On a socket ``type`` is the frame's, and the request is the client's to name."""
        return {
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "errors": [{"field": error.field, "code": error.code, "message": error.message} for error in self.errors],
            **({} if self.retry_after is None else {"retryAfter": self.retry_after}),
            # ``status`` is the answer's own, so the order's is found in the verdict.
            **({} if self.verdict is None else {"verdict": self.verdict, "outcome": self.verdict["outcome"]}),
        }


_REFUSED: dict[type[Exception], tuple[int, str, str, str]] = {
    OrderNotFoundError: (404, "ORDER_NOT_FOUND", "Order not found", "There is no order with this id."),
    IdempotencyConflictError: (
        422,
        "IDEMPOTENCY_KEY_REUSED",
        "Idempotency key reused",
        "This idempotency key was used with a different order before.",
    ),
    PoolAlreadyLiveError: (
        409,
        "POOL_ALREADY_LIVE",
        "Pool already live",
        "A pool of this mint is open already, so there is no launch to wait for.",
    ),
}
#: What the detail says is filled in from the verdict.
_TOO_LATE: dict[type[Exception], tuple[int, str, str, str]] = {
    CancelTooLateError: (
        409,
        "CANCEL_TOO_LATE",
        "Too late to cancel",
        "The order is {status} and can no longer be cancelled.",
    ),
    NotAmendableError: (
        409,
        "NOT_AMENDABLE",
        "Order not open",
        "The order is {status}; only open orders can be amended.",
    ),
    AmendedTooOftenError: (
        409,
        "AMENDED_TOO_OFTEN",
        "Amended too often",
        "The order has {seq} events. Cancel it and place another.",
    ),
    MovedOnError: (412, "ORDER_MOVED_ON", "Order moved on", "The order is {status} and at seq {seq} by now."),
}
_TOO_MANY = {
    RateLimitedError: ("RATE_LIMITED", "All starts of the next minutes are taken."),
    TooManyActiveOrdersError: ("BACKLOG_FULL", "You have too many orders on their way."),
    TooManyOpenOrdersError: ("OPEN_ORDERS_FULL", "You have too many open limit and sniper orders."),
}


class ProblemError(Exception):
    """A problem found at the door itself, before any service was called."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


def malformed(detail: str, code: str = "MALFORMED_REQUEST", errors: Sequence[FieldError] = ()) -> ProblemError:
    """400: what came cannot be read at all."""
    return ProblemError(Problem(400, code, "Malformed request", detail, errors))


def well_formed(model: type[_Model], data: Mapping[str, Any], detail: str, code: str) -> _Model:
    """Read what is no order: what is wrong with it is 400, and not 422.

    :raises ProblemError: 400 naming every bad field.
    """
    try:
        return validated(model, data)
    except InvalidOrderError as error:
        raise malformed(detail, code, error.errors) from None


def too_large(limit: int) -> ProblemError:
    """413."""
    detail = f"The body may have {limit} bytes at most."
    return ProblemError(Problem(413, "BODY_TOO_LARGE", "Content too large", detail))


#: Statuses whose problem has words of its own; API Gateway answers these too. Code, title and detail.
_PLAIN = {
    404: ("NOT_FOUND", "Not found", "There is nothing at this path for this method."),
    413: ("BODY_TOO_LARGE", "Content too large", "The body is too large."),
    429: ("TOO_MANY_REQUESTS", "Too many requests", "Try again in a moment."),
    500: ("INTERNAL_ERROR", "Internal error", "Something went wrong on our side."),
}


def plain_problem(status: int, detail: str = "") -> Problem:
    """Return the problem of a bare HTTP status."""
    if status in _PLAIN:
        code, title, text = _PLAIN[status]
        return Problem(status, code, title, detail or text)
    known = HTTPStatus(status)
    return Problem(status, known.name, known.phrase, detail or known.description or known.phrase)


def problem_of(error: Exception, unavailable: tuple[type[Exception], ...] = ()) -> Problem:
    """The answer to an exception. ``unavailable`` are what the adapters raises; a door knows that."""
    match error:
        case ProblemError():
            return error.problem
        case InvalidOrderError():
            count = len(error.errors)
            detail = f"{count} field{'s are' if count > 1 else ' is'} not valid."
            return Problem(422, "INVALID_ORDER", "Invalid order", detail, error.errors)
        case CancelTooLateError() | MovedOnError() | NotAmendableError() | AmendedTooOftenError():
            status, code, title, detail = _TOO_LATE[type(error)]
            return Problem(status, code, title, detail.format(**error.verdict), verdict=error.verdict)
        case OrderNotFoundError() | IdempotencyConflictError() | PoolAlreadyLiveError():
            return Problem(*_REFUSED[type(error)])
        case TooManyOrdersError():
            code, reason = _TOO_MANY[type(error)]
            detail = f"{reason} Nothing was accepted; come back later."
            return Problem(429, code, "Too many orders", detail, retry_after=error.retry_after)
        case AttemptFailedError():
            return Problem(
                503 if error.retryable else 422,
                error.code.value,
                "No quote available",
                error.reason,
                retry_after=1 if error.retryable else None,
            )
        case HistoryUnavailableError():
            detail = "The order history cannot be read now. Single orders can."
            return Problem(503, "HISTORY_UNAVAILABLE", "History unavailable", detail, retry_after=5)
        case _ if isinstance(error, unavailable):
            log.error("a dependency does not answer", exc_info=error)
            detail = "The engine cannot reach what it needs right now. Nothing is known to be lost; try again."
            return Problem(503, "UNAVAILABLE", "Unavailable", detail, retry_after=5)
        case _:
            log.error("unforeseen", exc_info=error)
            return Problem(500, "INTERNAL_ERROR", "Internal error", "Something went wrong on our side.")
