"""The contract of ``WaitCounts``, on the fake and on DynamoDB."""

from chalicelib.ports.event_waits import WINDOW_SECONDS, WaitCounts
from tests.contract.stores.conftest import DynamoStores
from tests.contract.stores.racing import race

WINDOW = 60_000_000


def test_as_many_waits_begin_as_may_go_on(wait_counts: WaitCounts) -> None:
    assert [wait_counts.begin("all", WINDOW, 2) for _ in range(3)] == [True, True, False]


def test_a_wait_that_ends_gives_way_to_another(wait_counts: WaitCounts) -> None:
    assert wait_counts.begin("all", WINDOW, 1)
    wait_counts.end("all", WINDOW)
    assert [wait_counts.begin("all", WINDOW, 1) for _ in range(2)] == [True, False]


def test_waits_of_the_window_before_still_go_on(wait_counts: WaitCounts) -> None:
    for _ in range(2):
        assert wait_counts.begin("all", WINDOW, 3)
    assert [wait_counts.begin("all", WINDOW + 1, 3) for _ in range(2)] == [True, False]
    wait_counts.end("all", WINDOW)
    assert [wait_counts.begin("all", WINDOW + 1, 3) for _ in range(2)] == [True, False]


def test_a_wait_whose_environment_died_counts_for_two_windows(wait_counts: WaitCounts) -> None:
    assert wait_counts.begin("all", WINDOW, 1)
    assert [wait_counts.begin("all", WINDOW + later, 1) for later in (1, 2)] == [False, True]


def test_counters_are_independent(wait_counts: WaitCounts) -> None:
    assert [wait_counts.begin(counter, WINDOW, 1) for counter in ("user#alice", "user#bob")] == [True, True]
    assert not wait_counts.begin("user#alice", WINDOW, 1)


def test_an_end_that_is_counted_twice_makes_no_room(wait_counts: WaitCounts) -> None:
    """The SDK repeats a write whose answer was lost."""
    assert wait_counts.begin("all", WINDOW, 1)
    for _ in range(2):
        wait_counts.end("all", WINDOW)
    assert [wait_counts.begin("all", WINDOW, 1) for _ in range(2)] == [True, False]


def test_environments_that_race_begin_no_more_waits_than_may_go_on(wait_counts: WaitCounts) -> None:
    assert sum(race(lambda _: wait_counts.begin("all", WINDOW, 5), 20)) == 5


def test_a_count_expires_after_the_next_window(dynamo: DynamoStores) -> None:
    dynamo.wait_counts.begin("all", WINDOW, 1)
    [item] = dynamo.wait_counts._item.scan()
    assert item.expires_at is not None
    assert item.expires_at > (WINDOW + 2) * WINDOW_SECONDS
