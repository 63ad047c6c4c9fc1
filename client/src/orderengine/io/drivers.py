"""The drivers of flows: they carry out each command with a transport, blocking or awaited, and decide nothing.

A driver throws every failure into the flow, an interrupt and a cancellation too, so that the flow can close its
sockets and say what became of an order.
"""

import random
from collections.abc import AsyncGenerator, Callable, Generator
from functools import partial
from inspect import isawaitable
from typing import Any, TypeVar

from orderengine.core import commands
from orderengine.core.commands import Command, Flow
from orderengine.io.transport import AsyncTransport, Transport

T = TypeVar("T")


def run(flow: Flow[T], transport: Transport) -> T:
    """The result of a flow that delivers nothing."""
    try:
        return _drive(flow, partial(next, flow), transport)
    except BaseException as failure:
        # An interrupt may come between two commands, so the flow has not seen it. One that has ended raises it again.
        return _drive(flow, partial(flow.throw, failure), transport)


def _drive(flow: Flow[T], resume: Callable[[], Command], transport: Transport) -> T:
    try:
        while True:
            resume = _outcome(flow, resume(), transport)
    except StopIteration as end:
        result: T = end.value
        return result


def iterate(flow: Flow[Any], transport: Transport) -> Generator[Any, None, None]:
    """The values that a flow delivers. Closing the iterator closes the flow, which closes its socket."""
    try:
        command = next(flow)
        while True:
            if isinstance(command, commands.Deliver):
                yield command.value
                command = next(flow)
            else:
                command = _outcome(flow, command, transport)()
    except StopIteration:
        return
    finally:
        close(flow, transport)


def close(flow: Flow[Any], transport: Transport) -> None:
    """End a flow, and carry out what it still asks for: the closing of its sockets."""
    try:
        command = flow.throw(commands.FlowClosed())
        while True:
            command = _outcome(flow, command, transport)()
    except (commands.FlowClosed, StopIteration):
        return


def _outcome(flow: Flow[Any], command: Command, transport: Transport) -> Callable[[], Command]:
    """What resumes the flow. The driver calls it, as no coroutine can pass on the ``StopIteration`` of a flow."""
    try:
        result = _carry_out(command, transport)
    except BaseException as failure:
        return partial(flow.throw, failure)
    return partial(flow.send, result)


def _carry_out(command: Command, transport: Transport) -> Any:
    match command:
        case commands.Send(request, timeout):
            return transport.send(request, timeout)
        case commands.Open(path, query, headers, timeout):
            return transport.open(path, query, headers, timeout)
        case commands.Receive(socket, timeout):
            return socket.receive(timeout)
        case commands.Write(socket, text):
            return socket.write(text)
        case commands.CloseSocket(socket):
            return socket.close()
        case commands.Sleep(seconds):
            return transport.sleep(seconds)
        case commands.Notify(function, arguments):
            return function(*arguments)
        case _:
            return _look_up(command, transport)


def _look_up(command: Command, transport: Transport | AsyncTransport) -> Any:
    match command:
        case commands.Now():
            return transport.now()
        case commands.Monotonic():
            return transport.monotonic()
        case commands.Random():
            return random.random()
        case _:
            raise TypeError("this flow delivers values: iterate over it")


async def run_async(flow: Flow[T], transport: AsyncTransport) -> T:
    """As ``run``, awaited."""
    try:
        return await _drive_async(flow, partial(next, flow), transport)
    except BaseException as failure:
        return await _drive_async(flow, partial(flow.throw, failure), transport)


async def _drive_async(flow: Flow[T], resume: Callable[[], Command], transport: AsyncTransport) -> T:
    try:
        while True:
            resume = await _outcome_async(flow, resume(), transport)
    except StopIteration as end:
        result: T = end.value
        return result


async def iterate_async(flow: Flow[Any], transport: AsyncTransport) -> AsyncGenerator[Any, None]:
    """As ``iterate``, awaited."""
    try:
        command = next(flow)
        while True:
            if isinstance(command, commands.Deliver):
                yield command.value
                command = next(flow)
            else:
                command = (await _outcome_async(flow, command, transport))()
    except StopIteration:
        return
    finally:
        await close_async(flow, transport)


async def close_async(flow: Flow[Any], transport: AsyncTransport) -> None:
    """As ``close``, awaited."""
    try:
        command = flow.throw(commands.FlowClosed())
        while True:
            command = (await _outcome_async(flow, command, transport))()
    except (commands.FlowClosed, StopIteration):
        return


async def _outcome_async(flow: Flow[Any], command: Command, transport: AsyncTransport) -> Callable[[], Command]:
    """As ``_outcome``, awaited."""
    try:
        result = await _carry_out_async(command, transport)
    except BaseException as failure:
        return partial(flow.throw, failure)
    return partial(flow.send, result)


async def _carry_out_async(command: Command, transport: AsyncTransport) -> Any:
    match command:
        case commands.Send(request, timeout):
            return await transport.send(request, timeout)
        case commands.Open(path, query, headers, timeout):
            return await transport.open(path, query, headers, timeout)
        case commands.Receive(socket, timeout):
            return await socket.receive(timeout)
        case commands.Write(socket, text):
            return await socket.write(text)
        case commands.CloseSocket(socket):
            return await socket.close()
        case commands.Sleep(seconds):
            return await transport.sleep(seconds)
        case commands.Notify(function, arguments):
            answer = function(*arguments)
            return await answer if isawaitable(answer) else answer
        case _:
            return _look_up(command, transport)
