"""Interrupts, cancellations and streams that are left: nothing stays open, and an order's fate is told."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing, closing
from itertools import count
from typing import Any

import pytest

from orderengine import AsyncClient, Client
from orderengine.core import commands
from orderengine.core.commands import CloseSocket, Deliver, Flow, Open, Receive, Request, Response
from orderengine.io import drivers
from orderengine.io.drivers import iterate, iterate_async, run, run_async
from tests.client.samples import ORDER_ID, record
from tests.client.scripted import AsyncScriptedTransport, Script, ScriptedTransport, answer, lost
from tests.client.shells import Shell


def listening(deliver: bool) -> Flow[None]:
    """A stream in small: it opens a socket, hands out what comes, and closes it."""
    socket = yield Open("/ws", (), {}, 1.0)
    try:
        while True:
            text = yield Receive(socket, 1.0)
            if deliver:
                yield Deliver(text)
    finally:
        yield CloseSocket(socket)


def test_an_interrupted_submit_tells_the_key_that_finds_the_order(shell: Shell, script: Script) -> None:
    client = shell.client(script.then(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt) as caught:
        shell(client.submit("SOL", "USDC", 1))
    key = script.requests[0].headers["idempotency-key"]
    assert caught.value.__notes__ == [f"an order may exist: submit it again with idempotency_key={key!r}"]
    assert client.counters.unknown_outcomes == 1


def test_a_cancelled_submit_is_cancelled_and_tells_the_key() -> None:
    class Mute(AsyncScriptedTransport):
        async def send(self, request: Request, timeout: float) -> Response:
            sent.append(request)
            await asyncio.sleep(3600)
            raise AssertionError

    sent: list[Request] = []

    async def scenario() -> None:
        client = AsyncClient(transport=Mute(Script()))
        task = asyncio.ensure_future(client.submit("SOL", "USDC", 1))
        while not sent:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
        assert sent[0].headers["idempotency-key"] in caught.value.__notes__[0]
        assert task.cancelled()

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "interruption", [KeyboardInterrupt(), SystemExit(), RuntimeError("x"), commands.SocketClosed(1006)]
)
def test_a_socket_is_closed_whatever_ends_its_flow(interruption: BaseException) -> None:
    script = Script()
    socket = script.then_socket("a", interruption)
    with pytest.raises(type(interruption)):
        run(listening(deliver=False), ScriptedTransport(script))
    assert socket.is_closed


def test_an_interrupt_between_two_commands_closes_the_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script()
    socket = script.then_socket("a", "b")
    _interrupt_after(2, "_outcome", monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        run(listening(deliver=False), ScriptedTransport(script))
    assert socket.is_closed


def test_an_interrupt_between_two_awaited_commands_closes_the_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script()
    socket = script.then_socket("a", "b")
    _interrupt_after(2, "_outcome_async", monkeypatch)

    async def scenario() -> None:
        with pytest.raises(KeyboardInterrupt):
            await run_async(listening(deliver=False), AsyncScriptedTransport(script))

    asyncio.run(scenario())
    assert socket.is_closed


def _interrupt_after(number: int, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Interrupt a driver in its own code, once, before it carries out another command."""
    outcome, calls = getattr(drivers, name), count()

    def interrupted(*arguments: Any) -> Any:
        if next(calls) == number:
            raise KeyboardInterrupt
        return outcome(*arguments)

    monkeypatch.setattr(drivers, name, interrupted)


def test_a_stream_that_is_left_closes_its_socket() -> None:
    script = Script()
    socket = script.then_socket("a", "b")
    with closing(iterate(listening(deliver=True), ScriptedTransport(script))) as values:
        assert next(values) == "a"
        assert not socket.is_closed
    assert socket.is_closed


def test_an_exception_of_the_loop_body_closes_the_socket() -> None:
    script = Script()
    socket = script.then_socket("a", "b")

    def consume() -> None:
        for _ in iterate(listening(deliver=True), ScriptedTransport(script)):
            raise LookupError

    with pytest.raises(LookupError):
        consume()
    assert socket.is_closed


def test_an_awaited_stream_that_is_left_closes_its_socket() -> None:
    script = Script()
    socket = script.then_socket("a", "b")

    async def scenario() -> None:
        async with aclosing(iterate_async(listening(deliver=True), AsyncScriptedTransport(script))) as values:
            assert await anext(values) == "a"

    asyncio.run(scenario())
    assert socket.is_closed


@pytest.mark.parametrize("deliver", [True, False])
def test_a_cancelled_stream_closes_its_socket(deliver: bool) -> None:
    script = Script()
    socket = script.then_socket(*["a"] * 3)

    async def scenario() -> None:
        transport = AsyncScriptedTransport(script)

        async def consume() -> None:
            if not deliver:
                await run_async(listening(deliver), transport)
            async with aclosing(iterate_async(listening(deliver), transport)) as values:
                async for _ in values:
                    pass

        task = asyncio.ensure_future(consume())
        while socket.frames:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(scenario())
    assert socket.is_closed


def test_a_stream_that_never_began_has_nothing_to_close(shell: Shell, script: Script) -> None:
    shell.client(script).watch(ORDER_ID)
    assert not script.opened


def test_leaving_the_client_closes_its_transport(script: Script) -> None:
    with Client(transport=ScriptedTransport(script)):
        assert not script.is_closed
    assert script.is_closed


def test_a_hook_of_an_awaited_client_may_be_awaitable() -> None:
    heard: list[Any] = []

    async def on_retry(retry: Any) -> None:
        await asyncio.sleep(0)
        heard.append(retry)

    hook: Callable[[Any], Any] = on_retry
    script = Script().then(lost(), answer(200, record()))
    client = AsyncClient(transport=AsyncScriptedTransport(script), on_retry=hook)
    asyncio.run(client.order(ORDER_ID))
    assert len(heard) == 1
