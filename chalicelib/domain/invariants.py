"""What must always hold of an order, judged from what the orders table, the ledger and the history show of it."""

from dataclasses import dataclass

from chalicelib.domain.errors import IllegalTransitionError
from chalicelib.domain.orders import Event, Order, OrderSpec
from chalicelib.domain.status import TERMINAL, Status


@dataclass(frozen=True, slots=True)
class Swap:
    """A transaction that landed. ``amount_out`` is in base units."""

    signature: str
    order_id: str
    amount_out: int


@dataclass(frozen=True, slots=True)
class HistoryCopy:
    """What the history holds of an order; events as ``(seq, status, attempt)``."""

    status: Status
    seq: int
    amount_out: int | None
    events: tuple[tuple[int, Status, int], ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that is known of one order."""

    order_id: str
    spec: OrderSpec
    status: Status
    seq: int
    events: tuple[Event, ...]
    swaps: tuple[Swap, ...] = ()
    attention_at_ms: int | None = None
    history: HistoryCopy | None = None


@dataclass(frozen=True, slots=True)
class Violation:
    """``invariant`` is its number, as in ``I1``."""

    invariant: str
    order_id: str
    detail: str


def violations_of(
    evidence: Evidence, now_ms: int, *, overdue_ms: int, max_attempts: int = 3
) -> tuple[Violation, ...]:
    """What is wrong with an order. One that ended and waits for nobody must be in the history as it is."""
    found: list[tuple[str, str]] = []
    status, swaps, due = evidence.status, len(evidence.swaps), evidence.attention_at_ms
    if swaps > 1 or (status in TERMINAL and swaps != (status is Status.CONFIRMED)):
        found.append(("I1", f"{status} with {swaps} swaps"))
    if status not in TERMINAL and (due is None or due + overdue_ms < now_ms):
        found.append(("I3", f"{status}, and nobody comes back to it"))
    try:
        order = Order.replayed(evidence.order_id, evidence.spec, evidence.events)
    except IllegalTransitionError as error:
        found.append(("I4", str(error)))
    else:
        if (order.status, order.seq) != (status, evidence.seq):
            found.append(("I4", f"{status} ({evidence.seq}), its events say {order.status} ({order.seq})"))
        least = order.min_amount_out or 0
        found += [
            ("I2", f"{one.amount_out} is less than {least}") for one in evidence.swaps if one.amount_out < least
        ]
        if order.attempts > max_attempts:
            found.append(("I9", f"{order.attempts} attempts"))
        if status in TERMINAL and due is None and evidence.history != _copy_of(order):
            found.append(("I6", f"the history has {evidence.history}"))
    return tuple(Violation(invariant, evidence.order_id, detail) for invariant, detail in found)


def _copy_of(order: Order) -> HistoryCopy:
    events = tuple((event.seq, event.status, event.attempt) for event in order.events)
    return HistoryCopy(order.standing, order.seq, order.amount_out, events)
