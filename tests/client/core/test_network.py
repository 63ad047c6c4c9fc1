"""The clients over real connections, with servers that behave badly."""

import asyncio
import os
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from orderengine import AsyncClient, Client, errors
from orderengine.core.commands import HandshakeRefused, Unreachable
from tests.client.core.rude_server import Handler, reply, rude_server
from tests.client.samples import ORDER_ID, accepted, record
from tests.client.shells import Shell

RECORD = reply(200, record())
#: Far more than a try gets, and far less than a test may take.
PATIENCE = 10.0


def answering(*answers: bytes | None, forever: bytes | None = None) -> Handler:
    """A handler with an answer to each request; after ``None`` the connection is closed."""

    def handle(connection: socket.socket, number: int) -> bool:
        answer = answers[number - 1] if number <= len(answers) else forever
        connection.sendall(answer or b"")
        return answer is not None

    return handle


def dripping(head: bytes) -> Handler:
    """A handler that sends a head, then a byte now and then, until the client has gone."""

    def handle(connection: socket.socket, _number: int) -> bool:
        connection.sendall(head)
        while True:
            time.sleep(0.05)
            connection.sendall(b"x")

    return handle


def test_a_refused_connection_leaves_no_order(shell: Shell) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    client = shell.over_network(f"http://127.0.0.1:{port}", retries=1)
    with pytest.raises(errors.Unreachable):
        shell(client.submit("SOL", "USDC", 1))
    assert client.counters.retries == 1
    shell(client.close())


def test_a_handshake_is_refused_by_an_answer_with_a_repeated_header(shell: Shell) -> None:
    with rude_server(answering(reply(401, {}, "server: one", "server: two"))) as server:
        client = shell.over_network(server.url)
        with pytest.raises(HandshakeRefused) as caught:
            shell(client._transport.open("/ws", (), {}, PATIENCE))
        answer = caught.value.response
        assert (answer.status, answer.headers["server"]) == (401, "one, two")
        shell(client.close())


def test_a_handshake_with_two_addresses_to_go_on_at_gets_no_answer(shell: Shell) -> None:
    with rude_server(answering(reply(302, {}, "location: /one", "location: /two"))) as server:
        client = shell.over_network(server.url)
        with pytest.raises(Unreachable, match="Location"):
            shell(client._transport.open("/ws", (), {}, PATIENCE))
        shell(client.close())


def test_a_server_that_closes_after_the_request_leaves_the_outcome_unknown(shell: Shell) -> None:
    with rude_server(answering(None, None, forever=reply(202, accepted()))) as server:
        client = shell.over_network(server.url, retries=1)
        with pytest.raises(errors.OutcomeUnknown) as caught:
            shell(client.submit("SOL", "USDC", 1))
        assert shell(caught.value.resolve()).id == ORDER_ID
        keys = {line for head in server.heads for line in head.lower().split("\r\n") if "idempotency-key" in line}
        assert keys == {f"idempotency-key: {caught.value.key}"}
        shell(client.close())


@pytest.mark.parametrize(
    "half", [RECORD[:-20], reply(200, record(), length=100_000), b"HTTP/1.1 200 OK\r\ncontent-ty", b"\x16\x03\x01"]
)
def test_half_an_answer_is_asked_for_again_on_a_new_connection(shell: Shell, half: bytes) -> None:
    def handle(connection: socket.socket, number: int) -> bool:
        connection.sendall(half if number == 1 else RECORD)
        return number > 1

    with rude_server(handle) as server:
        client = shell.over_network(server.url)
        assert shell(client.order(ORDER_ID)).id == ORDER_ID
        assert server.connections == 2
        shell(client.close())


def test_a_redirect_is_not_followed_and_the_key_goes_nowhere_else(shell: Shell) -> None:
    with rude_server(answering(forever=RECORD)) as other:
        moved = reply(307, b"<html>", f"location: {other.url}/api/orders/{ORDER_ID}")
        with rude_server(answering(forever=moved)) as server:
            client = shell.over_network(server.url, key="secret")
            with pytest.raises(errors.NotTheEngine, match="redirect"):
                shell(client.order(ORDER_ID))
            assert (len(server.heads), other.heads) == (1, [])
            shell(client.close())


def test_a_page_of_another_service_is_told_at_once(shell: Shell) -> None:
    with rude_server(answering(forever=reply(200, b"<html>Welcome"))) as server:
        client = shell.over_network(server.url)
        with pytest.raises(errors.NotTheEngine, match="Welcome"):
            shell(client.order(ORDER_ID))
        assert len(server.heads) == 1
        shell(client.close())


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nx-slow: ",
        reply(200, b"{", length=1_000_000),
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1",
    ],
    ids=["status line", "headers", "body", "informational"],
)
def test_a_server_that_drips_holds_a_call_no_longer_than_its_timeout(shell: Shell, head: bytes) -> None:
    with rude_server(dripping(head)) as server:
        client = shell.over_network(server.url, timeout=0.6, try_timeout=0.3)
        begun = time.monotonic()
        with pytest.raises(errors.Unreachable):
            shell(client.order(ORDER_ID))
        assert time.monotonic() - begun < PATIENCE
        with pytest.raises(errors.OutcomeUnknown):
            shell(client.submit("SOL", "USDC", 1))
        shell(client.close())


def test_a_server_that_is_mute_holds_a_call_no_longer_than_its_timeout(shell: Shell) -> None:
    never = threading.Event()
    with rude_server(lambda _connection, _number: never.wait(PATIENCE)) as server:
        client = shell.over_network(server.url, timeout=0.4, try_timeout=0.2)
        begun = time.monotonic()
        with pytest.raises(errors.Unreachable):
            shell(client.order(ORDER_ID))
        assert time.monotonic() - begun < PATIENCE / 2
        never.set()
        shell(client.close())


def test_connections_are_kept_between_calls(shell: Shell) -> None:
    with rude_server(answering(forever=RECORD)) as server:
        client = shell.over_network(server.url)
        for _ in range(3):
            shell(client.order(ORDER_ID))
        assert server.connections == 1
        shell(client.close())


def test_a_closed_client_says_so(shell: Shell) -> None:
    client = shell.over_network("http://127.0.0.1:9")
    shell(client.close())
    with pytest.raises(errors.UsageError, match="closed"):
        shell(client.order(ORDER_ID))
    shell(client.close())


def test_threads_share_a_client() -> None:
    with rude_server(answering(forever=RECORD)) as server, Client(server.url) as client:
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda _: client.order(ORDER_ID).id, range(40)))
        assert found == [ORDER_ID] * 40
        assert client.counters.retries == 0


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_process_takes_connections_of_its_own() -> None:
    with rude_server(answering(forever=RECORD)) as server, Client(server.url) as client:
        client.order(ORDER_ID)
        if not (child := os.fork()):
            os._exit(0 if client.order(ORDER_ID).id == ORDER_ID else 1)
        assert os.waitpid(child, 0)[1] == 0
        client.order(ORDER_ID)
        assert (server.connections, len(server.heads)) == (2, 3)


def test_one_event_loop_after_another_uses_an_awaited_client() -> None:
    with rude_server(answering(forever=RECORD)) as server:
        client = AsyncClient(server.url)
        for _ in range(2):
            assert asyncio.run(client.order(ORDER_ID)).id == ORDER_ID


def test_a_cancelled_call_closes_its_connection() -> None:
    asked = threading.Event()

    def handle(_connection: socket.socket, _number: int) -> bool:
        asked.set()
        return True

    async def scenario(url: str) -> None:
        async with AsyncClient(url) as client:
            task = asyncio.ensure_future(client.order(ORDER_ID))
            assert await asyncio.to_thread(asked.wait, PATIENCE)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await asyncio.to_thread(server.is_left.wait, PATIENCE)

    with rude_server(handle) as server:
        asyncio.run(scenario(server.url))


def test_an_outer_timeout_of_asyncio_is_kept() -> None:
    never = threading.Event()

    async def scenario(url: str) -> None:
        async with AsyncClient(url) as client:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await client.order(ORDER_ID)

    with rude_server(lambda _connection, _number: never.wait(PATIENCE)) as server:
        asyncio.run(scenario(server.url))
        never.set()
