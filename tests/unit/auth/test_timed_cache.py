"""A timed cache holds values for a time, and no more of them than its bound."""

import pytest

from chalicelib.auth.timed_cache import TimedCache
from orderengine.testing.fakes.clock import FakeClock


@pytest.fixture
def cache(clock: FakeClock) -> TimedCache[str, int]:
    return TimedCache(30, 2, lambda: clock.now().timestamp())


def test_a_value_is_kept_for_its_time(cache: TimedCache[str, int], clock: FakeClock) -> None:
    cache.put("a", 1)
    clock.sleep(29.9)
    assert cache.get("a") == 1
    clock.sleep(0.1)
    assert cache.get("a") is None


def test_the_oldest_value_makes_room_for_another(cache: TimedCache[str, int]) -> None:
    for number, key in enumerate("abac"):
        cache.put(key, number)
    assert [cache.get(key) for key in "abc"] == [2, None, 3]
