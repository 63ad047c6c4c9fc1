"""What every ``StreamStore`` promises, on the fake and on DynamoDB."""

import pytest

from chalicelib.ports.streams import Connection, StreamStore, Subscriber
from tests.contract.stores.racing import race


def opened(streams: StreamStore, *connection_ids: str) -> None:
    for connection_id in connection_ids:
        streams.connect(Connection(connection_id, False, expires_at=1_800_000_000))


@pytest.mark.parametrize("coarse", [True, False])
def test_an_open_connection_is_remembered_as_it_was_opened(streams: StreamStore, coarse: bool) -> None:
    connection = Connection("abc=:#", coarse, expires_at=1_800_000_000)
    streams.connect(connection)
    assert streams.connection("abc=:#") == connection


def test_a_connection_nobody_opened_is_unknown(streams: StreamStore) -> None:
    assert streams.connection("unknown") is None
    assert streams.followers("nobody") == frozenset()


def test_followers_of_a_user_come_with_their_way_of_following(streams: StreamStore) -> None:
    opened(streams, "one", "two")
    fine, coarse = Subscriber("one", via_user=True), Subscriber("two", coarse=True, via_user=True)
    for each in (fine, coarse, fine):
        streams.follow("alice", each)
    streams.follow("bob", fine)
    assert streams.followers("alice") == {fine, coarse}
    assert streams.followers("bob") == {fine}


def test_a_connection_that_follows_is_still_the_connection_it_was(streams: StreamStore) -> None:
    connection = Connection("one", True, expires_at=1_800_000_000)
    streams.connect(connection)
    streams.follow("alice", Subscriber("one", coarse=True, via_user=True))
    assert streams.connection("one") == connection


def test_unfollowing_ends_only_that_stream(streams: StreamStore) -> None:
    opened(streams, "one", "two")
    mine, other = Subscriber("one", via_user=True), Subscriber("two", via_user=True)
    streams.follow("alice", mine)
    streams.follow("alice", other)
    streams.follow("bob", mine)
    streams.unfollow("alice", mine)
    assert streams.followers("alice") == {other}
    assert streams.followers("bob") == {mine}


def test_unfollowing_what_was_never_followed_is_no_error(streams: StreamStore) -> None:
    streams.unfollow("alice", Subscriber("one", via_user=True))
    assert streams.followers("alice") == frozenset()


def test_a_closed_connection_follows_nobody_any_more(streams: StreamStore) -> None:
    opened(streams, "one", "two")
    stays = Subscriber("two", via_user=True)
    for user_id in ("alice", "bob"):
        streams.follow(user_id, Subscriber("one", via_user=True))
        streams.follow(user_id, Subscriber("one", coarse=True, via_user=True))
        streams.follow(user_id, stays)
    streams.disconnect("one")
    assert streams.connection("one") is None
    assert streams.followers("alice") == streams.followers("bob") == {stays}


def test_closing_twice_or_what_was_never_open_is_no_error(streams: StreamStore) -> None:
    streams.connect(Connection("one", False, expires_at=1_800_000_000))
    for _ in range(2):
        streams.disconnect("one")
    assert streams.connection("one") is None


def test_a_stream_that_is_brought_after_its_socket_closed_does_not_bring_the_connection_back(
    streams: StreamStore,
) -> None:
    """The stream queue may be slower than the client: its message comes when ``$disconnect`` is long over.

    A connection that is there again has no time to live and is never disconnected again: it stays for good.
    """
    opened(streams, "one")
    streams.disconnect("one")
    assert streams.follow("alice", Subscriber("one", via_user=True)) is False
    assert streams.connection("one") is None
    assert streams.followers("alice") == frozenset()


def test_of_twenty_sockets_that_follow_at_once_none_is_lost(streams: StreamStore) -> None:
    everyone = [Subscriber(str(number), coarse=bool(number % 2), via_user=True) for number in range(20)]
    opened(streams, *(one.connection_id for one in everyone))
    race(lambda number: streams.follow("alice", everyone[number]))
    assert streams.followers("alice") == frozenset(everyone)
