"""One user probes the orders of another through every door, ten thousand times, and learns and changes nothing."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any
from uuid import uuid4

import pytest
from websockets.exceptions import InvalidStatus

from tests.e2e.client import Client, Json, an_order, parse

_PROBES, _SOCKET_PROBES, _THREADS = 9_000, 1_000, 4


@dataclass(frozen=True)
class Probe:
    """A call; ``{}`` in its path is an order's id."""

    method: str
    path: str
    body: Json | None = None


ABOUT_AN_ORDER = (
    Probe("GET", "/api/orders/{}"),
    Probe("GET", "/api/orders/status/{}"),
    Probe("GET", "/api/orders/{}/events"),
    Probe("GET", "/api/orders/{}/events?afterSeq=1"),
    Probe("GET", "/api/orders/{}/events?afterSeq=9&wait=20"),
    Probe("GET", "/api/orders/{}?atSeq=1"),
    Probe("GET", "/api/orders/{}/explain"),
    Probe("PATCH", "/api/orders/{}", {"limitPrice": "1"}),
    Probe("DELETE", "/api/orders/{}"),
)
ABOUT_A_USER = (
    Probe("GET", "/api/orders?userId=alice"),
    Probe("GET", "/api/orders?userId=alice&status=open"),
    Probe("GET", "/api/stats?userId=alice"),
    Probe("DELETE", "/api/orders?userId=alice"),
    Probe("POST", "/api/orders/execute", an_order(userId="alice")),
    Probe("POST", "/orders", an_order(userId="alice")),
    Probe("POST", "/api/orders/preview", an_order(userId="alice")),
)
OF_OPERATORS = (Probe("POST", "/api/market/events", {"type": "price", "pair": "SOL/USDC", "price": "1"}),)
#: Messages on a socket; ``{}`` is an order's id.
MESSAGES: tuple[Json, ...] = (
    {"action": "subscribe", "orderId": "{}"},
    {"action": "subscribe", "orderId": "{}", "afterSeq": 1},
    {"action": "unsubscribe", "userId": "alice"},
    {"action": "subscribe", "userId": "alice"},
    {"action": "cancel_order", "orderId": "{}"},
    {"action": "cancel_order", "userId": "alice"},
    {"action": "execute_order", **an_order(amountIn="1", userId="alice")},
)


@pytest.fixture(scope="module")
def targets(alice: Client) -> list[str]:
    """Orders of Alice's: open, cancelled and confirmed."""
    open_order = alice.accept(type="limit", limitPrice="1000000", clientOrderId="of-alice")["orderId"]
    cancelled = alice.accept(type="limit", limitPrice="1000000")["orderId"]
    alice.engine.cancel(cancelled)
    confirmed = alice.accept()["orderId"]
    alice.ended(confirmed)
    return [open_order, cancelled, confirmed]


@pytest.fixture
def unchanged(alice: Client, targets: list[str]) -> Any:
    before = [alice.record(order_id) for order_id in targets]
    yield
    assert [alice.record(order_id) for order_id in targets] == before


def told(text: str, order_id: str) -> Json:
    """What a problem says, without the ids of the order and of the request."""
    problem: Json = parse(text.replace(order_id, ""))
    problem.pop("requestId", None)
    return problem


@pytest.mark.usefixtures("unchanged")
def test_probes_over_http_are_answered_as_for_orders_that_do_not_exist(bob: Client, targets: list[str]) -> None:
    unknown = str(uuid4())
    answers = {probe.path + probe.method: told(ask(bob, probe, unknown).text, unknown) for probe in ABOUT_AN_ORDER}
    local = threading.local()

    def fault(work: tuple[Probe, str]) -> str | None:
        probe, order_id = work
        if not hasattr(local, "bob"):
            local.bob = Client(bob.http, bob.ws, bob.key)
        answer = ask(local.bob, probe, order_id)
        problem = told(answer.text, order_id)
        if probe in ABOUT_AN_ORDER:
            is_right = answer.status_code == 404 and problem == answers[probe.path + probe.method]
        else:
            is_right = answer.status_code == 403 and problem["code"] == "MISSING_SCOPE"
        return None if is_right else f"{probe}: {answer.status_code} {answer.text}"

    probes = islice(cycle((*ABOUT_AN_ORDER, *ABOUT_A_USER, *OF_OPERATORS)), _PROBES)
    with ThreadPoolExecutor(_THREADS) as executor:
        faults = [found for found in executor.map(fault, zip(probes, cycle(targets), strict=False)) if found]
    assert faults == []


@pytest.mark.usefixtures("unchanged")
def test_probes_on_a_socket_bring_errors_alone_and_no_frame_of_the_order(bob: Client, targets: list[str]) -> None:
    with bob.socket() as socket:
        work = islice(zip(cycle(MESSAGES), cycle(targets), strict=False), _SOCKET_PROBES)
        for number, (message, order_id) in enumerate(work):
            filled = {name: order_id if value == "{}" else value for name, value in message.items()}
            socket.say(requestId=number, **filled)
            frame = socket.next()
            expected = ("error", 404) if "orderId" in message else ("error", 403)
            assert (frame["type"], frame["status"], frame["requestId"]) == (*expected, number), frame
            assert order_id not in str(frame)


@pytest.mark.parametrize("query", ["orderId={}", "orderId={}&afterSeq=1", "userId=alice"])
def test_a_handshake_that_asks_for_the_stream_of_another_brings_an_error_alone(
    bob: Client, targets: list[str], query: str
) -> None:
    for order_id in targets:
        with bob.socket("/ws?" + query.format(order_id)) as socket:
            frame = socket.next()
            socket.say(action="ping", requestId="after")
            frames = [frame, socket.until("pong", requestId="after")]
        assert [one["type"] for one in socket.frames] == ["error", "pong"]
        assert frames[0]["status"] == (403 if "alice" in query else 404)


def test_a_key_of_one_user_is_not_taken_by_another(alice: Client, bob: Client, targets: list[str]) -> None:
    """Idempotency keys and client order ids belong to their user."""
    shared: list[Json] = [{"key": "shared"}, {"clientOrderId": "shared-2"}]
    mine = [alice.order(**order).json()["orderId"] for order in shared]
    theirs = [bob.order(**order).json()["orderId"] for order in shared]
    assert not set(mine) & set(theirs)
    assert bob.listed(client_order_id="of-alice") == []
    assert {order["userId"] for order in bob.listed()} == {"bob"}


def test_a_cursor_of_one_user_is_not_valid_for_another(alice: Client, bob: Client, targets: list[str]) -> None:
    cursor = parse(alice.get("/api/orders", limit=1).text)["nextCursor"]
    assert parse(alice.get("/api/orders", limit=1, cursor=cursor).text)["orders"]
    answer = bob.get("/api/orders", limit=1, cursor=cursor)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "CURSOR_INVALID")


def test_a_follower_is_told_of_their_own_orders_alone(alice: Client, bob: Client) -> None:
    with bob.socket("/ws?userId=bob") as socket:
        socket.say(action="subscribe", userId="bob")
        socket.until("ack")
        theirs, mine = alice.accept()["orderId"], bob.accept()["orderId"]
        socket.until_terminal(mine)
    told_of = {frame["orderId"] for frame in socket.frames if "orderId" in frame}
    assert mine in told_of
    assert theirs not in told_of
    assert {bob.record(order_id)["userId"] for order_id in told_of} == {"bob"}


@pytest.mark.parametrize("probe", [*ABOUT_AN_ORDER, *ABOUT_A_USER, *OF_OPERATORS], ids=str)
def test_a_stranger_gets_nowhere(stranger: Client, targets: list[str], probe: Probe) -> None:
    answer = ask(stranger, probe, targets[0])
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.json()["code"] == "MISSING_CREDENTIAL"


@pytest.mark.parametrize("path", ["/ws", "/ws/orders/{}", "/ws?userId=alice", "/ws?orderId={}&token=nonsense"])
def test_a_stranger_opens_no_socket(stranger: Client, targets: list[str], path: str) -> None:
    with pytest.raises(InvalidStatus) as refused, stranger.socket(path.format(targets[0])):
        pass
    # API Gateway answers 401; the local emulator has one answer for every refusal.
    assert refused.value.response.status_code in (401, 403)


def ask(client: Client, probe: Probe, order_id: str) -> Any:
    return client.request(probe.method, probe.path.format(order_id), probe.body)
