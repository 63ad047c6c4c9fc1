"""What the engine refuses to do, before anything was done.

RefusedError
├── InvalidOrderError        the request breaks the contract; carries every bad field
├── OrderNotFoundError       no such order, or not the caller's
├── IdempotencyConflictError the key was used with another body
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


class IllegalTransitionError(RefusedError):
    """An event that the status table or the sequence does not allow."""
