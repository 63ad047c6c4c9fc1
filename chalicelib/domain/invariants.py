"""The invariants of an order, checked on its data from the orders table, the ledger and Postgres.

This module cannot check I7, that no event reaches another user's socket: a push leaves no trace in stored data.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from chalicelib.domain.errors import IllegalTransitionError
from chalicelib.domain.events import Event
from chalicelib.domain.orders import Order
from chalicelib.domain.spec import OrderSpec
from chalicelib.domain.status import TERMINAL, Status

#: What each invariant requires, in a few words.
TITLES = {
    "I1": "a confirmed order has exactly one swap, the recorded one; no other order has any",
    "I2": "no swap below the minimum output",
    "I3": "no order is stuck",
    "I4": "no gap or duplicate in the events, every transition allowed",
    "I5": "no change after a terminal status",
    "I6": "the history equals the orders",
    "I7": "no event reaches another user",
    "I8": "no cancelled order has a swap",
    "I9": "attempts are consecutive and within the limit",
}
#: The limit of I9, unless a deployment sets another.
MAX_ATTEMPTS = 3
#: Exceptions that replaying a malformed event can raise.
_BAD_EVENT = (IllegalTransitionError, LookupError, TypeError, ValueError, AttributeError, ArithmeticError)


@dataclass(frozen=True, slots=True)
class Swap:
    """A transaction that landed. ``amount_out`` is in base units."""

    signature: str
    order_id: str
    amount_out: int


@dataclass(frozen=True, slots=True)
class HistoryCopy:
    """The history's copy of an order; events as ``(seq, status, attempt)``.

    ``events_since``: the history has dropped the events before this time.
    """

    status: str
    seq: int
    amount_out: int | None
    events: tuple[tuple[int, str, int], ...]
    events_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class RecordedOrder:
    """An order as the history has it."""

    order_id: str
    status: str
    seq: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """The stored data of one order, which may be damaged.

    ``spec`` is ``None`` if it cannot be read, and an event that cannot be read is kept as raw text.
    """

    order_id: str
    spec: OrderSpec | None
    status: str
    seq: int
    events: tuple[Event | str, ...]
    swaps: tuple[Swap, ...] = ()
    deadline_ms: int | None = None
    history: HistoryCopy | None = None


@dataclass(frozen=True, slots=True)
class Violation:
    """``invariant`` is its number, as in ``I1``."""

    invariant: str
    order_id: str
    detail: str


#: A history that recovers from an outage may lag this many times longer than an order may be overdue.
_HISTORY_LAG_FACTOR = 20

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

#: The invariant and the detail of a violation.
_Found = tuple[str, str]


def violations_of(
    evidence: Evidence, now_ms: int, *, overdue_ms: int, max_attempts: int = MAX_ATTEMPTS, history_known: bool = True
) -> tuple[Violation, ...]:
    """The violations of an order. Once a terminal or open order is fully published and recorded, the history must
    match it.

    Never raises, even for damaged data. ``history_known`` is false if the history could not be read.
    """
    order, replay_violations = _replayed(evidence)
    valid_order = None if replay_violations else order
    found = [*replay_violations, *_swaps(evidence, valid_order), *_stuck(evidence, valid_order, now_ms - overdue_ms)]
    if order and order.attempts > max_attempts:
        found.append(("I9", f"{order.attempts} attempts"))
    if valid_order and history_known:
        found += _history(evidence, valid_order, now_ms - _HISTORY_LAG_FACTOR * overdue_ms)
    return tuple(Violation(invariant, evidence.order_id, detail) for invariant, detail in found)


def orphans(swaps: Iterable[Swap], order_ids: Collection[str]) -> tuple[Violation, ...]:
    """Swaps of orders that do not exist."""
    return tuple(
        Violation("I1", one.order_id, f"swap {one.signature} of an order that does not exist")
        for one in swaps
        if one.order_id not in order_ids
    )


def unknown(recorded: Iterable[RecordedOrder], order_ids: Collection[str]) -> tuple[Violation, ...]:
    """Orders of the history that do not exist."""
    return tuple(
        Violation("I6", one.order_id, f"the history has it as {one.status} ({one.seq}), the orders table has not")
        for one in recorded
        if one.order_id not in order_ids
    )


def _replayed(evidence: Evidence) -> tuple[Order | None, list[_Found]]:
    """The order after its valid events, and the violation at which its events stop being valid, if any."""
    if evidence.spec is None:
        return None, [("I4", "its specification cannot be read")]
    order = Order(evidence.order_id, evidence.spec)
    for number, event in enumerate(evidence.events, 1):
        if isinstance(event, str):
            return order, [("I4", f"event {number} cannot be read: {event[:100]}")]
        if order.is_terminal:
            return order, [("I5", f"{event.status} ({event.seq}) after {order.status} ({order.seq})")]
        try:
            if event.attempt not in (order.attempts, order.attempts + 1):
                return order, [("I9", f"attempt {event.attempt} after attempt {order.attempts} (event {number})")]
            order = order.apply(event)
        except IllegalTransitionError as error:
            return order, [("I4", str(error))]
        except _BAD_EVENT as error:
            return order, [("I4", f"event {number} is malformed: {error!r}")]
    if (order.status, order.seq) != (evidence.status, evidence.seq):
        return order, [("I4", f"{evidence.status} ({evidence.seq}), its events say {order.status} ({order.seq})")]
    return order, []


def _swaps(evidence: Evidence, order: Order | None) -> list[_Found]:
    status, swaps = evidence.status, evidence.swaps
    if status == Status.CANCELLED and swaps:
        return [("I8", f"cancelled with {_counted(swaps)}")]
    expected = 1 if status == Status.CONFIRMED else 0
    if len(swaps) > 1 or (status in TERMINAL and len(swaps) != expected):
        return [("I1", f"{status} with {_counted(swaps)}")]
    if order is None or not swaps:
        return []
    [swap] = swaps
    if status == Status.CONFIRMED and swap.signature != order.tx_hash:
        return [("I1", f"confirmed with {order.tx_hash}, but what landed is {swap.signature}")]
    try:
        # The stored minimum and the minimum of the (amended) price limit must both hold.
        minimum = max(order.min_amount_out or 0, order.spec.limit_min_out or 0)
    except _BAD_EVENT as error:
        return [("I4", f"its price limit is malformed: {error!r}")]
    if swap.amount_out < minimum:
        return [("I2", f"{swap.amount_out} came out, less than {minimum}")]
    if status == Status.CONFIRMED and swap.amount_out != order.amount_out:
        return [("I1", f"confirmed with {order.amount_out} out, but what landed is {swap.amount_out}")]
    return []


def _stuck(evidence: Evidence, order: Order | None, latest_ms: int) -> list[_Found]:
    status, due = evidence.status, evidence.deadline_ms
    if status in TERMINAL:
        return []
    if due is None:
        # Every active order has a deadline, and an open order's deadline is at the latest its expiry.
        return [("I3", f"{status} without a deadline")]
    if due < latest_ms:
        return [("I3", f"{status}, overdue since {due} (ms since the epoch)")]
    over = _expiry_ms(order) if status == Status.OPEN else None
    return [("I3", f"open, and expired since {over} (ms since the epoch)")] if over and over < latest_ms else []


def _expiry_ms(order: Order | None) -> int | None:
    """The expiry of an order in milliseconds since the epoch; ``None`` if it never expires, or if its expiry is
    damaged.
    """
    at = order.expires_at if order else None
    return (at - _EPOCH) // timedelta(milliseconds=1) if at and at.tzinfo else None


def _history(evidence: Evidence, order: Order, lag_limit_ms: int) -> list[_Found]:
    copy = evidence.history
    # The history must not hold a terminal status that differs from the order's.
    moved = copy and copy.status in TERMINAL and (copy.status, copy.seq) != (order.current_status, order.seq)
    if copy and (moved or copy.seq > order.seq):
        return [("I5", f"the history is at {copy.status} ({copy.seq}), the order at {order.status} ({order.seq})")]
    due = evidence.deadline_ms
    # The deadline of an open order is its expiry once all events are published and recorded.
    settled = order.status is Status.OPEN and due is not None and due == _expiry_ms(order)
    if copy == copy_of(order, copy.events_since if copy else None) or not (order.is_terminal or settled):
        return []
    if settled or due is None:
        return [("I6", f"the history has {copy}" if copy else "not in the history")]
    return [("I6", f"not in the history, and overdue since {due} (ms since the epoch)")] if due < lag_limit_ms else []


def copy_of(order: Order, events_since: datetime | None = None) -> HistoryCopy:
    """The copy that the history should have of an order, if it has dropped the events before ``events_since``."""
    events = tuple(
        (event.seq, event.status, event.attempt)
        for event in order.events
        if events_since is None or event.at >= events_since
    )
    return HistoryCopy(order.current_status, order.seq, order.amount_out, events, events_since)


def _counted(swaps: Collection[Swap]) -> str:
    return f"{len(swaps)} {'swap' if len(swaps) == 1 else 'swaps'}"
