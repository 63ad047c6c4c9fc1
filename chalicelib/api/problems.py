"""RFC 9457 problem details: the one form of every error, over HTTP and on sockets.

``problem_of`` is the only function that maps exceptions to problems. An exception that it does not know is a bug: the
engine logs it with its trace, and the caller learns only that the engine failed.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict, TypeVar

from chalicelib.api.codes import FieldCode, ProblemCode
from chalicelib.api.errors import FieldError, InvalidOrderError
from chalicelib.api.refusals import REFUSALS, RULES, WIRE_NAMES, Refusal
from chalicelib.api.requests.fields import RequestModel, validated
from chalicelib.api.verdicts import Verdict, verdict_of
from chalicelib.codec.secret_text import without_credential
from chalicelib.domain import errors
from chalicelib.domain.errors import BrokenRule
from chalicelib.domain.failures import AttemptFailedError, FailureCode

_Model = TypeVar("_Model", bound=RequestModel)

log = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"
_TYPE_BASE = "urn:order-execution-engine:problem:"
#: Seconds after which a client should try again when a dependency does not answer.
RETRY_SECONDS = 5


class FieldErrorBody(TypedDict):
    field: str
    code: str
    message: str


class ProblemFields(TypedDict):
    """A problem on a socket: without ``type`` and ``requestId``, which belong to the frame there."""

    title: str
    status: int
    detail: str
    code: str
    errors: list[FieldErrorBody]
    retryAfter: NotRequired[int]
    verdict: NotRequired[Verdict]
    outcome: NotRequired[str]


class ProblemBody(ProblemFields):
    """A problem over HTTP."""

    type: str
    requestId: str


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as a client sees it. ``retry_after`` is in seconds; ``verdict`` is why the order's
    state does not allow the change."""

    status: int
    code: ProblemCode | FailureCode
    title: str
    detail: str
    errors: Sequence[FieldError] = ()
    retry_after: int | None = None
    verdict: Verdict | None = None

    def as_body(self, request_id: str) -> ProblemBody:
        kind = _TYPE_BASE + self.code.value.lower().replace("_", "-")
        return {"type": kind, "requestId": request_id, **self.as_fields()}

    def as_fields(self) -> ProblemFields:
        fields: ProblemFields = {
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code.value,
            "errors": [
                {"field": without_credential(error.field), "code": error.code.value, "message": error.message}
                for error in self.errors
            ],
        }
        if self.retry_after is not None:
            fields["retryAfter"] = self.retry_after
        if self.verdict is not None:
            # ``status`` is the HTTP status, so the order's status is in the verdict.
            fields["verdict"] = self.verdict
            fields["outcome"] = self.verdict["outcome"]
        return fields


class ProblemError(Exception):
    """A problem that an entry point finds itself, before it calls a use case."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


def malformed(
    detail: str, code: ProblemCode = ProblemCode.MALFORMED_REQUEST, field_errors: Sequence[FieldError] = ()
) -> ProblemError:
    """400: the request cannot be read."""
    return ProblemError(Problem(400, code, "Malformed request", detail, field_errors))


def well_formed(
    model: type[_Model], data: Mapping[str, Any], detail: str, code: ProblemCode, **context: Any
) -> _Model:
    """Read a request that is not an order: an error in it is 400, not 422. ``context`` is that of the validation.

    :raises ProblemError: 400 naming every bad field.
    """
    try:
        return validated(model, data, **context)
    except InvalidOrderError as error:
        raise malformed(detail, code, error.errors) from None


def too_large(limit: int) -> ProblemError:
    """413: the body is too large."""
    detail = f"The body may have at most {limit} bytes."
    return ProblemError(Problem(413, ProblemCode.BODY_TOO_LARGE, "Content too large", detail))


def unsupported(detail: str) -> ProblemError:
    """415: the body is in a form that the engine does not take."""
    return ProblemError(Problem(415, ProblemCode.UNSUPPORTED_MEDIA_TYPE, "Unsupported media type", detail))


def problem_of(error: Exception, unavailable: tuple[type[Exception], ...] = ()) -> Problem:
    """The answer to an exception. ``unavailable`` are the exceptions by which the SDKs report an outage."""
    match error:
        case ProblemError():
            return error.problem
        case InvalidOrderError():
            return _invalid(error.errors)
        case errors.BrokenRulesError():
            return _invalid([_field_error(broken) for broken in error.broken])
        case errors.InvalidCursorError():
            return _bad_parameter("cursor", FieldCode.CURSOR_INVALID, "is not a valid cursor")
        case errors.SeqBeyondEndError():
            message = f"must be at most {error.last_seq}, the seq of the order's last event"
            return _bad_parameter("atSeq", FieldCode.SEQ_BEYOND_END, message)
        case errors.MissingScopeError():
            detail = f"The credential does not grant the scope {error.scope}."
            return Problem(403, ProblemCode.MISSING_SCOPE, "Forbidden", detail)
        case AttemptFailedError():
            return _no_quote(error)
        case _ if type(error) in REFUSALS:
            return _refused(error, REFUSALS[type(error)])
        case _ if isinstance(error, unavailable):
            log.error("a dependency does not answer", exc_info=error)
            detail = "The engine cannot reach a dependency. Try again; an Idempotency-Key makes a repeat safe."
            return Problem(503, ProblemCode.UNAVAILABLE, "Unavailable", detail, retry_after=RETRY_SECONDS)
        case _:
            log.error("unexpected error", exc_info=error)
            detail = "The engine failed unexpectedly."
            return Problem(500, ProblemCode.INTERNAL_ERROR, "Internal error", detail)


def _invalid(field_errors: Sequence[FieldError]) -> Problem:
    count = len(field_errors)
    detail = f"{count} field{'s are' if count > 1 else ' is'} not valid."
    return Problem(422, ProblemCode.INVALID_ORDER, "Invalid order", detail, field_errors)


def _bad_parameter(name: str, code: FieldCode, message: str) -> Problem:
    """The problem of a query parameter that a use case refuses."""
    return malformed("The query is not valid.", ProblemCode.INVALID_QUERY, [FieldError(name, code, message)]).problem


def _field_error(broken: BrokenRule) -> FieldError:
    return FieldError(WIRE_NAMES[broken.field], *RULES[broken.rule])


def _no_quote(error: AttemptFailedError) -> Problem:
    status, retry_after = (503, 1) if error.retryable else (422, None)
    return Problem(status, error.code, "No quote available", error.reason, retry_after=retry_after)


def _refused(error: Exception, refusal: Refusal) -> Problem:
    verdict, detail, retry_after = None, refusal.detail, None
    if isinstance(error, errors.OrderStateError):
        verdict = verdict_of(error)
        detail = detail.format(**verdict)
    if isinstance(error, errors.RateLimitedError):
        detail = detail.format(horizon=_duration(error.horizon_seconds))
    if isinstance(error, errors.LimitReachedError):
        retry_after = error.retry_after
    elif refusal.status == 503:
        retry_after = RETRY_SECONDS
    return Problem(refusal.status, refusal.code, refusal.title, detail, retry_after=retry_after, verdict=verdict)


def _duration(seconds: int) -> str:
    """The seconds in words; in minutes if they are whole ones."""
    number, unit = (seconds // 60, "minute") if seconds and seconds % 60 == 0 else (seconds, "second")
    return f"{number} {unit}{'' if number == 1 else 's'}"
