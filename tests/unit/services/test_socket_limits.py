"""Limits on sockets: how many a user may open, how much each may subscribe to, and how fast it may send."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from chalicelib.domain.errors import TooManyMessagesError
from chalicelib.domain.identity import Caller, Credential, Scope
from chalicelib.services.streams.message_limit import LimitMessages
from chalicelib.services.streams.user_sockets import PRUNE_SECONDS
from tests.support.authentication import FakeAuthenticator
from tests.support.socket_client import SocketClient
from tests.support.workbench import Workbench, a_workbench

READ = frozenset({Scope.READ})


def authenticated(**settings: int) -> Workbench:
    callers = {name: Caller(name, READ, Credential(f"key-{name}")) for name in ("alice", "bob")}
    return a_workbench(FakeAuthenticator(**callers), **settings)


def open_all(bench: Workbench, number: int, user: str = "alice") -> list[SocketClient]:
    clients = [SocketClient(bench, f"{user}-{index}") for index in range(number)]
    assert {client.connect(f"Bearer {user}") for client in clients} == {200}
    return clients


# --- sockets of a user --------------------------------------------------------------------------------------


def test_a_user_opens_ten_sockets_and_an_eleventh_once_one_is_closed() -> None:
    bench = authenticated()
    clients = open_all(bench, 10)
    late = SocketClient(bench, "late")
    assert late.connect("Bearer alice") == 429
    assert bench.streams.connection("late") is None
    assert SocketClient(bench, "other").connect("Bearer bob") == 200
    clients[0].leave()
    assert late.connect("Bearer alice") == 200


def test_handshakes_at_once_open_no_more_sockets_than_allowed() -> None:
    bench = authenticated(max_sockets_per_user=3)
    clients = [SocketClient(bench, str(number)) for number in range(20)]
    with ThreadPoolExecutor(20) as pool:
        statuses = list(pool.map(lambda client: client.connect("Bearer alice"), clients))
    assert statuses.count(200) == 3


def test_sockets_that_vanished_without_a_disconnect_make_room() -> None:
    bench = authenticated(max_sockets_per_user=2)
    open_all(bench, 2)
    bench.clock.sleep(60)
    bench.sockets.gone.add("alice-0")
    assert SocketClient(bench, "late").connect("Bearer alice") == 200
    assert bench.user_sockets.of("alice") == {"alice-1", "late"}
    assert bench.streams.connection("alice-0") is None


def test_a_socket_that_is_just_opening_is_not_taken_for_vanished() -> None:
    """API Gateway knows a connection once its ``$connect`` has returned."""
    bench = authenticated(max_sockets_per_user=1)
    open_all(bench, 1)
    bench.sockets.gone.add("alice-0")
    assert SocketClient(bench, "late").connect("Bearer alice") == 429


def test_vanished_sockets_are_looked_for_once_in_some_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = authenticated(max_sockets_per_user=2)
    open_all(bench, 2)
    bench.clock.sleep(60)
    asked: list[str] = []

    def is_open(connection_id: str) -> bool:
        asked.append(connection_id)
        return True

    monkeypatch.setattr(bench.sockets, "is_open", is_open)
    for number in range(5):
        assert SocketClient(bench, f"late-{number}").connect("Bearer alice") == 429
    assert len(asked) == 2
    bench.clock.sleep(PRUNE_SECONDS)
    SocketClient(bench, "late").connect("Bearer alice")
    assert len(asked) == 4


def test_a_limit_of_zero_sockets_is_none() -> None:
    open_all(authenticated(max_sockets_per_user=0), 30)


# --- subscriptions of a socket ------------------------------------------------------------------------------


@pytest.fixture
def bench() -> Workbench:
    return a_workbench(max_subscriptions_per_socket=3)


@pytest.fixture
def client(bench: Workbench) -> SocketClient:
    client = SocketClient(bench)
    client.connect()
    return client


def subscribed(client: SocketClient, order_id: str) -> str:
    """Subscribe to an order; returns the kind of the first answer, or the code of the error."""
    answer = client.say("subscribe", orderId=order_id)[0]
    return str(answer.get("code") or answer["type"])


def test_a_socket_subscribes_up_to_its_limit_and_unsubscribing_makes_room(
    bench: Workbench, client: SocketClient
) -> None:
    orders = [bench.submit() for _ in range(4)]
    assert [subscribed(client, one) for one in orders[:2]] == ["ack", "ack"]
    assert client.say("subscribe", userId="alice")[0]["type"] == "ack"
    assert subscribed(client, orders[2]) == "TOO_MANY_SUBSCRIPTIONS"
    assert client.say("subscribe", userId="bob")[0]["code"] == "TOO_MANY_SUBSCRIPTIONS"
    assert bench.streams.followers("bob") == frozenset()
    assert subscribed(client, orders[0]) == "ack"
    client.say("unsubscribe", userId="alice")
    assert subscribed(client, orders[2]) == "ack"


def test_terminal_orders_make_room(bench: Workbench, client: SocketClient) -> None:
    for _ in range(3):
        assert subscribed(client, bench.submit()) == "ack"
    bench.process_all()
    for _ in range(3):
        assert subscribed(client, bench.submit()) == "ack"
    assert subscribed(client, bench.submit()) == "TOO_MANY_SUBSCRIPTIONS"


def test_a_refused_subscription_takes_no_room(bench: Workbench, client: SocketClient) -> None:
    for number in range(5):
        assert subscribed(client, f"00000000-0000-4000-8000-00000000000{number}") == "ORDER_NOT_FOUND"
    connection = bench.streams.connection("me")
    assert connection is not None
    assert connection.subscriptions == frozenset()


def test_orders_that_a_socket_places_take_no_room(client: SocketClient) -> None:
    for _ in range(5):
        answers = client.say("execute_order", tokenIn="SOL", tokenOut="USDC", amountIn=1)
        assert answers[0]["type"] == "ack"


# --- messages of a socket -----------------------------------------------------------------------------------


def flooded(bench: Workbench, client: SocketClient, messages: int) -> list[str]:
    return [str(frame.get("code") or frame["type"]) for _ in range(messages) for frame in client.say("ping")]


@pytest.mark.parametrize("limit", [1, 10, 60, 600])
def test_a_flood_is_answered_once_and_the_socket_is_closed(limit: int) -> None:
    bench = a_workbench(max_messages_per_minute=limit)
    client = SocketClient(bench)
    client.connect()
    assert flooded(bench, client, limit + 50) == ["pong"] * limit + ["TOO_MANY_REQUESTS"]
    assert client.is_closed
    assert bench.streams.connection("me") is None


def test_messages_that_cannot_be_read_count_too() -> None:
    bench = a_workbench(max_messages_per_minute=10)
    client = SocketClient(bench)
    client.connect()
    codes = [frame["code"] for _ in range(30) for frame in client.send("{")]
    assert codes == ["MALFORMED_JSON"] * 10 + ["TOO_MANY_REQUESTS"]


def test_each_minute_allows_as_many_messages_again() -> None:
    bench = a_workbench(max_messages_per_minute=60)
    client = SocketClient(bench)
    client.connect()
    for _ in range(3):
        assert flooded(bench, client, 60) == ["pong"] * 60
        bench.clock.sleep(60)


def test_a_limit_of_zero_messages_is_none() -> None:
    bench = a_workbench(max_messages_per_minute=0)
    client = SocketClient(bench)
    client.connect()
    assert flooded(bench, client, 1000) == ["pong"] * 1000


def test_a_message_of_a_closed_socket_costs_no_call(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = a_workbench(max_messages_per_minute=10)
    client = SocketClient(bench)
    client.connect()
    flooded(bench, client, 11)
    for name in ("connection", "disconnect"):
        monkeypatch.setattr(bench.streams, name, lambda connection_id: 1 / 0)
    assert client.say("ping") == []


@pytest.mark.parametrize("environments", [2, 5, 10])
def test_environments_together_let_at_most_a_share_each_pass_beyond_the_limit(environments: int) -> None:
    """The share is a twentieth of the limit."""
    bench = a_workbench()
    SocketClient(bench).connect()
    limits = [LimitMessages(bench.socket_use, 600, lambda: 0) for _ in range(environments)]
    passed = 0
    for number in range(5000):
        try:
            limits[number % environments].admit("me")
        except TooManyMessagesError:
            break
        passed += 1
    assert 600 - 30 * environments <= passed <= 600 + 30 * environments


def test_a_count_is_written_once_for_a_share_of_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = a_workbench(max_messages_per_minute=600)
    client = SocketClient(bench)
    client.connect()
    written: list[int] = []
    count = bench.socket_use.count_messages

    def counted(connection_id: str, minute: int, number: int) -> object:
        written.append(number)
        return count(connection_id, minute, number)

    monkeypatch.setattr(bench.socket_use, "count_messages", counted)
    flooded(bench, client, 30)
    assert written == []
    flooded(bench, client, 570)
    assert len(written) == 19
    assert sum(written) == 600
