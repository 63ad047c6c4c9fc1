"""The contract of ``StreamStore``, on the fake and on DynamoDB."""

import pytest

from chalicelib.ports.streams import Connection, OpenSockets, StreamStore, Subscriber, UserReplay
from tests.contract.stores.conftest import DynamoStores
from tests.contract.stores.racing import race


def opened(streams: StreamStore, *connection_ids: str) -> None:
    for connection_id in connection_ids:
        streams.connect(Connection(connection_id, False, expires_at=1_800_000_000))


@pytest.mark.parametrize("coarse", [True, False])
def test_the_store_returns_a_connection_as_it_was_opened(streams: StreamStore, coarse: bool) -> None:
    connection = Connection("abc=:#", coarse, expires_at=1_800_000_000)
    streams.connect(connection)
    assert streams.connection("abc=:#") == connection


def test_a_connection_that_was_never_opened_is_unknown(streams: StreamStore) -> None:
    assert streams.connection("unknown") is None
    assert streams.followers("unknown") == frozenset()


def test_the_followers_of_a_user_keep_their_granularity(streams: StreamStore) -> None:
    opened(streams, "one", "two")
    fine, coarse = Subscriber("one", via_user=True), Subscriber("two", coarse=True, via_user=True)
    for each in (fine, coarse, fine):
        streams.follow("alice", each)
    streams.follow("bob", fine)
    assert streams.followers("alice") == {fine, coarse}
    assert streams.followers("bob") == {fine}


def test_following_a_user_leaves_the_connection_unchanged(streams: StreamStore) -> None:
    connection = Connection("one", True, expires_at=1_800_000_000)
    streams.connect(connection)
    streams.follow("alice", Subscriber("one", coarse=True, via_user=True))
    assert streams.connection("one") == connection


def test_unfollowing_removes_only_that_subscriber_from_that_user(streams: StreamStore) -> None:
    opened(streams, "one", "two")
    mine, other = Subscriber("one", via_user=True), Subscriber("two", via_user=True)
    streams.follow("alice", mine)
    streams.follow("alice", other)
    streams.follow("bob", mine)
    streams.unfollow("alice", mine)
    assert streams.followers("alice") == {other}
    assert streams.followers("bob") == {mine}


def test_unfollowing_without_a_follow_is_no_error(streams: StreamStore) -> None:
    streams.unfollow("alice", Subscriber("one", via_user=True))
    assert streams.followers("alice") == frozenset()


def test_a_closed_connection_follows_no_user(streams: StreamStore) -> None:
    opened(streams, "one", "two")
    stays = Subscriber("two", via_user=True)
    for user_id in ("alice", "bob"):
        streams.follow(user_id, Subscriber("one", via_user=True))
        streams.follow(user_id, Subscriber("one", coarse=True, via_user=True))
        streams.follow(user_id, stays)
    streams.disconnect("one")
    assert streams.connection("one") is None
    assert streams.followers("alice") == streams.followers("bob") == {stays}


def test_closing_a_connection_twice_is_no_error(streams: StreamStore) -> None:
    streams.connect(Connection("one", False, expires_at=1_800_000_000))
    for _ in range(2):
        streams.disconnect("one")
    assert streams.connection("one") is None


def test_a_follow_after_the_disconnect_does_not_restore_the_connection(
    streams: StreamStore,
) -> None:
    """The replay queue may be slower than the client, so that a replay arrives long after ``$disconnect``.

    A restored connection would have no time to live and would never be disconnected, so it would stay for ever.
    """
    opened(streams, "one")
    streams.disconnect("one")
    assert streams.follow("alice", Subscriber("one", via_user=True)) is False
    assert streams.connection("one") is None
    assert streams.followers("alice") == frozenset()


def test_twenty_connections_that_follow_at_once_are_all_kept(streams: StreamStore) -> None:
    subscribers = [Subscriber(str(number), coarse=bool(number % 2), via_user=True) for number in range(20)]
    opened(streams, *(one.connection_id for one in subscribers))
    race(lambda number: streams.follow("alice", subscribers[number]))
    assert streams.followers("alice") == frozenset(subscribers)


def test_gone_connections_are_removed_together_in_both_grains(streams: StreamStore) -> None:
    ids = [f"gone-{number}" for number in range(20)]
    opened(streams, "here", *ids)
    here = Subscriber("here", via_user=True)
    for one in [here, *(Subscriber(gone, coarse, via_user=True) for gone in ids for coarse in (False, True))]:
        streams.follow("alice", one)
    streams.remove_followers("alice", ids)
    assert streams.followers("alice") == {here}


def test_an_end_of_a_follow_makes_no_user_look_followed(streams: StreamStore) -> None:
    opened(streams, "one")
    me = Subscriber("one", via_user=True)
    streams.unfollow("alice", me)
    streams.remove_followers("alice", ["one"])
    streams.follow("bob", me)
    streams.unfollow("bob", me)
    streams.drop_unfollowed("bob")
    streams.disconnect("one")
    assert not streams.is_followed("alice")
    assert not streams.is_followed("bob")


def test_a_disconnect_writes_once_for_each_followed_user(dynamo: DynamoStores) -> None:
    streams, wire = dynamo.streams, dynamo.aws.wire
    opened(streams, "one")
    for user_id in ("alice", "bob"):
        streams.follow(user_id, Subscriber("one", via_user=True))
    wire.calls.clear()
    streams.disconnect("one")
    assert wire.calls == ["GetItem", "UpdateItem", "UpdateItem", "DeleteItem"]


def test_the_newest_replay_of_a_users_stream_on_a_connection_is_kept(streams: StreamStore) -> None:
    assert streams.replay_of("alice", "one") is None
    for number in (1, 2):
        streams.set_replay("alice", "one", UserReplay(number, 5_000, since_ms=number), expires_at=1_800_000_000)
    assert streams.replay_of("alice", "one") == UserReplay(2, 5_000, since_ms=2)
    assert streams.replay_of("alice", "two") is None
    assert streams.replay_of("bob", "one") is None


def test_a_replay_ends_unless_a_newer_one_has_begun(streams: StreamStore) -> None:
    streams.end_replay("alice", "one", 1)
    assert streams.replay_of("alice", "one") is None
    streams.set_replay("alice", "one", UserReplay(2, 5_000, since_ms=7), expires_at=1_800_000_000)
    streams.end_replay("alice", "one", 1)
    assert streams.replay_of("alice", "one") == UserReplay(2, 5_000, since_ms=7)
    streams.end_replay("alice", "one", 2)
    assert streams.replay_of("alice", "one") == UserReplay(2, 5_000, since_ms=None)


def test_open_sockets_are_counted_without_those_whose_time_is_up(streams: StreamStore) -> None:
    assert streams.count_open(1_700_000_000, 1000) == OpenSockets(0, limit_reached=False)
    opened(streams, "one", "two", "three")
    streams.connect(Connection("expired", False, expires_at=1_700_000_000))
    streams.follow("alice", Subscriber("one", via_user=True))
    assert streams.count_open(1_700_000_000, 1000) == OpenSockets(3, limit_reached=False)


def test_a_count_of_open_sockets_that_ends_early_says_so(streams: StreamStore) -> None:
    opened(streams, "one", "two", "three")
    assert streams.count_open(1_700_000_000, 2) == OpenSockets(2, limit_reached=True)
