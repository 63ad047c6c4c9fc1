"""The life of an order as data: which status may follow which, and for which order types."""

from enum import StrEnum


class OrderType(StrEnum):
    MARKET = "market"
    LIMIT = "limit"
    SNIPER = "sniper"


class Status(StrEnum):
    PENDING = "pending"
    OPEN = "open"
    TRIGGERED = "triggered"
    ROUTING = "routing"
    BUILDING = "building"
    SUBMITTED = "submitted"
    CONFIRMED = "confirmed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class Phase(StrEnum):
    """The coarse form of a status, for clients that only want to know how far an order is."""

    QUEUED = "queued"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


PHASES: dict[Status, Phase] = {
    Status.PENDING: Phase.QUEUED,
    Status.OPEN: Phase.QUEUED,
    Status.TRIGGERED: Phase.QUEUED,
    Status.ROUTING: Phase.PROCESSING,
    Status.BUILDING: Phase.PROCESSING,
    Status.SUBMITTED: Phase.PROCESSING,
    Status.CONFIRMED: Phase.COMPLETED,
    Status.FAILED: Phase.FAILED,
    Status.CANCELLED: Phase.CANCELLED,
    Status.EXPIRED: Phase.EXPIRED,
}

TERMINAL = frozenset({Status.CONFIRMED, Status.FAILED, Status.CANCELLED, Status.EXPIRED})

_ALL = frozenset(OrderType)
_WAITING = frozenset({OrderType.LIMIT, OrderType.SNIPER})
_LIMIT = frozenset({OrderType.LIMIT})

#: (from, to) -> the order types that may take the step. What is not listed is refused.
#: ``None`` is the order that does not exist yet.
TRANSITIONS: dict[tuple[Status | None, Status], frozenset[OrderType]] = {
    (None, Status.PENDING): _ALL,
    (Status.PENDING, Status.OPEN): _WAITING,  # the second event of the write that accepts the order
    (Status.PENDING, Status.ROUTING): _ALL,
    (Status.PENDING, Status.CANCELLED): _ALL,
    (Status.PENDING, Status.EXPIRED): _ALL,
    (Status.PENDING, Status.FAILED): _ALL,  # the dead-letter queue gave it up
    (Status.OPEN, Status.OPEN): _WAITING,  # its terms were amended, or a launch did not pass its filters
    (Status.OPEN, Status.TRIGGERED): _WAITING,
    (Status.OPEN, Status.CANCELLED): _WAITING,
    (Status.OPEN, Status.EXPIRED): _WAITING,
    (Status.TRIGGERED, Status.ROUTING): _WAITING,
    (Status.TRIGGERED, Status.OPEN): _WAITING,  # the price left again before anybody took the order up
    (Status.TRIGGERED, Status.CANCELLED): _WAITING,
    (Status.TRIGGERED, Status.EXPIRED): _WAITING,
    (Status.TRIGGERED, Status.FAILED): _WAITING,
    (Status.ROUTING, Status.ROUTING): _ALL,  # the quotes are in, or the next attempt begins
    (Status.ROUTING, Status.BUILDING): _ALL,
    (Status.ROUTING, Status.OPEN): _LIMIT,
    (Status.ROUTING, Status.FAILED): _ALL,
    (Status.ROUTING, Status.CANCELLED): _ALL,
    (Status.ROUTING, Status.EXPIRED): _WAITING,  # who cannot wait again: immediate-or-cancel, and snipers
    (Status.BUILDING, Status.SUBMITTED): _ALL,  # the line that a cancel has to beat
    (Status.BUILDING, Status.ROUTING): _ALL,
    (Status.BUILDING, Status.OPEN): _LIMIT,
    (Status.BUILDING, Status.FAILED): _ALL,
    (Status.BUILDING, Status.CANCELLED): _ALL,
    (Status.SUBMITTED, Status.CONFIRMED): _ALL,
    # Only once the ledger has said that the transaction did not land and no longer can:
    (Status.SUBMITTED, Status.ROUTING): _ALL,
    (Status.SUBMITTED, Status.FAILED): _ALL,
}


def may_follow(order_type: OrderType, before: Status | None, after: Status) -> bool:
    """Whether an order of this type may go from one status to the other."""
    return order_type in TRANSITIONS.get((before, after), frozenset())
