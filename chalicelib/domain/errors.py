"""What the engine refuses to do, before anything was done.

RefusedError
├── InvalidOrderError        the request breaks the contract; carries every bad field
├── OrderNotFoundError       no such order, or not the caller's
├── IdempotencyConflictError the key was used with another body
├── CancelTooLateError       the order can no longer be cancelled; carries the verdict
├── TooManyOrdersError       more than may be taken in now; says when to come back
│   ├── RateLimitedError     the engine's rate limit is booked out
│   ├── TooManyActiveOrdersError     the user has too many orders on their way
│   └── TooManyOpenOrdersError  the user has too many limit and sniper orders that wait
├── PoolAlreadyLiveError     a sniper order for what is traded already
├── NotAmendableError        the order does not wait, or not any more
├── AmendedTooOftenError     it was changed so often that it has to be replaced
├── MovedOnError             the order is not as it was when the change was made up
└── IllegalTransitionError   a status that may not follow (a bug or a lost race, never a client's fault)
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldError:
    """One bad field: its name on the wire, a stable code and a sentence for a person."""

    field: str
    code: str
    message: str


class RefusedError(Exception):
    """The common root, so that a door can tell a refusal from a bug."""


class InvalidOrderError(RefusedError):
    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__("; ".join(f"{error.field}: {error.message}" for error in errors))
        self.errors = tuple(errors)


class OrderNotFoundError(RefusedError):
    def __init__(self, order_id: str) -> None:
        super().__init__(f"no order {order_id}")
        self.order_id = order_id


class IdempotencyConflictError(RefusedError):
    """The same idempotency key came with a different order."""


class CancelTooLateError(RefusedError):
    """The order's transaction was sent, or the order is over: it stands at ``status``, event number ``seq``."""

    def __init__(self, order_id: str, status: str, seq: int) -> None:
        super().__init__(f"order {order_id} is {status} ({seq})")
        self.order_id = order_id
        self.verdict = {"outcome": "too_late", "status": status, "seq": seq}


class TooManyOrdersError(RefusedError):
    """``retry_after`` is in seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"come back in {retry_after} s")
        self.retry_after = retry_after


class RateLimitedError(TooManyOrdersError):
    """All starts within the horizon are booked."""


class TooManyActiveOrdersError(TooManyOrdersError):
    """One user has as many orders on their way as the engine takes of one user."""


class TooManyOpenOrdersError(TooManyOrdersError):
    """One user has as many waiting orders as the engine keeps for one user."""


class PoolAlreadyLiveError(RefusedError):
    """The mint that a sniper order is to wait for has a pool: it can be bought now."""


class NotAmendableError(RefusedError):
    """The order is not open: it stands at ``status``, event number ``seq``."""

    def __init__(self, order_id: str, status: str, seq: int) -> None:
        super().__init__(f"order {order_id} is {status} ({seq})")
        self.verdict = {"outcome": "not_open", "status": status, "seq": seq}


class AmendedTooOftenError(RefusedError):
    """The order has as many events as an order may have that waits; it can be cancelled and placed anew."""

    def __init__(self, order_id: str, status: str, seq: int) -> None:
        super().__init__(f"order {order_id} is {status} ({seq})")
        self.verdict = {"outcome": "too_often", "status": status, "seq": seq}


class MovedOnError(RefusedError):
    """The order is not at the event number that the change was made for, but at ``seq``, and is ``status``."""

    def __init__(self, order_id: str, status: str, seq: int) -> None:
        super().__init__(f"order {order_id} is {status} ({seq})")
        self.verdict = {"outcome": "moved_on", "status": status, "seq": seq}


class IllegalTransitionError(RefusedError):
    """An event that the status table or the sequence does not allow."""
