"""What must always hold of an order (I1 to I9), judged from what orders table, ledger and history show of it.

I7, that no event reaches another user's socket, leaves no trace in stored data and is not judged here.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from chalicelib.domain.errors import IllegalTransitionError
from chalicelib.domain.orders import Event, Order, OrderSpec
from chalicelib.domain.status import TERMINAL, Status

#: I9, where a deployment sets no other.
MAX_ATTEMPTS = 3
#: What an event that is not as the engine writes it makes of a replay.
_BAD_EVENT = (IllegalTransitionError, LookupError, TypeError, ValueError, AttributeError, ArithmeticError)


@dataclass(frozen=True, slots=True)
class Swap:
    """A transaction that landed. ``amount_out`` is in base units."""

    signature: str
    order_id: str
    amount_out: int


@dataclass(frozen=True, slots=True)
class HistoryCopy:
    """What the history holds of an order; events as ``(seq, status, attempt)``."""

    status: str
    seq: int
    amount_out: int | None
    events: tuple[tuple[int, str, int], ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that is known of one order, as it is stored, right or wrong.

    ``spec`` is ``None`` where it cannot be read, and an event that cannot be read is its text.
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


#: A history that was away catches up in its own time: so many times as long as an order may be overdue.
_CATCHING_UP = 20

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

#: A violation before it is known whose it is.
_Found = tuple[str, str]


def violations_of(
    evidence: Evidence, now_ms: int, *, overdue_ms: int, max_attempts: int = MAX_ATTEMPTS, history_known: bool = True
) -> tuple[Violation, ...]:
    """What is wrong with an order. One that ended, or is open, and waits for nobody must be in the history as it is.

    Never raises, whatever is stored. ``history_known`` is false where the history could not be looked at.
    """
    order, broken = _replayed(evidence)
    sound = None if broken else order
    found = [*broken, *_swaps(evidence, sound), *_stuck(evidence, sound, now_ms - overdue_ms)]
    if order and order.attempts > max_attempts:
        found.append(("I9", f"{order.attempts} attempts"))
    if sound and history_known:
        found += _history(evidence, sound, now_ms - _CATCHING_UP * overdue_ms)
    return tuple(Violation(invariant, evidence.order_id, detail) for invariant, detail in found)


def orphans(swaps: Iterable[Swap], order_ids: Collection[str]) -> tuple[Violation, ...]:
    """Swaps of orders that there are not."""
    return tuple(
        Violation("I1", one.order_id, f"swap {one.signature} of an order that is not there")
        for one in swaps
        if one.order_id not in order_ids
    )


def _replayed(evidence: Evidence) -> tuple[Order | None, list[_Found]]:
    """The order as far as its events make one, and what is wrong with them."""
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
            return order, [("I4", f"event {number} is not as it should be: {error!r}")]
    if (order.status, order.seq) != (evidence.status, evidence.seq):
        return order, [("I4", f"{evidence.status} ({evidence.seq}), its events say {order.status} ({order.seq})")]
    return order, []


def _swaps(evidence: Evidence, order: Order | None) -> list[_Found]:
    status, swaps = evidence.status, evidence.swaps
    if status == Status.CANCELLED and swaps:
        return [("I8", f"cancelled with {_counted(swaps)}")]
    if len(swaps) > 1 or (status in TERMINAL and len(swaps) != (status == Status.CONFIRMED)):
        return [("I1", f"{status} with {_counted(swaps)}")]
    if order is None or not swaps:
        return []
    [swap] = swaps
    if status == Status.CONFIRMED and swap.signature != order.tx_hash:
        return [("I1", f"confirmed with {order.tx_hash}, but what landed is {swap.signature}")]
    try:
        # The minimum that was noted, and the one that its price limit (as amended) makes, whoever noted the first.
        least = max(order.min_amount_out or 0, order.spec.limit_min_out or 0)
    except _BAD_EVENT as error:
        return [("I4", f"its price limit is not as it should be: {error!r}")]
    if swap.amount_out < least:
        return [("I2", f"{swap.amount_out} came out, less than {least}")]
    if status == Status.CONFIRMED and swap.amount_out != order.amount_out:
        return [("I1", f"confirmed with {order.amount_out} out, but what landed is {swap.amount_out}")]
    return []


def _stuck(evidence: Evidence, order: Order | None, latest_ms: int) -> list[_Found]:
    status, due = evidence.status, evidence.deadline_ms
    if status in TERMINAL:
        return []
    if due is None:
        # An open order's attention is its expiry, so that there is none that nobody ever comes back to.
        return [("I3", f"{status}, and nobody comes back to it")]
    if due < latest_ms:
        return [("I3", f"{status}, overdue since {due} (ms since the epoch)")]
    over = _expiry_ms(order) if status == Status.OPEN else None
    return [("I3", f"open, and expired since {over} (ms since the epoch)")] if over and over < latest_ms else []


def _expiry_ms(order: Order | None) -> int | None:
    """When an order that waits is over; ``None`` if that is nowhere to be read."""
    at = order.expires_at if order else None
    return (at - _EPOCH) // timedelta(milliseconds=1) if at and at.tzinfo else None


def _history(evidence: Evidence, order: Order, given_up_ms: int) -> list[_Found]:
    copy = evidence.history
    # What had ended by the time it was recorded must stand there still.
    moved = copy and copy.status in TERMINAL and (copy.status, copy.seq) != (order.current_status, order.seq)
    if copy and (moved or copy.seq > order.seq):
        return [("I5", f"the history is at {copy.status} ({copy.seq}), the order at {order.status} ({order.seq})")]
    due = evidence.deadline_ms
    # An open order is left alone until it expires once all of it is told and recorded.
    settled = order.status is Status.OPEN and due is not None and due == _expiry_ms(order)
    if copy == _copy_of(order) or not (order.is_terminal or settled):
        return []
    if settled or due is None:
        return [("I6", f"the history has {copy}" if copy else "not in the history")]
    return [("I6", f"not in the history, and overdue since {due} (ms since the epoch)")] if due < given_up_ms else []


def _copy_of(order: Order) -> HistoryCopy:
    events = tuple((event.seq, event.status, event.attempt) for event in order.events)
    return HistoryCopy(order.current_status, order.seq, order.amount_out, events)


def _counted(swaps: Collection[Swap]) -> str:
    return f"{len(swaps)} {'swap' if len(swaps) == 1 else 'swaps'}"
