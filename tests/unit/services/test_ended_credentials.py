"""A socket ends with its credential: when it expires, and soon after it is revoked."""

import pytest

from chalicelib.domain.identity import Caller, Credential, Scope
from chalicelib.ports.streams import CheckSocket, CloseSockets, Subscriber
from chalicelib.services.streams.ended_credentials import REPEAT_SECONDS, queue_revocation
from chalicelib.services.streams.user_sockets import OPENING_SECONDS
from tests.support.authentication import FakeAuthenticator
from tests.support.socket_client import SocketClient, deliver
from tests.support.workbench import Workbench, a_workbench

READ = frozenset({Scope.READ})


@pytest.fixture
def authenticator() -> FakeAuthenticator:
    return FakeAuthenticator(
        first=Caller("alice", READ, Credential("key-1")), second=Caller("alice", READ, Credential("key-2"))
    )


@pytest.fixture
def bench(authenticator: FakeAuthenticator) -> Workbench:
    return a_workbench(authenticator)


def ending(bench: Workbench, authenticator: FakeAuthenticator, seconds: int) -> SocketClient:
    """A client whose credential ends after so many seconds."""
    ends_at = bench.clock.now_ms() // 1000 + seconds
    authenticator.callers["ending"] = Caller("alice", READ, Credential("", ends_at))
    client = SocketClient(bench)
    assert client.connect("Bearer ending") == 200
    return client


def test_a_silent_socket_is_closed_when_its_credential_ends(
    bench: Workbench, authenticator: FakeAuthenticator
) -> None:
    client = ending(bench, authenticator, seconds=2000)
    [(_, delay)] = bench.replay_queue.sent
    delays = []
    while bench.replay_queue.sent:
        delays.append(delay)
        bench.clock.sleep(delay)
        assert not client.is_closed
        [delay] = deliver(bench) or [0]
    assert delays == [900, 900, 200]
    assert client.is_closed
    assert [frame["code"] for frame in client.frames] == ["EXPIRED_CREDENTIAL"]
    assert bench.streams.connection("me") is None
    assert bench.user_sockets.of("alice") == frozenset()


def test_nothing_watches_a_credential_that_outlives_its_socket(
    bench: Workbench, authenticator: FakeAuthenticator
) -> None:
    ending(bench, authenticator, seconds=3 * 3600)
    assert SocketClient(bench, "two").connect("Bearer first") == 200
    assert bench.replay_queue.sent == []


def test_the_watch_of_a_socket_ends_with_the_socket(bench: Workbench, authenticator: FakeAuthenticator) -> None:
    client = ending(bench, authenticator, seconds=2000)
    client.leave()
    assert deliver(bench) == []
    assert client.frames == []


def test_a_message_after_the_end_is_told_so_once_and_performs_nothing(
    bench: Workbench, authenticator: FakeAuthenticator
) -> None:
    client = ending(bench, authenticator, seconds=30)
    assert client.say("ping")[0]["type"] == "pong"
    bench.clock.sleep(30)
    [answer] = client.say("subscribe", requestId="r", userId="alice")
    assert (answer["code"], answer["requestId"]) == ("EXPIRED_CREDENTIAL", "r")
    assert client.is_closed
    assert client.say("ping") == []
    assert bench.streams.followers("alice") == frozenset()


def test_a_socket_that_cannot_be_closed_now_is_closed_by_the_queue(
    bench: Workbench, authenticator: FakeAuthenticator
) -> None:
    client = ending(bench, authenticator, seconds=30)
    bench.replay_queue.sent.clear()
    bench.clock.sleep(30)
    bench.sockets.slow.add("me")
    client.say("ping")
    again = [(CheckSocket("me", 0), OPENING_SECONDS)]
    assert bench.replay_queue.sent == again
    deliver(bench)
    assert bench.replay_queue.sent == again
    bench.sockets.slow.clear()
    assert deliver(bench) == []
    assert client.is_closed


def test_a_revocation_closes_the_sockets_of_that_credential_alone(
    bench: Workbench, authenticator: FakeAuthenticator
) -> None:
    mine, other = SocketClient(bench, "mine"), SocketClient(bench, "other")
    mine.connect("Bearer first")
    other.connect("Bearer second")
    bench.engine.user_streams.follow(authenticator.callers["first"], Subscriber("mine"), "alice")
    authenticator.revoked.add("key-1")
    queue_revocation(bench.replay_queue, "alice", "key-1")
    deliver(bench)
    assert (mine.is_closed, other.is_closed) == (True, False)
    assert [frame["code"] for frame in mine.frames] == ["INVALID_CREDENTIAL"]
    assert bench.user_sockets.of("alice") == {"other"}
    assert bench.streams.followers("alice") == frozenset()


def test_a_revocation_closes_again_what_opened_meanwhile(bench: Workbench, authenticator: FakeAuthenticator) -> None:
    """An environment that read the key a moment before goes on to open sockets for half a minute."""
    queue_revocation(bench.replay_queue, "alice", "key-1")
    assert [delay for _, delay in bench.replay_queue.sent] == [0, REPEAT_SECONDS]
    first, second = bench.replay_queue.sent
    bench.replay_queue.sent = [first]
    deliver(bench)
    late = SocketClient(bench, "late")
    late.connect("Bearer first")
    authenticator.revoked.add("key-1")
    bench.replay_queue.sent = [second]
    deliver(bench)
    assert late.is_closed


def test_a_credential_that_is_not_revoked_keeps_its_sockets(bench: Workbench) -> None:
    client = SocketClient(bench)
    client.connect("Bearer first")
    queue_revocation(bench.replay_queue, "alice", "key-1")
    deliver(bench)
    assert not client.is_closed


def test_a_revocation_goes_on_where_a_function_died_or_a_call_failed(
    bench: Workbench, authenticator: FakeAuthenticator
) -> None:
    failing, half_closed = SocketClient(bench, "failing"), SocketClient(bench, "half closed")
    for client in (failing, half_closed):
        client.connect("Bearer first")
    bench.streams.disconnect("half closed")
    bench.sockets.slow.add("failing")
    authenticator.revoked.add("key-1")
    queue_revocation(bench.replay_queue, "alice", "key-1")
    deliver(bench)
    assert (failing.is_closed, half_closed.is_closed) == (False, True)
    assert bench.user_sockets.of("alice") == {"failing"}
    bench.sockets.slow.clear()
    deliver(bench)
    assert failing.is_closed
    assert bench.user_sockets.of("alice") == frozenset()


def test_a_socket_that_is_just_opening_is_closed_once_the_gateway_knows_it(
    bench: Workbench, authenticator: FakeAuthenticator
) -> None:
    client = SocketClient(bench)
    client.connect("Bearer first")
    bench.sockets.gone.add("me")
    authenticator.revoked.add("key-1")
    bench.replay_queue.send([CloseSockets("alice", "key-1")])
    assert deliver(bench) == [OPENING_SECONDS]
    bench.sockets.gone.clear()
    assert deliver(bench) == []
    assert client.is_closed


def test_a_credential_that_has_just_expired_opens_no_socket(
    bench: Workbench, authenticator: FakeAuthenticator
) -> None:
    """The authenticator allows for the difference of two clocks."""
    ends_at = bench.clock.now_ms() // 1000
    authenticator.callers["ended"] = Caller("alice", READ, Credential("", ends_at))
    assert SocketClient(bench).connect("Bearer ended") == 401
    assert bench.streams.connection("me") is None
