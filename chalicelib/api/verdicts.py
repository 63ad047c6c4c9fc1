"""The verdict on a change that an order's state does not allow."""

from typing import TypedDict

from chalicelib.domain.errors import (
    AmendedTooOftenError,
    CancelTooLateError,
    NotAmendableError,
    OrderMovedOnError,
    OrderStateError,
)

_OUTCOMES: dict[type[OrderStateError], str] = {
    CancelTooLateError: "too_late",
    NotAmendableError: "not_open",
    AmendedTooOftenError: "too_often",
    OrderMovedOnError: "moved_on",
}


class Verdict(TypedDict):
    """The reason why the order's state does not allow the change, with its status and event number."""

    outcome: str
    status: str
    seq: int


def verdict_of(error: OrderStateError) -> Verdict:
    return {"outcome": _OUTCOMES[type(error)], "status": error.status.value, "seq": error.seq}
