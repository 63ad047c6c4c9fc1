"""The slots of the rate limit: taken in turn, each good for one start a minute, and never two."""

from chalicelib.domain.rate import MINUTE_MS, Booking
from chalicelib.ports import StartSlots
from tests.contract.stores.conftest import SLOTS
from tests.contract.stores.racing import race

NOW = 1_800_000_000_000


def test_a_minutes_worth_may_start_at_once_and_the_rest_a_minute_after_the_first(starts: StartSlots) -> None:
    times = [starts.book(NOW + n).at_ms for n in range(2 * SLOTS + 1)]
    first = [NOW + n for n in range(SLOTS)]
    assert times == [*first, *(at + MINUTE_MS for at in first), NOW + 2 * MINUTE_MS]


def test_a_slot_that_was_used_long_ago_is_free_at_once(starts: StartSlots) -> None:
    for _ in range(SLOTS):
        starts.book(NOW)
    assert starts.book(NOW + MINUTE_MS).at_ms == NOW + MINUTE_MS


def test_a_booking_beyond_the_horizon_takes_no_place(starts: StartSlots) -> None:
    for _ in range(SLOTS):
        starts.book(NOW)
    refused = [starts.book(NOW, latest_ms=NOW).at_ms for _ in range(2 * SLOTS)]
    assert refused == [NOW + MINUTE_MS] * 2 * SLOTS
    assert starts.book(NOW).at_ms == NOW + MINUTE_MS


def test_what_is_given_back_is_free_again(starts: StartSlots) -> None:
    bookings = [starts.book(NOW) for _ in range(SLOTS)]
    for booking in bookings:
        starts.give_back(booking)
    assert [starts.book(NOW + 1).at_ms for _ in range(SLOTS)] == [NOW + 1] * SLOTS


def test_a_booking_is_not_given_back_under_a_later_one(starts: StartSlots) -> None:
    first = [starts.book(NOW) for _ in range(SLOTS)]
    for _ in range(SLOTS):
        starts.book(NOW)
    starts.give_back(first[0])
    assert {starts.book(NOW).at_ms for _ in range(SLOTS)} == {NOW + 2 * MINUTE_MS}


def test_a_late_start_puts_the_next_one_in_its_slot_off(starts: StartSlots) -> None:
    late = NOW + 25_000
    assert starts.start(Booking(0, NOW), "one", late) == late
    assert starts.start(Booking(0, NOW + MINUTE_MS), "two", NOW + MINUTE_MS) == late + MINUTE_MS
    assert starts.start(Booking(0, NOW + MINUTE_MS), "two", late + MINUTE_MS) == late + MINUTE_MS


def test_bookings_know_of_late_starts(starts: StartSlots) -> None:
    bookings = [starts.book(NOW) for _ in range(SLOTS)]
    for booking in bookings:
        starts.start(booking, f"order-{booking.slot}", NOW + 40_000)
    assert starts.book(NOW + 50_000).at_ms == NOW + 40_000 + MINUTE_MS


def test_an_order_whose_worker_was_lost_starts_again_in_its_own_slot(starts: StartSlots) -> None:
    starts.start(Booking(0, NOW), "one", NOW)
    assert starts.start(Booking(0, NOW), "one", NOW + 5_000) == NOW + 5_000
    assert starts.start(Booking(0, NOW), "two", NOW + MINUTE_MS) == NOW + 5_000 + MINUTE_MS


def test_an_urgent_order_goes_before_what_was_booked_but_not_over_the_limit(starts: StartSlots) -> None:
    for _ in range(5 * SLOTS):
        starts.book(NOW)
    ahead = [starts.book_first(NOW + n) for n in range(SLOTS + 1)]
    assert [booking.at_ms for booking in ahead] == [*(NOW + n for n in range(SLOTS)), NOW + MINUTE_MS]
    assert len({booking.slot for booking in ahead}) == SLOTS
    for booking in ahead[:SLOTS]:
        assert starts.start(booking, f"urgent-{booking.slot}", booking.at_ms) == booking.at_ms
    # Who had booked the slot that the last one waits for stands back for it.
    last = ahead[-1]
    assert starts.start(Booking(last.slot, NOW), "normal", last.at_ms) == last.at_ms + MINUTE_MS
    assert starts.start(last, "last", last.at_ms) == last.at_ms


def test_after_urgent_ones_the_next_waits_for_nothing_while_a_slot_is_free(starts: StartSlots) -> None:
    for n in range(SLOTS - 1):
        urgent = starts.book_first(NOW + n)
        starts.start(urgent, f"urgent-{n}", NOW + n)
    assert starts.book(NOW + 5_000).at_ms == NOW + 5_000
    assert starts.book(NOW + 5_000).at_ms > NOW + 5_000


def test_who_is_to_spare_what_is_due_goes_before_the_rest_only(starts: StartSlots) -> None:
    due, later, _ = ([starts.book(NOW) for _ in range(SLOTS)] for _ in range(3))
    modest = [starts.book_first(NOW + 600, spare_due=True) for _ in range(SLOTS)]
    assert [booking.at_ms for booking in modest] == [NOW + MINUTE_MS] * SLOTS
    assert len({booking.slot for booking in modest}) == SLOTS
    # Another minute's worth behind them takes nothing from those that are due either.
    assert starts.book_first(NOW + 700, spare_due=True).at_ms == NOW + 2 * MINUTE_MS
    for booking in due:
        assert starts.start(booking, f"due-{booking.slot}", NOW + 4_000) == NOW + 4_000
    assert {starts.start(booking, "later", booking.at_ms + 4_000) for booking in later} == {
        NOW + 2 * MINUTE_MS,
        NOW + 3 * MINUTE_MS,
    }
    first = modest[0]
    assert starts.start(first, "modest", first.at_ms + 4_000) == first.at_ms + 4_000


def test_what_is_due_and_never_begins_is_spared_for_a_minute(starts: StartSlots) -> None:
    for _ in range(SLOTS):
        starts.book(NOW)
    assert starts.book_first(NOW + MINUTE_MS, spare_due=True).at_ms == NOW + MINUTE_MS


def test_a_slot_whose_booking_began_or_is_not_due_yet_is_free_as_ever(starts: StartSlots) -> None:
    for booking in [starts.book(NOW) for _ in range(SLOTS)]:
        starts.book(NOW)
        starts.start(booking, f"order-{booking.slot}", NOW + booking.slot)
    assert starts.book_first(NOW + 600, spare_due=True) == Booking(0, NOW + MINUTE_MS, ahead=True)


def test_an_urgent_order_goes_before_what_is_due_and_was_spared(starts: StartSlots) -> None:
    due = [starts.book(NOW) for _ in range(SLOTS)]
    for _ in range(SLOTS):
        starts.book_first(NOW, spare_due=True)
    urgent = starts.book_first(NOW + 600)
    [displaced] = [booking for booking in due if booking.slot == urgent.slot]
    assert starts.start(displaced, "displaced", NOW + 700) > NOW + MINUTE_MS


def test_many_who_book_at_once_share_no_place(starts: StartSlots) -> None:
    bookings = race(lambda _: starts.book(NOW), 4 * SLOTS)
    assert len(set(bookings)) == 4 * SLOTS
    assert sorted(booking.at_ms for booking in bookings) == [NOW + n // SLOTS * MINUTE_MS for n in range(4 * SLOTS)]


def test_many_who_start_at_once_in_one_slot_are_one(starts: StartSlots) -> None:
    times = race(lambda number: starts.start(Booking(1, NOW), f"order-{number}", NOW), 8)
    assert sorted(times) == [NOW, *[NOW + MINUTE_MS] * 7]


def test_many_urgent_ones_at_once_share_no_place(starts: StartSlots) -> None:
    bookings = race(lambda _: starts.book_first(NOW), 2 * SLOTS)
    assert len(set(bookings)) == 2 * SLOTS
    assert sorted(booking.at_ms for booking in bookings) == [NOW] * SLOTS + [NOW + MINUTE_MS] * SLOTS
