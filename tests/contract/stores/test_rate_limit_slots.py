"""The slots of the rate limit: taken in turn, each good for one start a minute, and never two."""

from chalicelib.domain.rate_limit import MINUTE_MS, SlotReservation
from chalicelib.ports.rate_limit import RateLimitSlots
from tests.contract.stores.conftest import SLOTS
from tests.contract.stores.racing import race

NOW = 1_800_000_000_000


def test_a_minutes_worth_may_start_at_once_and_the_rest_a_minute_after_the_first(starts: RateLimitSlots) -> None:
    times = [starts.reserve(NOW + n).at_ms for n in range(2 * SLOTS + 1)]
    first = [NOW + n for n in range(SLOTS)]
    assert times == [*first, *(at + MINUTE_MS for at in first), NOW + 2 * MINUTE_MS]


def test_a_slot_that_was_used_long_ago_is_free_at_once(starts: RateLimitSlots) -> None:
    for _ in range(SLOTS):
        starts.reserve(NOW)
    assert starts.reserve(NOW + MINUTE_MS).at_ms == NOW + MINUTE_MS


def test_a_booking_beyond_the_horizon_takes_no_place(starts: RateLimitSlots) -> None:
    for _ in range(SLOTS):
        starts.reserve(NOW)
    refused = [starts.reserve(NOW, latest_ms=NOW).at_ms for _ in range(2 * SLOTS)]
    assert refused == [NOW + MINUTE_MS] * 2 * SLOTS
    assert starts.reserve(NOW).at_ms == NOW + MINUTE_MS


def test_what_is_given_back_is_free_again(starts: RateLimitSlots) -> None:
    bookings = [starts.reserve(NOW) for _ in range(SLOTS)]
    for reservation in bookings:
        starts.release(reservation)
    assert [starts.reserve(NOW + 1).at_ms for _ in range(SLOTS)] == [NOW + 1] * SLOTS


def test_a_booking_is_not_given_back_under_a_later_one(starts: RateLimitSlots) -> None:
    first = [starts.reserve(NOW) for _ in range(SLOTS)]
    for _ in range(SLOTS):
        starts.reserve(NOW)
    starts.release(first[0])
    assert {starts.reserve(NOW).at_ms for _ in range(SLOTS)} == {NOW + 2 * MINUTE_MS}


def test_a_late_start_puts_the_next_one_in_its_slot_off(starts: RateLimitSlots) -> None:
    late = NOW + 25_000
    assert starts.start(SlotReservation(0, NOW), "one", late) == late
    assert starts.start(SlotReservation(0, NOW + MINUTE_MS), "two", NOW + MINUTE_MS) == late + MINUTE_MS
    assert starts.start(SlotReservation(0, NOW + MINUTE_MS), "two", late + MINUTE_MS) == late + MINUTE_MS


def test_bookings_know_of_late_starts(starts: RateLimitSlots) -> None:
    bookings = [starts.reserve(NOW) for _ in range(SLOTS)]
    for reservation in bookings:
        starts.start(reservation, f"order-{reservation.slot}", NOW + 40_000)
    assert starts.reserve(NOW + 50_000).at_ms == NOW + 40_000 + MINUTE_MS


def test_an_order_whose_worker_was_lost_starts_again_in_its_own_slot(starts: RateLimitSlots) -> None:
    starts.start(SlotReservation(0, NOW), "one", NOW)
    assert starts.start(SlotReservation(0, NOW), "one", NOW + 5_000) == NOW + 5_000
    assert starts.start(SlotReservation(0, NOW), "two", NOW + MINUTE_MS) == NOW + 5_000 + MINUTE_MS


def test_an_urgent_order_goes_before_what_was_booked_but_not_over_the_limit(starts: RateLimitSlots) -> None:
    for _ in range(5 * SLOTS):
        starts.reserve(NOW)
    ahead = [starts.reserve_ahead(NOW + n) for n in range(SLOTS + 1)]
    assert [reservation.at_ms for reservation in ahead] == [*(NOW + n for n in range(SLOTS)), NOW + MINUTE_MS]
    assert len({reservation.slot for reservation in ahead}) == SLOTS
    for reservation in ahead[:SLOTS]:
        assert starts.start(reservation, f"high_priority-{reservation.slot}", reservation.at_ms) == reservation.at_ms
    # Who had booked the slot that the last one waits for stands back for it.
    last = ahead[-1]
    assert starts.start(SlotReservation(last.slot, NOW), "normal", last.at_ms) == last.at_ms + MINUTE_MS
    assert starts.start(last, "last", last.at_ms) == last.at_ms


def test_after_urgent_ones_the_next_waits_for_nothing_while_a_slot_is_free(starts: RateLimitSlots) -> None:
    for n in range(SLOTS - 1):
        high_priority = starts.reserve_ahead(NOW + n)
        starts.start(high_priority, f"high_priority-{n}", NOW + n)
    assert starts.reserve(NOW + 5_000).at_ms == NOW + 5_000
    assert starts.reserve(NOW + 5_000).at_ms > NOW + 5_000


def test_who_is_to_spare_what_is_due_goes_before_the_rest_only(starts: RateLimitSlots) -> None:
    due, later, _ = ([starts.reserve(NOW) for _ in range(SLOTS)] for _ in range(3))
    modest = [starts.reserve_ahead(NOW + 600, spare_due=True) for _ in range(SLOTS)]
    assert [reservation.at_ms for reservation in modest] == [NOW + MINUTE_MS] * SLOTS
    assert len({reservation.slot for reservation in modest}) == SLOTS
    # Another minute's worth behind them takes nothing from those that are due either.
    assert starts.reserve_ahead(NOW + 700, spare_due=True).at_ms == NOW + 2 * MINUTE_MS
    for reservation in due:
        assert starts.start(reservation, f"due-{reservation.slot}", NOW + 4_000) == NOW + 4_000
    assert {starts.start(reservation, "later", reservation.at_ms + 4_000) for reservation in later} == {
        NOW + 2 * MINUTE_MS,
        NOW + 3 * MINUTE_MS,
    }
    first = modest[0]
    assert starts.start(first, "modest", first.at_ms + 4_000) == first.at_ms + 4_000


def test_what_is_due_and_never_begins_is_spared_run_for_a_minute(starts: RateLimitSlots) -> None:
    for _ in range(SLOTS):
        starts.reserve(NOW)
    assert starts.reserve_ahead(NOW + MINUTE_MS, spare_due=True).at_ms == NOW + MINUTE_MS


def test_a_slot_whose_booking_began_or_is_not_due_yet_is_free_as_ever(starts: RateLimitSlots) -> None:
    for reservation in [starts.reserve(NOW) for _ in range(SLOTS)]:
        starts.reserve(NOW)
        starts.start(reservation, f"order-{reservation.slot}", NOW + reservation.slot)
    assert starts.reserve_ahead(NOW + 600, spare_due=True) == SlotReservation(0, NOW + MINUTE_MS, ahead=True)


def test_an_urgent_order_goes_before_what_is_due_and_was_spared(starts: RateLimitSlots) -> None:
    due = [starts.reserve(NOW) for _ in range(SLOTS)]
    for _ in range(SLOTS):
        starts.reserve_ahead(NOW, spare_due=True)
    high_priority = starts.reserve_ahead(NOW + 600)
    [displaced] = [reservation for reservation in due if reservation.slot == high_priority.slot]
    assert starts.start(displaced, "displaced", NOW + 700) > NOW + MINUTE_MS


def test_many_who_book_at_once_share_no_place(starts: RateLimitSlots) -> None:
    bookings = race(lambda _: starts.reserve(NOW), 4 * SLOTS)
    assert len(set(bookings)) == 4 * SLOTS
    assert sorted(reservation.at_ms for reservation in bookings) == [
        NOW + n // SLOTS * MINUTE_MS for n in range(4 * SLOTS)
    ]


def test_many_who_start_at_once_in_one_slot_are_one(starts: RateLimitSlots) -> None:
    times = race(lambda number: starts.start(SlotReservation(1, NOW), f"order-{number}", NOW), 8)
    assert sorted(times) == [NOW, *[NOW + MINUTE_MS] * 7]


def test_many_urgent_ones_at_once_share_no_place(starts: RateLimitSlots) -> None:
    bookings = race(lambda _: starts.reserve_ahead(NOW), 2 * SLOTS)
    assert len(set(bookings)) == 2 * SLOTS
    assert sorted(reservation.at_ms for reservation in bookings) == [NOW] * SLOTS + [NOW + MINUTE_MS] * SLOTS
