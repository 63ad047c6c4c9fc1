"""The limits of the network transports: time, size, proxies that cannot be used, and a close from another thread."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpcore2
import httpx2
import pytest
from websockets.sync.server import ServerConnection, serve

from orderengine import AsyncClient, Client, errors
from orderengine.io import deadlines, libraries
from orderengine.io.deadlines import Deadlines, bounded_client
from orderengine.io.libraries import seconds_per_address
from tests.client.core.rude_server import reply, rude_server
from tests.client.samples import ORDER_ID, record
from tests.client.shells import Shell

#: Far less than a test may take, and far more than a step of it needs.
PATIENCE = 10.0
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "ws_proxy", "no_proxy")


@contextmanager
def silent_sockets() -> Iterator[tuple[str, threading.Event]]:
    """The address of a server whose sockets say nothing, and an event that is set once one is open."""
    is_open = threading.Event()

    def hold(connection: ServerConnection) -> None:
        is_open.set()
        for _ in connection:
            pass

    with serve(hold, "127.0.0.1", 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.socket.getsockname()[1]}", is_open
        server.shutdown()


def test_a_close_ends_the_streams_of_other_threads() -> None:
    ends: list[BaseException] = []

    def listen(client: Client) -> None:
        try:
            list(client.watch(ORDER_ID))
        except errors.UsageError as error:
            ends.append(error)

    with silent_sockets() as (url, is_open):
        client = Client(url)
        thread = threading.Thread(target=listen, args=(client,), daemon=True)
        thread.start()
        assert is_open.wait(PATIENCE)
        client.close()
        thread.join(PATIENCE)
        assert not thread.is_alive()
    assert "closed" in str(ends[0])


def test_a_close_ends_the_streams_of_other_tasks() -> None:
    async def scenario(url: str, is_open: threading.Event) -> None:
        client = AsyncClient(url)
        task = asyncio.ensure_future(_first(client))
        assert await asyncio.to_thread(is_open.wait, PATIENCE)
        await client.close()
        with pytest.raises(errors.UsageError, match="closed"):
            await asyncio.wait_for(task, PATIENCE)

    with silent_sockets() as (url, is_open):
        asyncio.run(scenario(url, is_open))


async def _first(client: AsyncClient) -> Any:
    return await anext(client.watch(ORDER_ID))


def test_a_close_wakes_a_thread_that_pauses() -> None:
    busy = reply(503, {"code": "UNAVAILABLE"}, "retry-after: 20")
    asked = threading.Event()

    def handle(connection: socket.socket, _number: int) -> bool:
        connection.sendall(busy)
        return True

    with rude_server(handle) as server:
        client = Client(server.url, on_retry=lambda _retry: asked.set())
        found: list[BaseException] = []

        def submit() -> None:
            try:
                client.submit("SOL", "USDC", 1)
            except errors.OutcomeUnknown as error:
                found.append(error)

        thread = threading.Thread(target=submit, daemon=True)
        thread.start()
        assert asked.wait(PATIENCE)
        client.close()
        thread.join(PATIENCE)
    assert isinstance(found[0].__cause__, errors.UsageError)


@pytest.fixture
def proxies(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in _PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch


@pytest.mark.parametrize("proxy", ["foo://proxy", "socks5://127.0.0.1:1", "http://proxy:port"])
def test_a_proxy_that_cannot_be_used_is_told_before_anything_is_sent(
    shell: Shell, proxies: pytest.MonkeyPatch, proxy: str
) -> None:
    proxies.setenv("all_proxy", proxy)
    proxies.setenv("http_proxy", proxy)
    client = shell.over_network("http://engine.invalid")
    with pytest.raises(errors.UsageError, match="proxy settings"):
        shell(client.submit("SOL", "USDC", 1))
    with pytest.raises(errors.UsageError, match="proxy settings"):
        shell(client.watch(ORDER_ID))


def test_the_addresses_of_a_host_share_the_time_of_a_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [()] * 4)
    assert seconds_per_address("engine", 80, 8.0) == 2.0
    monkeypatch.setattr(socket, "getaddrinfo", _unresolved)
    assert seconds_per_address("engine", 80, 8.0) == 8.0


def _unresolved(*_: Any, **__: Any) -> Any:
    raise socket.gaierror


@pytest.mark.parametrize("call", ["order", "watch"])
def test_a_host_with_many_mute_addresses_holds_a_call_no_longer_than_its_timeout(
    monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    with _mute_address() as port:
        address = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [address] * 8)
        client = Client(f"http://engine.test:{port}", timeout=1, try_timeout=0.5, retries=0)
        begun = time.monotonic()
        with pytest.raises(errors.Unreachable):
            list(client.watch(ORDER_ID)) if call == "watch" else client.order(ORDER_ID)
        assert time.monotonic() - begun < 3


@contextmanager
def _mute_address() -> Iterator[int]:
    """A port whose queue of connections is full, so that another one gets no answer."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = [socket.socket() for _ in range(3)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]
        for one in waiting:
            one.close()


def test_an_answer_that_is_too_large_is_not_kept(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libraries, "MAX_ANSWER_BYTES", 1 << 20)

    def handle(connection: socket.socket, _number: int) -> bool:
        connection.sendall(reply(200, b"", length=1 << 40))
        while True:
            connection.sendall(b"x" * 65536)

    with rude_server(handle) as server:
        client = shell.over_network(server.url, retries=0)
        with pytest.raises(errors.Unreachable, match="larger than 1 MB"):
            shell(client.order(ORDER_ID))
        shell(client.close())


@pytest.mark.parametrize("late", [httpcore2.ReadTimeout, httpcore2.WriteTimeout, httpcore2.ConnectTimeout])
def test_an_operation_after_the_deadline_gets_no_time(late: type[httpcore2.TimeoutException]) -> None:
    limits = Deadlines()
    assert limits.bound(3.0, late) == 3.0
    with limits.within(60):
        assert limits.bound(3.0, late) == 3.0
        assert 0 < (limits.bound(None, late) or 0) <= 60
    with limits.within(0), pytest.raises(late):
        limits.bound(3.0, late)


def test_every_connection_of_a_bounded_client_keeps_its_deadlines(proxies: pytest.MonkeyPatch) -> None:
    proxies.setenv("http_proxy", "http://proxy.invalid:1")
    with bounded_client(Deadlines()) as client:
        transports = [client._transport, *(one for one in client._mounts.values() if one is not None)]
        backends = [one._pool._network_backend for one in transports]  # type: ignore[attr-defined]
    assert len(backends) == 2
    assert all(isinstance(one, deadlines._Backend) for one in backends)


def test_a_library_without_the_private_names_gives_a_client_with_timeouts_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Bare:
        pass

    monkeypatch.setattr(httpx2, "Client", Bare)
    assert isinstance(bounded_client(Deadlines()), Bare)


def test_an_answer_in_many_parts_is_read_whole(shell: Shell) -> None:
    whole = reply(200, record())

    def handle(connection: socket.socket, _number: int) -> bool:
        for at in range(0, len(whole), 100):
            connection.sendall(whole[at : at + 100])
        return True

    with rude_server(handle) as server:
        client = shell.over_network(server.url)
        assert shell(client.order(ORDER_ID)).id == ORDER_ID
        shell(client.close())
