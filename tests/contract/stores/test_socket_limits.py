"""The contracts of ``SocketUse`` and ``UserSockets``, on the fakes and on DynamoDB."""

import pytest

from chalicelib.domain.identity import Caller, Credential, Scope
from chalicelib.ports.socket_limits import UserSockets
from chalicelib.ports.streams import Connection
from tests.contract.stores.conftest import SocketStores
from tests.contract.stores.racing import race

CONNECTION = Connection(
    "one", True, 1_800_000_000, Caller("alice", frozenset({Scope.READ}), Credential("key-1", 1_700_000_000))
)
MINUTE = 29_000_000


@pytest.fixture(autouse=True)
def opened(request: pytest.FixtureRequest) -> None:
    if "socket_stores" in request.fixturenames:
        request.getfixturevalue("socket_stores").streams.connect(CONNECTION)


def test_a_connection_keeps_its_caller(socket_stores: SocketStores) -> None:
    assert socket_stores.streams.connection("one") == CONNECTION


def test_exactly_one_of_many_calls_disconnects(socket_stores: SocketStores) -> None:
    assert [one for one in race(lambda _: socket_stores.streams.disconnect("one")) if one] == [CONNECTION]


def test_messages_of_a_minute_are_counted_together(socket_stores: SocketStores) -> None:
    counts = [socket_stores.use.count_messages("one", MINUTE, number) for number in (5, 3)]
    assert [(count.connection, count.number) for count in counts if count] == [(CONNECTION, 5), (CONNECTION, 8)]


def test_a_new_minute_begins_at_zero(socket_stores: SocketStores) -> None:
    socket_stores.use.count_messages("one", MINUTE, 5)
    count = socket_stores.use.count_messages("one", MINUTE + 1, 2)
    assert count is not None
    assert count.number == 2


def test_a_clock_that_is_behind_counts_into_the_later_minute(socket_stores: SocketStores) -> None:
    socket_stores.use.count_messages("one", MINUTE, 5)
    count = socket_stores.use.count_messages("one", MINUTE - 1, 2)
    assert count is not None
    assert count.number == 7


def test_no_count_of_many_environments_is_lost_as_a_minute_begins(socket_stores: SocketStores) -> None:
    counts = race(lambda _: socket_stores.use.count_messages("one", MINUTE, 3))
    assert sorted(count.number for count in counts if count) == [3 * number for number in range(1, 21)]


def test_a_socket_takes_subscriptions_up_to_its_limit(socket_stores: SocketStores) -> None:
    use = socket_stores.use
    for number in range(3):
        found = use.subscribe("one", f"order#{number}", most=3)
        assert found is not None
        assert f"order#{number}" in found.subscriptions
    assert use.subscribe("one", "order#3", most=3) is None
    assert use.subscribe("one", "order#2", most=3) is not None
    left = use.unsubscribe("one", ["order#0", "order#unknown"])
    assert left is not None
    assert left.subscriptions == {"order#1", "order#2"}
    assert use.subscribe("one", "order#3", most=3) is not None


def test_subscriptions_at_once_never_exceed_the_limit(socket_stores: SocketStores) -> None:
    noted = race(lambda number: socket_stores.use.subscribe("one", f"order#{number}", most=5))
    assert len([one for one in noted if one]) == 5


def test_a_closed_connection_has_no_use_and_stays_closed(socket_stores: SocketStores) -> None:
    socket_stores.streams.disconnect("one")
    use = socket_stores.use
    assert use.count_messages("one", MINUTE, 1) is None
    assert use.subscribe("one", "order#1", most=3) is None
    assert use.unsubscribe("one", ["order#1"]) is None
    assert use.begin_pruning("one", 1000, 5) is False
    assert socket_stores.streams.connection("one") is None


def test_a_connection_is_pruned_once_in_a_pause(socket_stores: SocketStores) -> None:
    assert [socket_stores.use.begin_pruning("one", now, 5) for now in (1000, 1004, 1005)] == [True, False, True]


def test_a_user_has_as_many_sockets_as_the_limit_allows(user_sockets: UserSockets) -> None:
    assert [user_sockets.add("alice", one, 1_800_000_000, most=2) for one in "abc"] == [True, True, False]
    assert user_sockets.add("bob", "c", 1_800_000_000, most=2)
    user_sockets.remove("alice", ["a", "unknown"])
    assert user_sockets.add("alice", "c", 1_800_000_000, most=2)
    assert user_sockets.of("alice") == {"b", "c"}


def test_a_limit_of_zero_is_none(user_sockets: UserSockets) -> None:
    assert all(user_sockets.add("alice", str(number), 1_800_000_000, most=0) for number in range(20))


def test_handshakes_at_once_never_exceed_the_limit(user_sockets: UserSockets) -> None:
    assert sum(race(lambda number: user_sockets.add("alice", str(number), 1_800_000_000, most=10))) == 10
    assert len(user_sockets.of("alice")) == 10


def test_the_sockets_of_a_user_are_pruned_once_in_a_pause(user_sockets: UserSockets) -> None:
    assert user_sockets.of("alice") == frozenset()
    user_sockets.remove("alice", ["a"])
    assert user_sockets.begin_pruning("alice", 1000, 5) is False
    user_sockets.add("alice", "a", 1_800_000_000, most=1)
    assert [user_sockets.begin_pruning("alice", now, 5) for now in (1000, 1004, 1005)] == [True, False, True]
