"""The refusals of the use cases in the words of the contract."""

from dataclasses import dataclass

from chalicelib.api.codes import FieldCode, ProblemCode
from chalicelib.domain import errors
from chalicelib.domain.conditions import MAX_AMENDMENTS, MAX_ORDER_LIFETIME
from chalicelib.domain.errors import Rule
from chalicelib.ports.history import HistoryUnavailableError


@dataclass(frozen=True, slots=True)
class Refusal:
    """The problem of a refusal.

    The detail may name ``{status}`` and ``{seq}`` of the verdict, and the ``{horizon}`` of the rate limit.
    """

    status: int
    code: ProblemCode
    title: str
    detail: str


_TOO_MANY = "Too many orders"
_UNAUTHORIZED = "Unauthorized"
REFUSALS: dict[type[Exception], Refusal] = {
    errors.MissingCredentialError: Refusal(
        401,
        ProblemCode.MISSING_CREDENTIAL,
        _UNAUTHORIZED,
        "The request needs a credential: Authorization: Bearer, and an API key or a token.",
    ),
    errors.InvalidCredentialError: Refusal(
        401, ProblemCode.INVALID_CREDENTIAL, _UNAUTHORIZED, "The credential is not valid."
    ),
    errors.ExpiredCredentialError: Refusal(
        401, ProblemCode.EXPIRED_CREDENTIAL, _UNAUTHORIZED, "The credential has expired."
    ),
    errors.OrderNotFoundError: Refusal(
        404, ProblemCode.ORDER_NOT_FOUND, "Order not found", "There is no order with this id."
    ),
    errors.IdempotencyConflictError: Refusal(
        422,
        ProblemCode.IDEMPOTENCY_KEY_REUSED,
        "Idempotency key reused",
        "This idempotency key was used with a different order before.",
    ),
    errors.PoolAlreadyLiveError: Refusal(
        409,
        ProblemCode.POOL_ALREADY_LIVE,
        "Pool already live",
        "A pool of this mint is open already, so there is no launch to wait for.",
    ),
    errors.CancelTooLateError: Refusal(
        409,
        ProblemCode.CANCEL_TOO_LATE,
        "Too late to cancel",
        "The order is {status} and can no longer be cancelled.",
    ),
    errors.NotAmendableError: Refusal(
        409, ProblemCode.NOT_AMENDABLE, "Order not open", "The order is {status}; only open orders can be amended."
    ),
    errors.AmendedTooOftenError: Refusal(
        409,
        ProblemCode.AMENDED_TOO_OFTEN,
        "Amended too often",
        f"The order has been amended {MAX_AMENDMENTS} times. Cancel it and place another.",
    ),
    errors.OrderMovedOnError: Refusal(
        412, ProblemCode.ORDER_MOVED_ON, "Order moved on", "The order is now {status} and at seq {seq}."
    ),
    errors.TooManyRequestsError: Refusal(
        429,
        ProblemCode.TOO_MANY_REQUESTS,
        "Too many requests",
        "You have sent too many requests. Nothing was done; try again later.",
    ),
    errors.TooManyWaitsError: Refusal(
        429,
        ProblemCode.TOO_MANY_WAITS,
        "Too many waits",
        "Too many requests wait for an event. Ask without wait, or open a WebSocket.",
    ),
    errors.RateLimitedError: Refusal(
        429,
        ProblemCode.RATE_LIMITED,
        _TOO_MANY,
        "The rate limit is booked for the next {horizon}. Nothing was accepted; try again later.",
    ),
    errors.TooManyActiveOrdersError: Refusal(
        429,
        ProblemCode.BACKLOG_FULL,
        _TOO_MANY,
        "You have too many active orders. Nothing was accepted; try again later.",
    ),
    errors.TooManyOpenOrdersError: Refusal(
        429,
        ProblemCode.OPEN_ORDERS_FULL,
        _TOO_MANY,
        "You have too many open limit and sniper orders. Nothing was accepted; try again later.",
    ),
    errors.TooManySocketsError: Refusal(
        429, ProblemCode.TOO_MANY_SOCKETS, "Too many sockets", "You have too many open sockets. Close one."
    ),
    errors.TooManySubscriptionsError: Refusal(
        429,
        ProblemCode.TOO_MANY_SUBSCRIPTIONS,
        "Too many subscriptions",
        "This socket has too many subscriptions. Unsubscribe from one, or follow the user.",
    ),
    errors.TooManyMessagesError: Refusal(
        429,
        ProblemCode.TOO_MANY_REQUESTS,
        "Too many messages",
        "This socket sends too many messages, and is closed.",
    ),
    errors.ContendedError: Refusal(
        503,
        ProblemCode.UNAVAILABLE,
        "Unavailable",
        "Too many requests change the same data at this moment. Nothing was changed; try again.",
    ),
    HistoryUnavailableError: Refusal(
        503,
        ProblemCode.HISTORY_UNAVAILABLE,
        "History unavailable",
        "The order history cannot be read now. Single orders can.",
    ),
}

#: The fields of a specification by their names on the wire.
WIRE_NAMES = {"limit_price": "limitPrice", "expires_at": "expiresAt"}
RULES: dict[Rule, tuple[FieldCode, str]] = {
    Rule.EXPIRES_IN_THE_FUTURE: (FieldCode.EXPIRY_PAST, "must be in the future"),
    Rule.EXPIRES_WITHIN_THE_MAX_LIFETIME: (
        FieldCode.EXPIRY_TOO_FAR,
        f"may be at most {MAX_ORDER_LIFETIME.days} days after the order was placed",
    ),
    Rule.PRICE_FOR_LIMIT_ORDERS_ONLY: (FieldCode.NOT_FOR_TYPE, "is for type limit"),
    Rule.PRICE_LEAVES_AN_OUTPUT: (FieldCode.PRICE_OUT_OF_REACH, "the output would be zero at this price"),
    Rule.PRICE_ASKS_WHAT_AN_ACCOUNT_HOLDS: (
        FieldCode.PRICE_OUT_OF_REACH,
        "the output would be 2^64 base units or more at this price, which no account can hold",
    ),
}
