"""Problems of bare HTTP statuses, which no use case raised."""

from http import HTTPStatus

from chalicelib.api.codes import ProblemCode
from chalicelib.api.problems import RETRY_SECONDS, Problem

_CODES = {
    400: ProblemCode.BAD_REQUEST,
    401: ProblemCode.UNAUTHORIZED,
    403: ProblemCode.FORBIDDEN,
    404: ProblemCode.NOT_FOUND,
    405: ProblemCode.METHOD_NOT_ALLOWED,
    413: ProblemCode.REQUEST_ENTITY_TOO_LARGE,
    415: ProblemCode.UNSUPPORTED_MEDIA_TYPE,
    429: ProblemCode.TOO_MANY_REQUESTS,
    500: ProblemCode.INTERNAL_SERVER_ERROR,
    502: ProblemCode.BAD_GATEWAY,
    503: ProblemCode.SERVICE_UNAVAILABLE,
    504: ProblemCode.GATEWAY_TIMEOUT,
}

#: The throttle of API Gateway is a bucket of tokens that every second fills by its rate.
_THROTTLE_SECONDS = 1
_RETRY_SECONDS = {429: _THROTTLE_SECONDS, 503: RETRY_SECONDS}
#: The statuses that API Gateway and the front door answer without the app: code, title and detail.
_GATEWAY = {
    400: (
        ProblemCode.NOT_A_HANDSHAKE,
        "Not a handshake",
        "This path opens a WebSocket: send GET with the headers of a WebSocket handshake of version 13.",
    ),
    403: (ProblemCode.FORBIDDEN, "Forbidden", "The gateway refuses this request."),
    404: (ProblemCode.NOT_FOUND, "Not found", "There is nothing at this path for this method."),
    413: (ProblemCode.BODY_TOO_LARGE, "Content too large", "The body is too large."),
    429: (ProblemCode.TOO_MANY_REQUESTS, "Too many requests", "Try again in a moment."),
    503: (
        ProblemCode.UNAVAILABLE,
        "Unavailable",
        "The engine did not answer. Try again; an Idempotency-Key makes a repeat safe.",
    ),
}


def plain_problem(status: int, detail: str = "") -> Problem:
    """The problem of a bare HTTP status."""
    known = HTTPStatus(status)
    code = _CODES.get(status, ProblemCode.BAD_REQUEST if status < 500 else ProblemCode.INTERNAL_SERVER_ERROR)
    return Problem(status, code, known.phrase, detail or known.description or known.phrase)


def gateway_problem(status: int) -> Problem:
    """The problem by which API Gateway or the front door answers a request that the app does not answer.

    :raises KeyError: for a status that neither of them answers by itself.
    """
    code, title, detail = _GATEWAY[status]
    return Problem(status, code, title, detail, retry_after=_RETRY_SECONDS.get(status))
