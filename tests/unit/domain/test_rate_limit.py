"""The use of the rate limit's slots, from the last times that each slot keeps."""

import pytest

from chalicelib.domain.rate_limit import MINUTE_MS, SlotUse, last_due, slot_use

NOW = 1_800_000_000_000


@pytest.mark.parametrize(
    ("in_turn_ms", "ahead_ms", "reserved_ms"),
    [
        (None, None, []),
        (NOW, NOW, []),
        (NOW + 1, None, [NOW + 1]),
        (NOW + MINUTE_MS, None, [NOW + MINUTE_MS]),
        # The reservation in turn of a minute before is in the future too.
        (NOW + 2 * MINUTE_MS + 5, None, [NOW + 5, NOW + MINUTE_MS + 5, NOW + 2 * MINUTE_MS + 5]),
        (None, NOW + 7, [NOW + 7]),
        # The use of a minute before is the one ahead, which counts once.
        (NOW + 2 * MINUTE_MS, NOW + MINUTE_MS, [NOW + MINUTE_MS, NOW + 2 * MINUTE_MS]),
        (NOW + MINUTE_MS, NOW + 7, [NOW + 7, NOW + MINUTE_MS]),
        (NOW + MINUTE_MS, NOW + 2 * MINUTE_MS, [NOW + MINUTE_MS, NOW + 2 * MINUTE_MS]),
    ],
)
def test_the_starts_to_come_are_those_that_are_reserved(
    in_turn_ms: int | None, ahead_ms: int | None, reserved_ms: list[int]
) -> None:
    expected = SlotUse(0, len(reserved_ms), min(reserved_ms, default=None))
    assert slot_use(NOW, [(in_turn_ms, ahead_ms, None)]) == expected
    assert slot_use(NOW, [(in_turn_ms, ahead_ms, None)] * 2).reserved == 2 * len(reserved_ms)


def test_a_reservation_in_a_far_future_is_counted_at_once() -> None:
    minutes = 10**12
    use = slot_use(NOW, [(NOW + minutes * MINUTE_MS, NOW + 5 * MINUTE_MS, None), (None, NOW + MINUTE_MS, None)])
    assert use == SlotUse(0, minutes + 1, NOW + MINUTE_MS)


def test_a_start_counts_for_a_minute() -> None:
    slots = [(None, None, NOW - age) for age in (0, MINUTE_MS - 1, MINUTE_MS)]
    assert slot_use(NOW, slots) == SlotUse(started=2)


def test_the_last_reservation_that_is_due_is_whole_minutes_before_the_last_one() -> None:
    assert [last_due(NOW, at_ms) for at_ms in (None, NOW - 1, NOW + 1, NOW + MINUTE_MS + 1)] == [
        None,
        NOW - 1,
        NOW + 1 - MINUTE_MS,
        NOW + 1 - MINUTE_MS,
    ]
