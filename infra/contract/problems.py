"""The problems of the calls: which codes come with which status, and the responses that carry them."""

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import TypeAlias

from chalicelib.api.codes import ProblemCode
from chalicelib.api.problems import CONTENT_TYPE, ProblemBody
from chalicelib.api.refusals import REFUSALS
from chalicelib.domain.failures import FATAL, FailureCode
from infra.contract.answers import Components, Schema
from infra.contract.headers import header_references

Code: TypeAlias = ProblemCode | FailureCode

#: The statuses of the codes that no refusal of a use case has.
_STATUSES = {
    400: "BAD_REQUEST DUPLICATE_NAME INVALID_CANCEL INVALID_QUERY INVALID_STREAM MALFORMED_ID MALFORMED_IF_MATCH "
    "MALFORMED_JSON MALFORMED_KEY MALFORMED_REQUEST NOT_A_HANDSHAKE UNKNOWN_ACTION",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN MISSING_SCOPE",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    413: "BODY_TOO_LARGE REQUEST_ENTITY_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    422: "INVALID_ORDER",
    429: "TOO_MANY_REQUESTS TOO_MANY_WAITS",
    500: "INTERNAL_ERROR INTERNAL_SERVER_ERROR",
    502: "BAD_GATEWAY",
    503: "SERVICE_UNAVAILABLE UNAVAILABLE",
    504: "GATEWAY_TIMEOUT",
}
STATUS_OF: dict[Code, int] = {
    **{refusal.code: refusal.status for refusal in REFUSALS.values()},
    **{ProblemCode(name): status for status, names in _STATUSES.items() for name in names.split()},
    **{code: 422 if code in FATAL else 503 for code in FailureCode},
}

#: Any call; one without a body may still name a media type.
ALWAYS = (
    ProblemCode.INVALID_QUERY,
    ProblemCode.FORBIDDEN,
    ProblemCode.UNSUPPORTED_MEDIA_TYPE,
    ProblemCode.TOO_MANY_REQUESTS,
    ProblemCode.INTERNAL_ERROR,
    ProblemCode.INTERNAL_SERVER_ERROR,
    ProblemCode.UNAVAILABLE,
)
#: A call that needs a credential.
CLOSED = (
    ProblemCode.MISSING_CREDENTIAL,
    ProblemCode.INVALID_CREDENTIAL,
    ProblemCode.EXPIRED_CREDENTIAL,
    ProblemCode.MISSING_SCOPE,
)
#: A call with a JSON body.
BODY = (
    ProblemCode.BAD_REQUEST,
    ProblemCode.MALFORMED_JSON,
    ProblemCode.DUPLICATE_NAME,
    ProblemCode.BODY_TOO_LARGE,
)
ORDER_BODY = (*BODY, ProblemCode.INVALID_ORDER)
#: A call about one order.
ONE_ORDER = (ProblemCode.MALFORMED_ID, ProblemCode.ORDER_NOT_FOUND, ProblemCode.NOT_FOUND)
#: The codes of parts in front of the engine, and of failures that no call is known to have.
ELSEWHERE = (
    ProblemCode.UNAUTHORIZED,
    ProblemCode.METHOD_NOT_ALLOWED,
    ProblemCode.REQUEST_ENTITY_TOO_LARGE,
    ProblemCode.BAD_GATEWAY,
    ProblemCode.SERVICE_UNAVAILABLE,
    ProblemCode.GATEWAY_TIMEOUT,
)


def problem_responses(codes: Iterable[Code], components: Components) -> dict[str, Schema]:
    """The responses of these codes by their status."""
    by_status: dict[int, list[Code]] = {}
    for code in codes:
        by_status.setdefault(STATUS_OF[code], []).append(code)
    return {str(status): _response(status, by_status[status], components) for status in sorted(by_status)}


def _response(status: int, codes: Sequence[Code], components: Components) -> Schema:
    names = {401: ("WWW-Authenticate",), 429: ("Retry-After",), 503: ("Retry-After",)}.get(status, ())
    narrowed = {"status": {"const": status}, "code": {"enum": sorted(code.value for code in codes)}}
    return {
        "description": HTTPStatus(status).phrase,
        "headers": header_references(*names),
        "content": {CONTENT_TYPE: {"schema": {**components.refer(ProblemBody), "properties": narrowed}}},
    }
