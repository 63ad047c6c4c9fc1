"""Refusals: requests that the engine declines before it acts.

RefusedError
├── BrokenRulesError             the order or its amendment breaks rules that depend on time or on the stored order
├── UnauthenticatedError         the request proves no caller
│   ├── MissingCredentialError   it has no credential
│   ├── InvalidCredentialError   its credential is malformed, forged, unknown or revoked, or it has several
│   └── ExpiredCredentialError   its credential was valid and has expired
├── MissingScopeError            the caller's credential does not grant the scope
├── OrderNotFoundError           no such order, or an order that the caller may not access
├── IdempotencyConflictError     the key was used with another body
├── LimitReachedError            a limit is reached; carries when to try again
│   ├── TooManyRequestsError     the user has sent too many requests
│   ├── TooManyWaitsError        too many requests wait for an event
│   └── TooManyOrdersError       there is no room for another order
│       ├── RateLimitedError         the engine's rate limit is fully reserved
│       ├── TooManyActiveOrdersError the user has too many active orders
│       └── TooManyOpenOrdersError   the user has too many open limit and sniper orders
├── TooManySocketsError          the user has too many open sockets
├── TooManySubscriptionsError    the socket has too many subscriptions
├── TooManyMessagesError         a socket sends messages faster than it may
├── PoolAlreadyLiveError         a sniper order for a mint that is already traded
├── SeqBeyondEndError            the order has no event with this number
├── OrderStateError              the order's status does not allow the change; carries status and seq
│   ├── CancelTooLateError       the transaction was sent, or the order is terminal
│   ├── NotAmendableError        the order is not open
│   ├── AmendedTooOftenError     the order has been amended as often as an order may be
│   └── OrderMovedOnError        the order is not at the seq that the client named
├── ContendedError               other writers kept changing the same item
├── InvalidCursorError           the cursor does not belong to this list
└── IllegalTransitionError       a status that may not follow (a bug or a lost race, never a client's fault)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from chalicelib.domain.status import Status


class Rule(Enum):
    """A rule that a use case checks, beside those that hold for the request alone."""

    EXPIRES_IN_THE_FUTURE = auto()
    EXPIRES_WITHIN_THE_MAX_LIFETIME = auto()
    PRICE_FOR_LIMIT_ORDERS_ONLY = auto()
    PRICE_LEAVES_AN_OUTPUT = auto()
    PRICE_ASKS_WHAT_AN_ACCOUNT_HOLDS = auto()


@dataclass(frozen=True, slots=True)
class BrokenRule:
    """A rule, and the field of the specification that breaks it."""

    field: str
    rule: Rule


class RefusedError(Exception):
    """The common root, by which an entry point distinguishes a refusal from a bug."""


class BrokenRulesError(RefusedError):
    def __init__(self, broken: Sequence[BrokenRule]) -> None:
        super().__init__("; ".join(f"{one.field}: {one.rule.name}" for one in broken))
        self.broken = tuple(broken)


class UnauthenticatedError(RefusedError):
    """The request proves no caller. The kind of error is all that a client may learn of the reason."""


class MissingCredentialError(UnauthenticatedError):
    pass


class InvalidCredentialError(UnauthenticatedError):
    pass


class ExpiredCredentialError(UnauthenticatedError):
    pass


class MissingScopeError(RefusedError):
    def __init__(self, scope: str) -> None:
        super().__init__(f"missing scope {scope}")
        self.scope = scope


class OrderNotFoundError(RefusedError):
    def __init__(self, order_id: str) -> None:
        super().__init__(f"no order {order_id}")
        self.order_id = order_id


class IdempotencyConflictError(RefusedError):
    """The same idempotency key came with a different order."""


class LimitReachedError(RefusedError):
    """A repeat may succeed after ``retry_after`` seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"retry after {retry_after} s")
        self.retry_after = retry_after


class TooManyRequestsError(LimitReachedError):
    """The user has sent as many requests as one user may send in this window."""


class TooManyWaitsError(LimitReachedError):
    """As many requests wait for an event as may wait: of this user, or of all users."""


class TooManyOrdersError(LimitReachedError):
    """There is no room for another order."""


class RateLimitedError(TooManyOrdersError):
    """Every slot of the rate limit is reserved up to the horizon, which is ``horizon_seconds`` away."""

    def __init__(self, retry_after: int, horizon_seconds: int) -> None:
        super().__init__(retry_after)
        self.horizon_seconds = horizon_seconds


class TooManyActiveOrdersError(TooManyOrdersError):
    """The user has as many active orders as one user may have."""


class TooManyOpenOrdersError(TooManyOrdersError):
    """The user has as many open orders as one user may have."""


class TooManySocketsError(RefusedError):
    """The user has as many open sockets as one user may have."""


class TooManySubscriptionsError(RefusedError):
    """The socket has as many subscriptions as one socket may have."""


class TooManyMessagesError(RefusedError):
    """The socket sent more messages in a minute than one socket may send."""


class PoolAlreadyLiveError(RefusedError):
    """The mint of a sniper order already has a pool, so a market order can buy it now."""


class SeqBeyondEndError(RefusedError):
    """The order has events up to ``last_seq`` only."""

    def __init__(self, last_seq: int) -> None:
        super().__init__(f"the last event is {last_seq}")
        self.last_seq = last_seq


class OrderStateError(RefusedError):
    """The order is ``status`` at event number ``seq``, which does not allow the change."""

    def __init__(self, order_id: str, status: Status, seq: int) -> None:
        super().__init__(f"order {order_id} is {status} ({seq})")
        self.order_id = order_id
        self.status = status
        self.seq = seq


class CancelTooLateError(OrderStateError):
    """The order's transaction was sent, or the order is terminal."""


class NotAmendableError(OrderStateError):
    """The order is not open, or its expiry has passed."""


class AmendedTooOftenError(OrderStateError):
    """The order has been amended as often as an order may be; the client can cancel it and place another."""


class OrderMovedOnError(OrderStateError):
    """The order is not at the event number that the client named."""


class ContendedError(RefusedError):
    """Other writers changed the item in every try of a bounded loop. The write had no effect; a retry may succeed."""


class InvalidCursorError(RefusedError):
    """The cursor does not belong to this list."""


class IllegalTransitionError(RefusedError):
    """An event that the status table or the sequence does not allow."""
