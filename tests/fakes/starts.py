"""The rate limit's slots in memory."""

from dataclasses import dataclass
from threading import Lock

from chalicelib.domain.rate import MINUTE_MS, Booking, last_due, next_start, taken_ahead


@dataclass
class _Slot:
    booked: int | None = None
    ahead: int | None = None
    spared: int = 0
    started: int | None = None
    starter: str = ""


class FakeStartSlots:
    """``StartSlots`` in memory."""

    def __init__(self, slots: int) -> None:
        self._lock = Lock()
        self._turns = 0
        self._slots = [_Slot() for _ in range(slots)]

    def book(self, now_ms: int, latest_ms: int | None = None) -> Booking:
        with self._lock:
            for _ in range(1 + len(self._slots)):
                self._turns += 1
                slot = self._slots[self._turns % len(self._slots)]
                if not taken_ahead(now_ms, slot.booked, slot.ahead):
                    break
            times = [next_start(now_ms, slot.booked, slot.ahead, slot.started) for slot in self._slots]
            number = self._turns % len(self._slots)
            if latest_ms is not None and times[number] > latest_ms:
                number = times.index(min(times))
            booking = Booking(number, times[number])
            if latest_ms is None or booking.at_ms <= latest_ms:
                self._slots[number].booked = booking.at_ms
            return booking

    def book_first(self, now_ms: int, spare_due: bool = False) -> Booking:
        with self._lock:
            dues = [last_due(now_ms, slot.booked) if spare_due else None for slot in self._slots]
            times = [
                next_start(now_ms, slot.ahead, slot.started, due) for slot, due in zip(self._slots, dues, strict=True)
            ]
            number = times.index(min(times))
            slot, due = self._slots[number], dues[number]
            if not spare_due:
                slot.spared = 0
            elif due is not None and due > max(slot.ahead or 0, slot.started or 0):
                slot.spared = due
            slot.ahead = times[number]
            return Booking(number, times[number], ahead=True)

    def give_back(self, booking: Booking) -> None:
        with self._lock:
            slot = self._slots[booking.slot]
            if booking.ahead and slot.ahead == booking.at_ms:
                slot.ahead -= MINUTE_MS
            elif not booking.ahead and slot.booked == booking.at_ms:
                slot.booked -= MINUTE_MS

    def start(self, booking: Booking, order_id: str, now_ms: int) -> int:
        with self._lock:
            slot = self._slots[booking.slot % len(self._slots)]
            mine = slot.starter == order_id and slot.started is not None and slot.started <= now_ms
            first = booking.ahead or slot.spared >= booking.at_ms
            at_ms = now_ms if mine else next_start(now_ms, slot.started, None if first else slot.ahead)
            if at_ms == now_ms:
                slot.started, slot.starter = now_ms, order_id
            return at_ms
