"""The contract of ``RateLimitSlots``, on the fake and on DynamoDB: at most one start per slot and minute."""

from collections.abc import Callable

import pytest

from chalicelib.domain.errors import ContendedError
from chalicelib.domain.rate_limit import MINUTE_MS, SlotReservation, SlotUse
from chalicelib.ports.rate_limit import RateLimitSlots
from chalicelib.stores import conditions
from chalicelib.stores import rate_limit as dynamo_slots
from chalicelib.stores.models import RateLimitItem
from tests.contract.stores.conftest import SLOTS, DynamoStores
from tests.contract.stores.racing import race

NOW = 1_800_000_000_000


def test_a_full_minute_starts_at_once_and_the_rest_a_minute_after_the_first(slots: RateLimitSlots) -> None:
    times = [slots.reserve(NOW + n).at_ms for n in range(2 * SLOTS + 1)]
    first = [NOW + n for n in range(SLOTS)]
    assert times == [*first, *(at + MINUTE_MS for at in first), NOW + 2 * MINUTE_MS]


def test_a_slot_used_a_minute_ago_is_free_at_once(slots: RateLimitSlots) -> None:
    for _ in range(SLOTS):
        slots.reserve(NOW)
    assert slots.reserve(NOW + MINUTE_MS).at_ms == NOW + MINUTE_MS


def test_a_reservation_beyond_the_horizon_takes_no_slot(slots: RateLimitSlots) -> None:
    for _ in range(SLOTS):
        slots.reserve(NOW)
    refused = [slots.reserve(NOW, latest_ms=NOW).at_ms for _ in range(2 * SLOTS)]
    assert refused == [NOW + MINUTE_MS] * 2 * SLOTS
    assert slots.reserve(NOW).at_ms == NOW + MINUTE_MS


def test_a_released_slot_is_free_again(slots: RateLimitSlots) -> None:
    reservations = [slots.reserve(NOW) for _ in range(SLOTS)]
    for reservation in reservations:
        slots.release(reservation)
    assert [slots.reserve(NOW + 1).at_ms for _ in range(SLOTS)] == [NOW + 1] * SLOTS


def test_a_release_does_not_undo_a_later_reservation(slots: RateLimitSlots) -> None:
    first = [slots.reserve(NOW) for _ in range(SLOTS)]
    for _ in range(SLOTS):
        slots.reserve(NOW)
    slots.release(first[0])
    assert {slots.reserve(NOW).at_ms for _ in range(SLOTS)} == {NOW + 2 * MINUTE_MS}


def test_a_late_start_delays_the_next_one_in_its_slot(slots: RateLimitSlots) -> None:
    late = NOW + 25_000
    assert slots.start(SlotReservation(0, NOW), "one", late) == late
    assert slots.start(SlotReservation(0, NOW + MINUTE_MS), "two", NOW + MINUTE_MS) == late + MINUTE_MS
    assert slots.start(SlotReservation(0, NOW + MINUTE_MS), "two", late + MINUTE_MS) == late + MINUTE_MS


def test_a_reservation_takes_late_starts_into_account(slots: RateLimitSlots) -> None:
    reservations = [slots.reserve(NOW) for _ in range(SLOTS)]
    for reservation in reservations:
        slots.start(reservation, f"order-{reservation.slot}", NOW + 40_000)
    assert slots.reserve(NOW + 50_000).at_ms == NOW + 40_000 + MINUTE_MS


def test_an_order_whose_worker_died_starts_again_in_its_own_slot(slots: RateLimitSlots) -> None:
    slots.start(SlotReservation(0, NOW), "one", NOW)
    assert slots.start(SlotReservation(0, NOW), "one", NOW + 5_000) == NOW + 5_000
    assert slots.start(SlotReservation(0, NOW), "two", NOW + MINUTE_MS) == NOW + 5_000 + MINUTE_MS


def test_a_high_priority_order_overtakes_reservations_within_the_limit(slots: RateLimitSlots) -> None:
    for _ in range(5 * SLOTS):
        slots.reserve(NOW)
    ahead = [slots.reserve_ahead(NOW + n) for n in range(SLOTS + 1)]
    assert [reservation.at_ms for reservation in ahead] == [*(NOW + n for n in range(SLOTS)), NOW + MINUTE_MS]
    assert len({reservation.slot for reservation in ahead}) == SLOTS
    for reservation in ahead[:SLOTS]:
        assert slots.start(reservation, f"high-priority-{reservation.slot}", reservation.at_ms) == reservation.at_ms
    # The reservation in turn yields to the last one, which waits for the same slot.
    last = ahead[-1]
    assert slots.start(SlotReservation(last.slot, NOW), "normal", last.at_ms) == last.at_ms + MINUTE_MS
    assert slots.start(last, "last", last.at_ms) == last.at_ms


def test_the_order_after_high_priority_orders_takes_a_free_slot_at_once(slots: RateLimitSlots) -> None:
    for n in range(SLOTS - 1):
        high_priority = slots.reserve_ahead(NOW + n)
        slots.start(high_priority, f"high-priority-{n}", NOW + n)
    assert slots.reserve(NOW + 5_000).at_ms == NOW + 5_000
    assert slots.reserve(NOW + 5_000).at_ms > NOW + 5_000


def test_a_reservation_ahead_that_spares_due_orders_overtakes_later_ones_only(slots: RateLimitSlots) -> None:
    due, later, _ = ([slots.reserve(NOW) for _ in range(SLOTS)] for _ in range(3))
    sparing = [slots.reserve_ahead(NOW + 600, spare_due=True) for _ in range(SLOTS)]
    assert [reservation.at_ms for reservation in sparing] == [NOW + MINUTE_MS] * SLOTS
    assert len({reservation.slot for reservation in sparing}) == SLOTS
    # A further reservation of this kind does not delay the due orders either.
    assert slots.reserve_ahead(NOW + 700, spare_due=True).at_ms == NOW + 2 * MINUTE_MS
    for reservation in due:
        assert slots.start(reservation, f"due-{reservation.slot}", NOW + 4_000) == NOW + 4_000
    assert {slots.start(reservation, "later", reservation.at_ms + 4_000) for reservation in later} == {
        NOW + 2 * MINUTE_MS,
        NOW + 3 * MINUTE_MS,
    }
    first = sparing[0]
    assert slots.start(first, "sparing", first.at_ms + 4_000) == first.at_ms + 4_000


def test_a_due_reservation_that_never_starts_is_spared_for_a_minute(slots: RateLimitSlots) -> None:
    for _ in range(SLOTS):
        slots.reserve(NOW)
    assert slots.reserve_ahead(NOW + MINUTE_MS, spare_due=True).at_ms == NOW + MINUTE_MS


def test_sparing_does_not_apply_to_reservations_that_started_or_are_not_due(slots: RateLimitSlots) -> None:
    for reservation in [slots.reserve(NOW) for _ in range(SLOTS)]:
        slots.reserve(NOW)
        slots.start(reservation, f"order-{reservation.slot}", NOW + reservation.slot)
    assert slots.reserve_ahead(NOW + 600, spare_due=True) == SlotReservation(0, NOW + MINUTE_MS, ahead=True)


def test_a_high_priority_order_overtakes_a_due_order_that_was_spared(slots: RateLimitSlots) -> None:
    due = [slots.reserve(NOW) for _ in range(SLOTS)]
    for _ in range(SLOTS):
        slots.reserve_ahead(NOW, spare_due=True)
    high_priority = slots.reserve_ahead(NOW + 600)
    [displaced] = [reservation for reservation in due if reservation.slot == high_priority.slot]
    assert slots.start(displaced, "displaced", NOW + 700) > NOW + MINUTE_MS


def test_concurrent_reservations_share_no_slot(slots: RateLimitSlots) -> None:
    reservations = race(lambda _: slots.reserve(NOW), 4 * SLOTS)
    assert len(set(reservations)) == 4 * SLOTS
    assert sorted(reservation.at_ms for reservation in reservations) == [
        NOW + n // SLOTS * MINUTE_MS for n in range(4 * SLOTS)
    ]


def test_of_concurrent_starts_in_a_slot_exactly_one_succeeds(slots: RateLimitSlots) -> None:
    times = race(lambda number: slots.start(SlotReservation(1, NOW), f"order-{number}", NOW), 8)
    assert sorted(times) == [NOW, *[NOW + MINUTE_MS] * 7]


def test_concurrent_reservations_ahead_share_no_slot(slots: RateLimitSlots) -> None:
    reservations = race(lambda _: slots.reserve_ahead(NOW), 2 * SLOTS)
    assert len(set(reservations)) == 2 * SLOTS
    assert sorted(reservation.at_ms for reservation in reservations) == [NOW] * SLOTS + [NOW + MINUTE_MS] * SLOTS


# --- lost races (DynamoDB only: the fake has a lock) -------------------------------------------------------

RESERVE: dict[str, Callable[[RateLimitSlots], SlotReservation]] = {
    "in turn": lambda slots: slots.reserve(NOW),
    "in turn, within a horizon": lambda slots: slots.reserve(NOW, latest_ms=NOW + MINUTE_MS),
    "ahead": lambda slots: slots.reserve_ahead(NOW),
    "ahead, sparing due orders": lambda slots: slots.reserve_ahead(NOW, spare_due=True),
}


@pytest.mark.parametrize("reserve", RESERVE.values(), ids=RESERVE)
def test_a_reservation_that_loses_every_race_gives_up_and_writes_nothing(
    dynamo: DynamoStores, monkeypatch: pytest.MonkeyPatch, reserve: Callable[[RateLimitSlots], SlotReservation]
) -> None:
    before = _slot_items(dynamo)
    lost: list[object] = []

    def lose(*write: object) -> bool:
        lost.append(write)
        return False

    monkeypatch.setattr(dynamo_slots, "update_if", lose)
    with pytest.raises(ContendedError):
        reserve(dynamo.rate_limit_slots)
    assert len(lost) == dynamo_slots.MAX_RESERVATION_TRIES
    assert _slot_items(dynamo) == before == []
    monkeypatch.undo()
    assert reserve(dynamo.rate_limit_slots).at_ms == NOW, "a retry after the contention succeeds at once"


@pytest.mark.parametrize("reserve", RESERVE.values(), ids=RESERVE)
def test_a_reservation_that_loses_a_race_reads_the_slot_again(
    dynamo: DynamoStores, monkeypatch: pytest.MonkeyPatch, reserve: Callable[[RateLimitSlots], SlotReservation]
) -> None:
    """Another writer starts an order in every slot between the read and the write."""
    update_if, started_at = conditions.update_if, iter([NOW - 2_000, NOW - 1_000])

    def race_and_update(item: RateLimitItem, *write: object) -> bool:
        if at_ms := next(started_at, None):
            for slot in range(SLOTS):
                _start(dynamo, slot, at_ms)
        return update_if(item, *write)  # type: ignore[arg-type]

    monkeypatch.setattr(dynamo_slots, "update_if", race_and_update)
    assert reserve(dynamo.rate_limit_slots).at_ms == NOW - 1_000 + MINUTE_MS


def _slot_items(dynamo: DynamoStores) -> list[object]:
    """The raw items of the slots, without the counter of turns."""
    items = dynamo.aws.dynamodb.scan(TableName="RateLimitTable", ConsistentRead=True)["Items"]
    return [item for item in items if item["kind"] == {"S": "slot"}]


def _start(dynamo: DynamoStores, slot: int, at_ms: int) -> None:
    """Write a start as another process does."""
    dynamo.aws.dynamodb.update_item(
        TableName="RateLimitTable",
        Key={"kind": {"S": "slot"}, "number": {"N": str(slot)}},
        UpdateExpression="SET started = :at, starter = :order",
        ExpressionAttributeValues={":at": {"N": str(at_ms)}, ":order": {"S": "another order"}},
    )


def test_a_start_that_was_undone_is_free_for_the_next_order(slots: RateLimitSlots) -> None:
    assert slots.start(SlotReservation(0, NOW), "one", NOW) == NOW
    slots.undo_start(SlotReservation(0, NOW), "one", NOW, NOW - MINUTE_MS)
    assert slots.start(SlotReservation(0, NOW), "two", NOW) == NOW


def test_only_the_last_start_of_a_slot_can_be_undone_and_only_for_its_order(slots: RateLimitSlots) -> None:
    assert slots.start(SlotReservation(0, NOW), "one", NOW) == NOW
    slots.undo_start(SlotReservation(0, NOW), "two", NOW, NOW - MINUTE_MS)
    slots.undo_start(SlotReservation(0, NOW), "one", NOW - 1, NOW - MINUTE_MS)
    assert slots.start(SlotReservation(0, NOW), "two", NOW) == NOW + MINUTE_MS


def test_the_use_of_the_slots_tells_starts_of_the_last_minute_and_starts_to_come(slots: RateLimitSlots) -> None:
    assert slots.use(NOW) == SlotUse()
    for reservation in [slots.reserve(NOW) for _ in range(2 * SLOTS + 1)][:SLOTS]:
        assert slots.start(reservation, "order", NOW) == NOW
    assert slots.use(NOW + 1) == SlotUse(SLOTS, SLOTS + 1, NOW + MINUTE_MS)
    assert slots.use(NOW + MINUTE_MS) == SlotUse(0, 1, NOW + 2 * MINUTE_MS)


def test_a_reservation_ahead_of_turn_is_a_start_to_come(slots: RateLimitSlots) -> None:
    for _ in range(SLOTS):
        slots.reserve_ahead(NOW)
    ahead = slots.reserve_ahead(NOW + 1)
    assert slots.use(NOW + 1) == SlotUse(0, 1, ahead.at_ms)
