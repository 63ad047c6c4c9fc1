"""The status stream over real WebSocket connections: every address, and subscribers that join at any moment."""

import threading
import time
from contextlib import suppress

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from tests.e2e.client import HAPPY, Client, Json, Socket, an_order
from tests.support.stack import RunningStack

SEQUENCE = list(enumerate(HAPPY, start=1))


@pytest.mark.parametrize(
    "address",
    [
        "/ws/orders/{id}",
        "/api/orders/execute?orderId={id}",
        "/ws?orderId={id}",
        "/api/orders/connect?orderId={id}",
        "{bare}?orderId={id}",
    ],
)
def test_every_address_of_the_contract_delivers_the_complete_stream(
    client: Client, stack: RunningStack, address: str
) -> None:
    order_id = client.accept()["orderId"]
    with client.socket(address.format(id=order_id, bare=stack.endpoints["websocket"])) as socket:
        socket.until_terminal(order_id)
    assert socket.updates(order_id) == SEQUENCE


def test_one_socket_places_an_order_and_receives_its_updates(client: Client) -> None:
    with client.socket() as socket:
        socket.say(action="execute_order", requestId="r-1", **an_order(amountIn="1.5"))
        ack = socket.next()
        assert ack["type"] == "ack"
        assert ack["requestId"] == "r-1"
        socket.until_terminal(ack["orderId"])
    assert socket.updates(ack["orderId"]) == SEQUENCE


def test_one_socket_receives_the_updates_of_many_orders_each_in_sequence(client: Client) -> None:
    with client.socket() as socket:
        ids = []
        for number in range(5):
            socket.say(action="execute_order", requestId=number, **an_order(amountIn="1"))
            ids.append(socket.until("ack", requestId=number)["orderId"])
        socket.until_terminal(*ids)
    for order_id in ids:
        assert socket.updates(order_id) == SEQUENCE


@pytest.mark.parametrize("after_seq", [0, 3, 6])
def test_a_stream_resumes_after_any_seq_even_of_a_terminal_order(client: Client, after_seq: int) -> None:
    order_id = client.accept()["orderId"]
    with client.socket(f"/ws/orders/{order_id}") as first:
        first.until_terminal(order_id)
    with client.socket(f"/ws/orders/{order_id}?afterSeq={after_seq}") as late:
        assert late.until("live") == {"type": "live", "orderId": order_id, "seq": 6}
        late.say(action="subscribe", orderId=order_id, afterSeq=6)
        late.until("ack")
        late.until("live", orderId=order_id, seq=6)
    assert late.updates(order_id) == SEQUENCE[after_seq:]


def test_twenty_sockets_that_join_at_any_time_all_receive_every_frame_in_sequence(client: Client) -> None:
    order_id = client.accept(simulate="slow:100")["orderId"]
    sockets: list[Socket] = []

    def watch() -> None:
        with client.socket(f"/ws/orders/{order_id}") as socket:
            sockets.append(socket)
            socket.until_terminal(order_id)

    threads = [threading.Thread(target=watch) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [socket.updates(order_id) for socket in sockets] == [SEQUENCE] * 20


def test_a_socket_that_disconnects_early_does_not_affect_the_others(client: Client) -> None:
    order_id = client.accept(simulate="slow:200")["orderId"]
    with client.socket(f"/ws/orders/{order_id}") as stays:
        with client.socket(f"/ws/orders/{order_id}") as leaves:
            leaves.next()
        stays.until_terminal(order_id)
    assert stays.updates(order_id) == SEQUENCE
    assert client.record(order_id)["status"] == "confirmed"


def test_a_user_stream_contains_exactly_the_orders_of_its_user(client: Client) -> None:
    with client.socket("/ws?userId=dave") as socket:
        # The subscription takes effect some time after the handshake: wait for an order placed before it.
        first = client.accept(userId="dave", simulate="slow:300")["orderId"]
        client.accept(userId="erin")
        socket.until_terminal(first)
        second = client.accept(userId="dave")["orderId"]
        socket.until_terminal(second)
    assert {frame["orderId"] for frame in socket.update_frames} == {first, second}
    assert socket.updates(second) == SEQUENCE


def test_coarse_frames_have_the_phase_as_status_and_the_status_as_detail(client: Client) -> None:
    order_id = client.accept()["orderId"]
    with client.socket(f"/ws/orders/{order_id}?statuses=coarse") as socket:
        socket.until_terminal(order_id)
    assert [frame["status"] for frame in socket.update_frames] == ["queued", *["processing"] * 4, "completed"]
    assert [frame["detailedStatus"] for frame in socket.update_frames] == HAPPY


def test_a_socket_receives_no_updates_after_it_unsubscribes(client: Client) -> None:
    with client.socket() as socket:
        socket.say(action="execute_order", **an_order(simulate="slow:500"))
        order_id = socket.until("ack")["orderId"]
        socket.say(action="unsubscribe", orderId=order_id, requestId="u")
        socket.until("ack", requestId="u")
        with client.socket(f"/ws/orders/{order_id}") as other:
            other.until_terminal(order_id)
        socket.say(action="ping")
        socket.until("pong")
    assert (6, "confirmed") not in socket.updates(order_id)


def test_ping_keeps_a_connection_open(client: Client) -> None:
    with client.socket() as socket:
        socket.say(action="ping", requestId="p")
        pong = socket.until("pong", requestId="p")
    assert pong["at"].endswith("Z")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("not json", "MALFORMED_JSON"),
        ("[1]", "MALFORMED_JSON"),
        ("[" * 5000, "MALFORMED_JSON"),
        ('{"action": "fly"}', "UNKNOWN_ACTION"),
        ("{}", "UNKNOWN_ACTION"),
        ('{"action": "subscribe", "orderId": "x"}', "INVALID_STREAM"),
        ('{"action": "subscribe"}', "INVALID_STREAM"),
        ('{"action": "execute_order", "tokenIn": "SOL"}', "INVALID_ORDER"),
        ('{"action": "execute_order", "amountIn": NaN}', "MALFORMED_JSON"),
        (f'{{"action": "ping", "x": "{"y" * 17000}"}}', "BODY_TOO_LARGE"),
    ],
)
def test_an_invalid_message_is_answered_with_an_error_and_the_socket_stays_open(
    client: Client, text: str, code: str
) -> None:
    with client.socket() as socket:
        socket.say_raw(text)
        error = socket.next()
        assert (error["type"], error["code"]) == ("error", code)
        socket.say(action="ping")
        socket.until("pong")


def test_a_flood_on_a_socket_is_answered_once_and_closed_while_another_socket_is_served(client: Client) -> None:
    with client.socket() as other, client.socket() as socket:

        def flood() -> None:
            # More than the limit of two minutes, because one may begin amid it, and what each worker lets pass.
            with suppress(ConnectionClosed):
                for _ in range(2000):
                    socket.say(action="ping")

        sender = threading.Thread(target=flood)
        sender.start()
        other.say(action="ping")
        other.until("pong")
        with suppress(ConnectionClosed):
            while True:
                socket.next()
        sender.join()
    kinds = [frame.get("code", frame["type"]) for frame in socket.frames]
    assert kinds[-1] == "TOO_MANY_REQUESTS"
    assert set(kinds[:-1]) == {"pong"}


def test_a_socket_has_a_limited_number_of_subscriptions_to_orders_that_are_not_over(client: Client) -> None:
    orders = [client.accept(type="limit", limitPrice=900, userId=f"many-{n % 4}")["orderId"] for n in range(51)]
    with client.socket() as socket:
        for order_id in orders[:50]:
            socket.say(action="subscribe", orderId=order_id)
            socket.until("ack", orderId=order_id)
        socket.say(action="subscribe", orderId=orders[50], requestId="late")
        assert socket.until("error", requestId="late")["code"] == "TOO_MANY_SUBSCRIPTIONS"
        client.engine.cancel(orders[0])
        # The search for orders that are over comes at most once in five seconds.
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            socket.say(action="subscribe", orderId=orders[50], requestId="again")
            if any(frame["type"] == "ack" for frame in _answers(socket, "again")):
                break
        else:
            pytest.fail("a terminal order still takes room")
    for user in range(4):
        client.engine.cancel_all(f"many-{user}")


def _answers(socket: Socket, request_id: str) -> list[Json]:
    """The frames up to the answer to a message."""
    frames = [socket.next()]
    while frames[-1].get("requestId") != request_id:
        frames.append(socket.next())
    return frames


def test_a_ticket_is_issued_and_opens_a_socket_that_brings_no_credential(client: Client) -> None:
    answer = client.request("POST", "/api/stream-tickets")
    assert answer.status_code == 201
    assert answer.json().keys() == {"token", "expiresAt"}
    with Client(client.http, client.ws).socket(f"/ws?token={answer.json()['token']}") as socket:
        socket.say(action="ping")
        socket.until("pong")


def test_an_unknown_order_is_answered_with_order_not_found_on_every_path(client: Client) -> None:
    unknown_id = "00000000-0000-4000-8000-000000000000"
    with client.socket(f"/ws/orders/{unknown_id}") as socket:
        error = socket.next()
        assert (error["type"], error["code"], error["status"]) == ("error", "ORDER_NOT_FOUND", 404)
        socket.say(action="subscribe", orderId=unknown_id, requestId="s")
        error = socket.next()
        assert (error["code"], error["requestId"]) == ("ORDER_NOT_FOUND", "s")


def test_a_malformed_id_in_the_address_is_answered_with_an_error_frame(client: Client) -> None:
    with client.socket("/ws?orderId=nonsense&afterSeq=minus") as socket:
        error = socket.next()
    assert error["type"] == "error"
    assert {one["field"] for one in error["errors"]} == {"orderId", "afterSeq"}


def test_the_handshake_on_a_path_without_a_stream_is_refused(client: Client) -> None:
    with pytest.raises(InvalidStatus), client.socket("/api/tokens"):
        pass


def test_the_path_decides_over_the_query(client: Client) -> None:
    named, other = client.accept()["orderId"], client.accept()["orderId"]
    with client.socket(f"/ws/orders/{named}?orderId={other}") as socket:
        socket.until_terminal(named)
    assert {frame["orderId"] for frame in socket.frames} == {named}


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("orderId={id}&orderId={id}", {"orderId"}),
        ("orderId={id}&statuses=fine&afterseq=4&foo=1", {"statuses", "afterseq", "foo"}),
        ("statuses=Coarse", {"statuses"}),
        ("message=1", {"message"}),
    ],
)
@pytest.mark.parametrize("address", ["/ws", "{bare}"])
def test_a_wrong_stream_parameter_is_told_on_a_socket_that_stays_open(
    client: Client, stack: RunningStack, address: str, query: str, fields: set[str]
) -> None:
    order_id = client.accept()["orderId"]
    bare = stack.endpoints["websocket"]
    with client.socket(f"{address.format(bare=bare)}?{query.format(id=order_id)}") as socket:
        error = socket.next()
        assert (error["type"], error["code"]) == ("error", "INVALID_STREAM")
        assert {one["field"] for one in error["errors"]} == fields
        socket.say(action="ping")
        assert socket.next()["type"] == "pong"


def test_a_stream_ahead_of_its_order_starts_when_the_order_gets_there(client: Client) -> None:
    order_id = client.accept(type="limit", limitPrice=100_000)["orderId"]
    with client.socket("/ws") as socket:
        socket.say(action="subscribe", orderId=order_id, afterSeq=4)
        socket.until("ack", orderId=order_id)
        # The answer to a second message follows the replay of the first.
        socket.say(action="ping")
        socket.until("pong")
        for price in range(4):
            client.engine.amend(order_id, limit_price=90_000 + price)
        socket.until("ORDER_UPDATE", seq=6)
    assert [seq for seq, _ in socket.updates(order_id)] == [5, 6]


@pytest.mark.parametrize(
    ("offered", "chosen"), [(["orders.v1"], "orders.v1"), (["x", "orders.v1"], "orders.v1"), (["x"], None)]
)
def test_the_known_subprotocol_is_accepted(client: Client, offered: list[Subprotocol], chosen: str | None) -> None:
    with connect(f"{client.ws}/ws", subprotocols=offered, additional_headers=client.credential) as connection:
        assert connection.subprotocol == chosen


def test_leaving_twice_is_acknowledged_twice(client: Client) -> None:
    order_id = client.accept(type="limit", limitPrice=100_000)["orderId"]
    with client.socket() as socket:
        for action in ("subscribe", "unsubscribe", "unsubscribe"):
            socket.say(action=action, orderId=order_id)
            assert socket.until("ack")["action"] == action
