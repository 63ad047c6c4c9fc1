"""The rate limit: as many slots as orders may start in a minute, and each slot serves one start per minute.

However orders take the slots, no sliding minute then holds more starts than there are slots. Orders take slots in
turn, so start n comes at least a minute after start n - limit: a full minute's worth may begin at once, and then it
flows.

An example with two slots a minute and orders A to D at 12:00:00: A reserves slot 0 and B slot 1 for 12:00:00, C slot
0 and D slot 1 for 12:01:00. If the message of A arrives at 12:00:20, A starts then, and C may start at 12:01:20.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil

MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class SlotReservation:
    """A slot, and the moment from which the order that reserved it may start.

    ``ahead``: the reservation was made ahead of the slot's turn, and reservations in turn yield to it.
    """

    slot: int
    at_ms: int
    ahead: bool = False

    def seconds_from(self, now_ms: int) -> int:
        """Whole seconds until the order may start."""
        return max(0, ceil((self.at_ms - now_ms) / 1000))


@dataclass(frozen=True, slots=True)
class SlotUse:
    """``started`` starts of the last minute, and ``reserved`` starts that are reserved for later.

    ``next_ms``: the first of these, in milliseconds since the epoch; ``None`` without any. A cancelled order may
    leave its reservation behind.
    """

    started: int = 0
    reserved: int = 0
    next_ms: int | None = None


def high_priority_slots(slots: int) -> int:
    """How many of the slots, the first ones, high-priority orders may take ahead of turn: four fifths.

    The others keep normal orders moving, however many orders have a high priority.
    """
    return ceil(slots * 4 / 5)


def next_start(now_ms: int, *used_ms: int | None) -> int:
    """The earliest start in a slot that was or will be used at these moments, in milliseconds since the epoch."""
    return max(now_ms, *(at_ms + MINUTE_MS for at_ms in used_ms if at_ms is not None), 0)


def future_reservations(now_ms: int, reserved_ms: int | None) -> int:
    """How many reservations in turn of a slot are in the future, given its last one.

    A reservation in the future follows another use of the slot one minute before it.
    """
    return 0 if reserved_ms is None else max(0, ceil((reserved_ms - now_ms) / MINUTE_MS))


def last_due(now_ms: int, reserved_ms: int | None) -> int | None:
    """The latest reservation of a slot that is due, given its last reservation; ``None`` without reservations.

    A slot stores its last reservation alone.
    """
    return None if reserved_ms is None else reserved_ms - future_reservations(now_ms, reserved_ms) * MINUTE_MS


def slot_use(now_ms: int, slots: Iterable[tuple[int | None, int | None, int | None]]) -> SlotUse:
    """The use of slots, given the times of each one's last reservation in turn, last one ahead, and last start."""
    started, reserved, nexts = 0, 0, list[int]()
    for in_turn_ms, ahead_ms, started_ms in slots:
        started += started_ms is not None and started_ms > now_ms - MINUTE_MS
        in_turn = future_reservations(now_ms, in_turn_ms)
        if in_turn_ms is not None and in_turn:
            reserved += in_turn
            nexts.append(in_turn_ms - (in_turn - 1) * MINUTE_MS)
        if ahead_ms is not None and ahead_ms > now_ms and not _is_followed(ahead_ms, in_turn_ms):
            reserved += 1
            nexts.append(ahead_ms)
    return SlotUse(started, reserved, min(nexts, default=None))


def _is_followed(ahead_ms: int, in_turn_ms: int | None) -> bool:
    """Whether a reservation ahead is among the uses that the reservations in turn of its slot follow."""
    return in_turn_ms is not None and ahead_ms <= in_turn_ms and (in_turn_ms - ahead_ms) % MINUTE_MS == 0


def is_used_up(now_ms: int, reserved_ms: int | None, ahead_ms: int | None) -> bool:
    """True if a high-priority order used a turn of the slot that no order had reserved, so the next slot is in turn.

    High-priority orders take the slot that was used longest ago, which is the slot in turn. Without this rule the
    next order in turn would wait up to a minute for it while nearly all slots are free.
    """
    unreserved = next_start(now_ms, reserved_ms) <= now_ms
    is_taken = next_start(now_ms, ahead_ms) > now_ms
    return unreserved and is_taken
