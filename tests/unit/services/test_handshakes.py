"""Sockets with authentication: who may open one, and what its caller may do on it."""

from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError

from chalicelib.domain.identity import Caller, Credential, Scope
from chalicelib.domain.status import Status
from chalicelib.ports.streams import Connection
from tests.support.authentication import FakeAuthenticator
from tests.support.socket_client import SocketClient, deliver
from tests.support.workbench import Workbench, a_workbench

BOTH = frozenset({Scope.READ, Scope.TRADE})
ALICE = Caller("alice", BOTH, Credential("key-a"))
BOB = Caller("bob", BOTH, Credential("key-b"))
READER = Caller("alice", frozenset({Scope.READ}), Credential("key-r"))
TRADER = Caller("alice", frozenset({Scope.TRADE}), Credential("key-t"))
ORDER = {"tokenIn": "SOL", "tokenOut": "USDC", "amountIn": 1}


@pytest.fixture
def bench() -> Workbench:
    return a_workbench(FakeAuthenticator(alice=ALICE, bob=BOB, reader=READER, trader=TRADER))


@pytest.fixture
def client(bench: Workbench) -> SocketClient:
    return SocketClient(bench)


def ticket(bench: Workbench, caller: Caller = ALICE) -> str:
    return bench.engine.tickets.issue(caller).token


def test_a_ticket_or_a_credential_opens_a_socket_for_its_caller(bench: Workbench) -> None:
    assert SocketClient(bench, "one").connect(token=ticket(bench)) == 200
    assert SocketClient(bench, "two").connect("Bearer bob") == 200
    callers = [getattr(bench.streams.connection(one), "caller", None) for one in ("one", "two")]
    assert callers == [ALICE, BOB]


@pytest.mark.parametrize(
    ("authorizations", "tokens"),
    [
        ([], []),
        ([""], []),
        (["Bearer nobody"], []),
        (["Bearer alice", "Bearer alice"], []),
        ([], [""]),
        ([], ["alice"]),
        ([], ["Bearer alice"]),
        ([], ["oet_nonsense"]),
        ([], ["TICKET", "TICKET"]),
        (["Bearer alice"], ["TICKET"]),
        (["Bearer alice"], [""]),
        (["Bearer TICKET"], []),
    ],
)
def test_a_handshake_that_proves_no_caller_is_refused_and_leaves_nothing(
    bench: Workbench, client: SocketClient, authorizations: list[str], tokens: list[str]
) -> None:
    token = ticket(bench)
    query: dict[str, Any] = {"token": [one.replace("TICKET", token) for one in tokens]} if tokens else {}
    assert client.connect(*(one.replace("TICKET", token) for one in authorizations), **query, userId="alice") == 401
    assert bench.streams.connection("me") is None
    assert bench.user_sockets.of("alice") == frozenset()
    assert bench.replay_queue.sent == []


def test_a_caller_without_the_scope_is_refused(client: SocketClient) -> None:
    assert client.connect("Bearer trader") == 403


def test_a_handshake_is_unavailable_while_a_table_does_not_answer(
    bench: Workbench, client: SocketClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(digest: str) -> None:
        raise ConnectTimeoutError(endpoint_url="table")

    token = ticket(bench)
    monkeypatch.setattr(bench.tickets, "take", away)
    assert client.connect(token=token) == 503


def test_a_bug_in_a_handshake_is_raised_for_the_alarm(
    bench: Workbench, client: SocketClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench.streams, "connect", lambda connection: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        client.connect("Bearer alice")


def test_no_log_queue_or_frame_holds_a_token(
    bench: Workbench, client: SocketClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    token, unused = ticket(bench), ticket(bench)
    assert client.connect(token=token, orderId="x") == 200
    assert client.connect(token=[unused, unused]) == 401
    deliver(bench)
    told = repr([(vars(record), record.getMessage()) for record in caplog.records]) + repr(bench.sockets.frames)
    for secret in (token, unused):
        assert secret not in told + repr(bench.replay_queue.sent)


@pytest.mark.parametrize(("stream", "code"), [("orderId", "ORDER_NOT_FOUND"), ("userId", "MISSING_SCOPE")])
def test_the_stream_of_an_address_needs_the_rights_of_its_caller(
    bench: Workbench, client: SocketClient, stream: str, code: str
) -> None:
    order_id = bench.submit(user_id="alice")
    query = {stream: order_id if stream == "orderId" else "alice"}
    stranger = SocketClient(bench, "stranger")
    assert client.connect("Bearer alice", **query) == 200
    assert stranger.connect("Bearer bob", **query) == 200
    deliver(bench)
    bench.process_all()
    assert bench.sockets.updates("me")[0][0] == 1
    [answer] = stranger.frames
    assert (answer["type"], answer["code"]) == ("error", code)


def test_an_order_over_a_socket_belongs_to_its_caller(bench: Workbench, client: SocketClient) -> None:
    client.connect("Bearer alice")
    [ack, *_] = client.say("execute_order", **ORDER)
    assert bench.order(ack["orderId"]).spec.user_id == "alice"


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        ("execute_order", ORDER | {"userId": "bob"}),
        ("subscribe", {"userId": "bob"}),
        ("unsubscribe", {"userId": "bob"}),
        ("cancel_order", {"userId": "bob"}),
    ],
)
def test_an_action_for_another_user_is_forbidden(client: SocketClient, action: str, fields: dict[str, Any]) -> None:
    client.connect("Bearer alice")
    [answer] = client.say(action, requestId=1, **fields)
    assert (answer["type"], answer["status"], answer["code"]) == ("error", 403, "MISSING_SCOPE")


@pytest.mark.parametrize("action", ["subscribe", "cancel_order"])
def test_an_order_of_another_user_is_as_one_that_is_not_there(
    bench: Workbench, client: SocketClient, action: str
) -> None:
    order_id = bench.submit(user_id="bob")
    client.connect("Bearer alice")
    answers = [client.say(action, orderId=one) for one in (order_id, "00000000-0000-4000-8000-000000000000")]
    assert answers[0] == answers[1]
    assert answers[0][0]["code"] == "ORDER_NOT_FOUND"
    assert bench.order(order_id).status is Status.PENDING
    connection = bench.streams.connection("me")
    assert connection is not None
    assert connection.subscriptions == frozenset()


def test_an_action_needs_its_scope(client: SocketClient) -> None:
    client.connect("Bearer reader")
    assert client.say("execute_order", **ORDER)[0]["code"] == "MISSING_SCOPE"
    assert client.say("ping")[0]["type"] == "pong"


def test_a_message_on_a_socket_that_the_engine_does_not_know_closes_it_unanswered(client: SocketClient) -> None:
    assert client.say("ping") == []
    assert client.is_closed


def test_a_socket_from_before_authentication_was_switched_on_is_told_so_and_closed(
    bench: Workbench, client: SocketClient
) -> None:
    bench.streams.connect(Connection("me", coarse=False, expires_at=2**40))
    [answer] = client.say("ping")
    assert answer["code"] == "MISSING_CREDENTIAL"
    assert client.is_closed


def test_without_authentication_any_token_opens_a_socket_and_the_message_names_the_user() -> None:
    bench = a_workbench()
    client = SocketClient(bench)
    assert client.connect("Bearer x", token="anything") == 200
    [ack, *_] = client.say("execute_order", **ORDER, userId="carol")
    assert bench.order(ack["orderId"]).spec.user_id == "carol"
    assert bench.user_sockets.of("carol") == frozenset()


@pytest.mark.parametrize(
    "secret", ["TICKET", "oee_local_Abc123_0123456789", "a" * 20 + "." + "b" * 20 + "." + "c" * 20]
)
@pytest.mark.parametrize("place", ["name", "orderId", "userId"])
def test_a_credential_in_the_wrong_place_of_an_address_is_repeated_nowhere(
    bench: Workbench, client: SocketClient, caplog: pytest.LogCaptureFixture, secret: str, place: str
) -> None:
    caplog.set_level("DEBUG")
    secret = secret.replace("TICKET", ticket(bench, BOB))
    query: dict[str, Any] = {secret: "1"} if place == "name" else {place: secret}
    assert client.connect("Bearer alice", **query) == 200
    queued = repr(bench.replay_queue.sent)
    deliver(bench)
    told = repr([(vars(record), record.getMessage()) for record in caplog.records]) + repr(bench.sockets.frames)
    assert client.frames[-1]["type"] == "error"
    assert secret not in told + queued


def test_handshakes_and_messages_count_as_requests_of_their_user() -> None:
    bench = a_workbench(FakeAuthenticator(alice=ALICE, bob=BOB), max_requests_per_minute=60)
    clients = [SocketClient(bench, str(number)) for number in range(3)]
    assert [client.connect("Bearer alice") for client in clients] == [200] * 3
    answers = [
        frame.get("code", frame["type"]) for _ in range(20) for client in clients for frame in client.say("ping")
    ]
    assert answers[:7] == ["pong"] * 7
    assert set(answers[7:]) == {"TOO_MANY_REQUESTS"}
    assert not clients[0].is_closed
    assert SocketClient(bench, "late").connect("Bearer alice") == 429
    assert SocketClient(bench, "other").connect("Bearer bob") == 200
    bench.clock.sleep(10)
    assert [frame["type"] for frame in clients[0].say("ping")] == ["pong"]
