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
    """The coarse form of a status, for clients that need no details."""

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

#: (from, to) -> the order types that may take the step. The engine refuses every other step.
#: ``None`` is the status before an order exists.
TRANSITIONS: dict[tuple[Status | None, Status], frozenset[OrderType]] = {
    (None, Status.PENDING): _ALL,
    (Status.PENDING, Status.OPEN): _WAITING,  # the second event of the write that accepts the order
    (Status.PENDING, Status.ROUTING): _ALL,
    (Status.PENDING, Status.CANCELLED): _ALL,
    (Status.PENDING, Status.EXPIRED): _ALL,
    (Status.PENDING, Status.FAILED): _ALL,  # the queue gave the order up
    (Status.OPEN, Status.OPEN): _WAITING,  # amended, or refused a launch
    (Status.OPEN, Status.TRIGGERED): _WAITING,
    (Status.OPEN, Status.CANCELLED): _WAITING,
    (Status.OPEN, Status.EXPIRED): _WAITING,
    (Status.TRIGGERED, Status.ROUTING): _WAITING,
    (Status.TRIGGERED, Status.OPEN): _WAITING,  # the price moved away before a worker leased the order
    (Status.TRIGGERED, Status.CANCELLED): _WAITING,
    (Status.TRIGGERED, Status.EXPIRED): _WAITING,
    (Status.TRIGGERED, Status.FAILED): _WAITING,
    (Status.ROUTING, Status.ROUTING): _ALL,  # quotes received, or the next attempt begins
    (Status.ROUTING, Status.BUILDING): _ALL,
    (Status.ROUTING, Status.OPEN): _LIMIT,
    (Status.ROUTING, Status.FAILED): _ALL,
    (Status.ROUTING, Status.CANCELLED): _ALL,
    (Status.ROUTING, Status.EXPIRED): _WAITING,  # orders that cannot wait again: immediate-or-cancel, and snipers
    (Status.BUILDING, Status.SUBMITTED): _ALL,  # the write that a cancel has to beat
    (Status.BUILDING, Status.ROUTING): _ALL,
    (Status.BUILDING, Status.OPEN): _LIMIT,
    (Status.BUILDING, Status.FAILED): _ALL,
    (Status.BUILDING, Status.CANCELLED): _ALL,
    (Status.SUBMITTED, Status.CONFIRMED): _ALL,
    # Only once the ledger has voided the transaction, so that it can no longer land:
    (Status.SUBMITTED, Status.ROUTING): _ALL,
    (Status.SUBMITTED, Status.FAILED): _ALL,
}


def may_follow(order_type: OrderType, before: Status | None, after: Status) -> bool:
    """True if an order of this type may go from one status to the other."""
    return order_type in TRANSITIONS.get((before, after), frozenset())
