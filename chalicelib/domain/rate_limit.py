"""The rate limit: as many slots as a minute allows starts, and each slot is good for one start in any minute.

However the slots are taken, no sliding minute then holds more starts than there are slots. Taken in turn, start n
comes a minute after start n - limit at the earliest: a full minute's worth may begin at once, and then it flows.
"""

from dataclasses import dataclass
from math import ceil

MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class SlotReservation:
    """A slot, and the moment from which it may be used for the order that booked it.

    ``ahead``: it was not booked in turn but ahead of others, who stand back for it.
    """

    slot: int
    at_ms: int
    ahead: bool = False

    def seconds_from(self, now_ms: int) -> int:
        """How long to wait for it."""
        return max(0, ceil((self.at_ms - now_ms) / 1000))


def next_start(now_ms: int, *used_ms: int | None) -> int:
    """When a slot is free again that is or was used, or booked, at these moments."""
    return max(now_ms, *(at_ms + MINUTE_MS for at_ms in used_ms if at_ms is not None), 0)


def last_due(now_ms: int, booked_ms: int | None) -> int | None:
    """The latest reservation of a slot that is due, of those a minute apart up to the last; there may have been none.

    Only the last is known. What was booked for later than now follows a reservation or a start a minute before it.
    """
    if booked_ms is None:
        return None
    return booked_ms - max(0, ceil((booked_ms - now_ms) / MINUTE_MS)) * MINUTE_MS


def taken_ahead(now_ms: int, booked_ms: int | None, ahead_ms: int | None) -> bool:
    """Whether a high-priority order has used a slot's turn up that nobody had booked: then it is the next slot's turn.

    Urgent ones take the slot that was used longest ago, which is the very one whose turn it is. Who comes after
    them would wait for up to a minute while nearly all slots are free.
    """
    return next_start(now_ms, booked_ms) == now_ms < next_start(now_ms, ahead_ms)
