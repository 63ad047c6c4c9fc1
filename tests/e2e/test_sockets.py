"""The status stream over real WebSocket connections: every door, every moment of joining, many of each."""

import threading

import pytest
from websockets.exceptions import InvalidStatus

from tests.e2e.client import HAPPY, Client, Socket, an_order
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
def test_every_address_of_the_contract_brings_the_whole_stream(
    client: Client, stack: RunningStack, address: str
) -> None:
    order_id = client.accept()["orderId"]
    with client.socket(address.format(id=order_id, bare=stack.endpoints["websocket"])) as socket:
        socket.until_over(order_id)
    assert socket.updates(order_id) == SEQUENCE


def test_an_order_is_submitted_and_watched_on_one_socket(client: Client) -> None:
    with client.socket() as socket:
        socket.say(action="execute_order", requestId="r-1", **an_order(amountIn="1.5"))
        ack = socket.next()
        assert ack["type"] == "ack"
        assert ack["requestId"] == "r-1"
        socket.until_over(ack["orderId"])
    assert socket.updates(ack["orderId"]) == SEQUENCE


def test_many_orders_on_one_socket_each_come_in_order(client: Client) -> None:
    with client.socket() as socket:
        ids = []
        for number in range(5):
            socket.say(action="execute_order", requestId=number, **an_order(amountIn="1"))
            ids.append(socket.until("ack", requestId=number)["orderId"])
        socket.until_over(*ids)
    for order_id in ids:
        assert socket.updates(order_id) == SEQUENCE


@pytest.mark.parametrize("after_seq", [0, 3, 6])
def test_a_stream_is_resumed_where_it_broke_off_even_after_the_end(client: Client, after_seq: int) -> None:
    order_id = client.accept()["orderId"]
    with client.socket(f"/ws/orders/{order_id}") as first:
        first.until_over(order_id)
    with client.socket(f"/ws/orders/{order_id}?afterSeq={after_seq}") as late:
        late.say(action="subscribe", orderId=order_id, afterSeq=6)
        late.until("ack")
        if after_seq < 6:
            late.until_over(order_id)
    assert late.updates(order_id) == SEQUENCE[after_seq:]


def test_twenty_sockets_joining_at_any_time_all_get_every_frame_in_order(client: Client) -> None:
    order_id = client.accept(simulate="slow:100")["orderId"]
    sockets: list[Socket] = []

    def watch() -> None:
        with client.socket(f"/ws/orders/{order_id}") as socket:
            sockets.append(socket)
            socket.until_over(order_id)

    threads = [threading.Thread(target=watch) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [socket.updates(order_id) for socket in sockets] == [SEQUENCE] * 20


def test_a_socket_that_leaves_in_the_middle_does_not_disturb_the_others(client: Client) -> None:
    order_id = client.accept(simulate="slow:200")["orderId"]
    with client.socket(f"/ws/orders/{order_id}") as stays:
        with client.socket(f"/ws/orders/{order_id}") as leaves:
            leaves.next()
        stays.until_over(order_id)
    assert stays.updates(order_id) == SEQUENCE
    assert client.record(order_id)["status"] == "confirmed"


def test_a_user_stream_brings_all_of_the_users_orders_and_nobody_elses(client: Client) -> None:
    with client.socket("/ws?userId=dave") as socket:
        # The connection is followed from the first frame on: wait for one that was there before.
        first = client.accept(userId="dave", simulate="slow:300")["orderId"]
        client.accept(userId="erin")
        socket.until_over(first)
        second = client.accept(userId="dave")["orderId"]
        socket.until_over(second)
    assert {frame["orderId"] for frame in socket.frames} == {first, second}
    assert socket.updates(second) == SEQUENCE


def test_coarse_frames_tell_the_phase_and_the_status_as_detail(client: Client) -> None:
    order_id = client.accept()["orderId"]
    with client.socket(f"/ws/orders/{order_id}?statuses=coarse") as socket:
        socket.until_over(order_id)
    assert [frame["status"] for frame in socket.frames] == ["queued", *["processing"] * 4, "completed"]
    assert [frame["detailedStatus"] for frame in socket.frames] == HAPPY


def test_who_unsubscribes_hears_no_more(client: Client) -> None:
    with client.socket() as socket:
        socket.say(action="execute_order", **an_order(simulate="slow:500"))
        order_id = socket.until("ack")["orderId"]
        socket.say(action="unsubscribe", orderId=order_id, requestId="u")
        socket.until("ack", requestId="u")
        with client.socket(f"/ws/orders/{order_id}") as other:
            other.until_over(order_id)
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
def test_what_cannot_be_understood_is_answered_and_the_socket_stays_open(
    client: Client, text: str, code: str
) -> None:
    with client.socket() as socket:
        socket.say_raw(text)
        error = socket.next()
        assert (error["type"], error["code"]) == ("error", code)
        socket.say(action="ping")
        socket.until("pong")


def test_an_unknown_order_is_said_to_be_unknown_however_it_is_asked_for(client: Client) -> None:
    nobody = "00000000-0000-4000-8000-000000000000"
    with client.socket(f"/ws/orders/{nobody}") as socket:
        error = socket.next()
        assert (error["type"], error["code"], error["status"]) == ("error", "ORDER_NOT_FOUND", 404)
        socket.say(action="subscribe", orderId=nobody, requestId="s")
        error = socket.next()
        assert (error["code"], error["requestId"]) == ("ORDER_NOT_FOUND", "s")


def test_a_malformed_id_in_the_address_is_answered_with_an_error_frame(client: Client) -> None:
    with client.socket("/ws?orderId=nonsense&afterSeq=minus") as socket:
        error = socket.next()
    assert error["type"] == "error"
    assert {one["field"] for one in error["errors"]} == {"orderId", "afterSeq"}


def test_a_path_that_is_no_stream_is_refused_at_the_handshake(client: Client) -> None:
    with pytest.raises(InvalidStatus), client.socket("/api/tokens"):
        pass
