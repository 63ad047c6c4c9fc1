"""Which exception an answer without success stands for."""

from collections.abc import Mapping

from orderengine import errors

_CODES: Mapping[type[errors.ProblemError], tuple[str, ...]] = {
    errors.Invalid: (
        "BAD_REQUEST",
        "BODY_TOO_LARGE",
        "DUPLICATE_NAME",
        "INVALID_CANCEL",
        "INVALID_ORDER",
        "INVALID_QUERY",
        "INVALID_STREAM",
        "MALFORMED_ID",
        "MALFORMED_IF_MATCH",
        "MALFORMED_JSON",
        "MALFORMED_KEY",
        "MALFORMED_REQUEST",
        "METHOD_NOT_ALLOWED",
        "NOT_A_HANDSHAKE",
        "REQUEST_ENTITY_TOO_LARGE",
        "UNKNOWN_ACTION",
        "UNSUPPORTED_MEDIA_TYPE",
    ),
    errors.KeyReused: ("IDEMPOTENCY_KEY_REUSED",),
    errors.Unauthenticated: ("EXPIRED_CREDENTIAL", "INVALID_CREDENTIAL", "MISSING_CREDENTIAL", "UNAUTHORIZED"),
    errors.Forbidden: ("FORBIDDEN", "MISSING_SCOPE"),
    errors.NotFound: ("NOT_FOUND", "ORDER_NOT_FOUND"),
    errors.TooLate: ("CANCEL_TOO_LATE",),
    errors.NotAmendable: ("AMENDED_TOO_OFTEN", "NOT_AMENDABLE"),
    errors.PoolAlreadyLive: ("POOL_ALREADY_LIVE",),
    errors.MovedOn: ("ORDER_MOVED_ON",),
    errors.RateLimited: (
        "BACKLOG_FULL",
        "OPEN_ORDERS_FULL",
        "RATE_LIMITED",
        "TOO_MANY_REQUESTS",
        "TOO_MANY_SOCKETS",
        "TOO_MANY_SUBSCRIPTIONS",
        "TOO_MANY_WAITS",
    ),
    errors.Unavailable: (
        "BAD_GATEWAY",
        "GATEWAY_TIMEOUT",
        "HISTORY_UNAVAILABLE",
        "SERVICE_UNAVAILABLE",
        "UNAVAILABLE",
    ),
    errors.ServerFault: ("INTERNAL_ERROR", "INTERNAL_SERVER_ERROR"),
}
KIND_OF_CODE: Mapping[str, type[errors.ProblemError]] = {
    code: kind for kind, codes in _CODES.items() for code in codes
}
#: For the codes of venues, which ``quote`` passes on, and for codes to come.
KIND_OF_STATUS: Mapping[int, type[errors.ProblemError]] = {
    400: errors.Invalid,
    401: errors.Unauthenticated,
    403: errors.Forbidden,
    404: errors.NotFound,
    405: errors.Invalid,
    409: errors.Conflict,
    412: errors.MovedOn,
    413: errors.Invalid,
    415: errors.Invalid,
    422: errors.Invalid,
    426: errors.Invalid,
    429: errors.RateLimited,
    500: errors.ServerFault,
    502: errors.Unavailable,
    503: errors.Unavailable,
    504: errors.Unavailable,
}


def kind_of(status: int, code: str) -> type[errors.ProblemError]:
    return KIND_OF_CODE.get(code) or KIND_OF_STATUS.get(status, errors.ProblemError)
