"""The slots of the rate limit, the permits of the request rate and the counts of waits, in memory."""

from collections import Counter
from dataclasses import dataclass
from threading import Lock

from chalicelib.domain.rate_limit import (
    MINUTE_MS,
    SlotReservation,
    SlotUse,
    high_priority_slots,
    is_used_up,
    last_due,
    next_start,
    slot_use,
)


@dataclass
class _Slot:
    reserved: int | None = None
    ahead: int | None = None
    spared: int = 0
    started: int | None = None
    starter: str = ""


class FakeRateLimitSlots:
    """``RateLimitSlots`` in memory."""

    def __init__(self, slots: int) -> None:
        self._lock = Lock()
        self._turns = 0
        self._slots = [_Slot() for _ in range(slots)]

    def reserve(self, now_ms: int, latest_ms: int | None = None) -> SlotReservation:
        with self._lock:
            for _ in range(1 + len(self._slots)):
                self._turns += 1
                slot = self._slots[self._turns % len(self._slots)]
                if not is_used_up(now_ms, slot.reserved, slot.ahead):
                    break
            times = [next_start(now_ms, slot.reserved, slot.ahead, slot.started) for slot in self._slots]
            number = self._turns % len(self._slots)
            if latest_ms is not None and times[number] > latest_ms:
                number = times.index(min(times))
            reservation = SlotReservation(number, times[number])
            if latest_ms is None or reservation.at_ms <= latest_ms:
                self._slots[number].reserved = reservation.at_ms
            return reservation

    def reserve_ahead(self, now_ms: int, spare_due: bool = False) -> SlotReservation:
        with self._lock:
            dues = [last_due(now_ms, slot.reserved) if spare_due else None for slot in self._slots]
            times = [
                next_start(now_ms, slot.ahead, slot.started, due) for slot, due in zip(self._slots, dues, strict=True)
            ]
            if not spare_due:
                times = times[: high_priority_slots(len(times))]
            number = times.index(min(times))
            slot, due = self._slots[number], dues[number]
            if not spare_due:
                slot.spared = 0
            elif due is not None and due > max(slot.ahead or 0, slot.started or 0):
                slot.spared = due
            slot.ahead = times[number]
            return SlotReservation(number, times[number], ahead=True)

    def release(self, reservation: SlotReservation) -> None:
        with self._lock:
            slot = self._slots[reservation.slot]
            if reservation.ahead and slot.ahead == reservation.at_ms:
                slot.ahead -= MINUTE_MS
            elif not reservation.ahead and slot.reserved == reservation.at_ms:
                slot.reserved -= MINUTE_MS

    def start(self, reservation: SlotReservation, order_id: str, now_ms: int) -> int:
        with self._lock:
            slot = self._slots[reservation.slot % len(self._slots)]
            mine = slot.starter == order_id and slot.started is not None and slot.started <= now_ms
            first = reservation.ahead or slot.spared >= reservation.at_ms
            at_ms = now_ms if mine else next_start(now_ms, slot.started, None if first else slot.ahead)
            if at_ms == now_ms:
                slot.started, slot.starter = now_ms, order_id
            return at_ms

    def undo_start(self, reservation: SlotReservation, order_id: str, now_ms: int, before_ms: int) -> None:
        with self._lock:
            slot = self._slots[reservation.slot % len(self._slots)]
            if (slot.starter, slot.started) == (order_id, now_ms):
                slot.started = before_ms

    def use(self, now_ms: int) -> SlotUse:
        with self._lock:
            return slot_use(now_ms, ((slot.reserved, slot.ahead, slot.started) for slot in self._slots))


class FakeRequestPermits:
    """``RequestPermits`` in memory. ``down`` makes it fail, and ``writes`` counts the calls."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._taken: dict[tuple[str, int], int] = {}
        self.down = False
        self.writes = 0

    def take(self, user_id: str, began_ms: int, number: int, limit: int) -> bool:
        with self._lock:
            self.writes += 1
            if self.down:
                raise ConnectionError("DynamoDB does not answer")
            taken = self._taken.get((user_id, began_ms), 0)
            if taken >= limit:
                return False
            self._taken[user_id, began_ms] = taken + number
            return True


class FakeWaitCounts:
    """``WaitCounts`` in memory. ``down`` makes the end of a wait fail."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._going_on: Counter[tuple[str, int]] = Counter()
        self.down = False

    def begin(self, counter: str, window: int, most: int) -> bool:
        with self._lock:
            if self._going_on[counter, window] + self._going_on[counter, window - 1] >= most:
                return False
            self._going_on[counter, window] += 1
            return True

    def end(self, counter: str, window: int) -> None:
        with self._lock:
            if self.down:
                raise ConnectionError("DynamoDB does not answer")
            self._going_on[counter, window] = max(0, self._going_on[counter, window] - 1)
