"""The local door cuts silent sockets, and all of them after some time, as API Gateway does: nothing is lost."""

import time
from collections.abc import Callable, Iterator

import pytest
from websockets.exceptions import ConnectionClosed

from orderengine import Reconnect
from tests.e2e.client import Client, Socket
from tests.support.stack import running_stack

pytestmark = pytest.mark.stack

IDLE_SECONDS, MAX_SECONDS = 3, 8
ENVIRONMENT = {
    "SOCKET_IDLE_SECONDS": str(IDLE_SECONDS),
    "SOCKET_MAX_SECONDS": str(MAX_SECONDS),
    "VENUE_TIME_SCALE": "0.1",
    "RATE_LIMIT_PER_MINUTE": "0",
}
GOING_AWAY = 1001


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with running_stack(tmp_path_factory.mktemp("stack"), ENVIRONMENT) as stack:
        yield Client(stack.endpoints["http"], stack.endpoints["ws"])


def close_code(socket: Socket, speak: Callable[[], None]) -> int | None:
    """Speak and read in turn until the server closes the socket; return its close code."""
    try:
        while True:
            speak()
            socket.next()
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else None


def waiting_order(client: Client, limit: int) -> str:
    return str(client.accept(type="limit", limitPrice=limit)["orderId"])


def push_price(client: Client, price: int) -> None:
    client.push_event(type="price", pair="SOL/USDC", price=price)


def test_a_silent_socket_is_cut_and_resumes_after_the_last_event_without_a_loss(client: Client) -> None:
    order_id = waiting_order(client, 900)
    seen: list[int] = []
    is_filled = False
    while not is_filled:
        with client.socket(f"/ws/orders/{order_id}?afterSeq={seen[-1] if seen else 0}") as socket:
            assert close_code(socket, lambda: None) == GOING_AWAY
        seen += [seq for seq, _ in socket.updates(order_id)]
        push_price(client, 1000)
        is_filled = any(frame["phase"] == "completed" for frame in socket.update_frames)
    assert seen == [event["seq"] for event in client.events(order_id)]


def test_pings_of_the_contract_keep_a_socket_until_its_time_is_over(client: Client) -> None:
    with client.socket() as socket:
        opened = time.monotonic()

        def ping() -> None:
            # The engine closes a socket that is flooded with messages.
            time.sleep(IDLE_SECONDS / 6)
            socket.say(action="ping")

        assert close_code(socket, ping) == GOING_AWAY
        assert time.monotonic() - opened > 2 * IDLE_SECONDS


def test_the_client_goes_on_through_cuts_and_lacks_no_event(client: Client) -> None:
    reconnects: list[Reconnect] = []

    def reconnected(reconnect: Reconnect) -> None:
        # The order waits for the price, so that each earlier cut falls into silence.
        reconnects.append(reconnect)
        if len(reconnects) == 2:
            push_price(client, 3000)

    engine = client.engine_of(None, on_reconnect=reconnected)
    order_id = waiting_order(client, 2000)
    updates = list(engine.watch(order_id))
    assert [update.seq for update in updates] == [event["seq"] for event in client.events(order_id)]
    assert updates[-1].is_terminal
    assert {reconnect.code for reconnect in reconnects} == {GOING_AWAY}
