"""The process between the deployed functions and their services: it delays each answer, and notes each call.

Every function has ports of its own, so that the calls of one order are told from those of a look at the market.
"""

import asyncio
import selectors
import time
from asyncio import StreamReader, StreamWriter
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from tests.bench.child import serve
from tests.bench.errors import BenchError
from tests.faults.proxy import operation_of

POSTGRES = "Postgres round trip"
_HOST = "127.0.0.1"
_PART_BYTES = 65536
_POLL_SECONDS = 0.02


class Call(NamedTuple):
    """A call, and when it came and was answered on the monotonic clock."""

    operation: str
    began: float
    ended: float


class _Proxy:
    def __init__(self) -> None:
        self._delays: Mapping[str, float] = {}
        self._calls: defaultdict[str, list[Call]] = defaultdict(list)
        self._servers: list[asyncio.Server] = []

    async def answer(self, what: str, fields: dict[str, Any]) -> Any:
        return await getattr(self, what)(**fields)

    async def listen(self, function: str, aws: tuple[str, int], postgres: tuple[str, int]) -> list[int]:
        """Open a function's ports for AWS and for Postgres."""

        async def http(reader: StreamReader, writer: StreamWriter) -> None:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await self._forward_http(function, aws, reader, writer)
            writer.close()

        async def database(reader: StreamReader, writer: StreamWriter) -> None:
            with suppress(ConnectionError):
                await self._forward_postgres(function, postgres, reader, writer)
            writer.close()

        servers = [await asyncio.start_server(one, _HOST, 0, limit=2**22) for one in (http, database)]
        self._servers += servers
        return [server.sockets[0].getsockname()[1] for server in servers]

    async def delay(self, seconds: Mapping[str, float]) -> None:
        """Delay each answer to an operation with one of these prefixes."""
        self._delays = seconds

    async def take(self) -> dict[str, list[Call]]:
        """The calls of each function since the last time."""
        taken, self._calls = dict(self._calls), defaultdict(list)
        return taken

    async def rest(self, function: str, quiet: float, seconds: float) -> None:
        """Wait until a function has made a call, and then none for ``quiet`` seconds."""
        deadline = time.monotonic() + seconds
        while not (calls := self._calls[function]) or time.monotonic() - calls[-1].ended < quiet:
            if time.monotonic() > deadline:
                raise BenchError(f"{function} was not at rest within {seconds:.0f} s")
            await asyncio.sleep(_POLL_SECONDS)

    async def _finish(self, function: str, operation: str, began: float) -> None:
        """Delay the answer and note the call."""
        await asyncio.sleep(next((s for prefix, s in self._delays.items() if operation.startswith(prefix)), 0))
        self._calls[function].append(Call(operation, began, time.monotonic()))

    async def _forward_http(
        self, function: str, aws: tuple[str, int], reader: StreamReader, writer: StreamWriter
    ) -> None:
        upstream = await asyncio.open_connection(*aws)
        try:
            while True:
                head, body = await _message(reader)
                began = time.monotonic()
                target = _header(head, b"x-amz-target")
                operation = operation_of(target, head.split(b" ", 2)[1].decode())
                try:
                    answer = await _exchange(*upstream, head + body)
                except (ConnectionError, asyncio.IncompleteReadError):
                    # The emulator closes a connection that was idle for some seconds.
                    upstream[1].close()
                    upstream = await asyncio.open_connection(*aws)
                    answer = await _exchange(*upstream, head + body)
                await self._finish(function, operation, began)
                writer.write(answer)
        finally:
            upstream[1].close()

    async def _forward_postgres(
        self, function: str, postgres: tuple[str, int], reader: StreamReader, writer: StreamWriter
    ) -> None:
        server, to_server = await asyncio.open_connection(*postgres)
        asked: list[float] = []

        async def ask() -> None:
            while part := await reader.read(_PART_BYTES):
                asked[:] = [time.monotonic()]
                to_server.write(part)
            to_server.close()

        asking = asyncio.create_task(ask())
        try:
            while part := await server.read(_PART_BYTES):
                # An answer in several parts is one round trip.
                if asked:
                    await self._finish(function, POSTGRES, asked.pop())
                writer.write(part)
        finally:
            asking.cancel()
            to_server.close()


async def _exchange(reader: StreamReader, writer: StreamWriter, request: bytes) -> bytes:
    writer.write(request)
    return b"".join(await _message(reader))


async def _message(reader: StreamReader) -> tuple[bytes, bytes]:
    """The head of the next HTTP message, and its body."""
    head = await reader.readuntil(b"\r\n\r\n")
    if (length := _header(head, b"content-length")) is not None:
        return head, await reader.readexactly(int(length))
    body = b""
    if _header(head, b"transfer-encoding"):
        size = 1
        while size:
            line = await reader.readline()
            size = int(line, 16)
            body += line + await reader.readexactly(size + 2)
    return head, body


def _header(head: bytes, name: bytes) -> str | None:
    for line in head.split(b"\r\n")[1:]:
        found, _, value = line.partition(b":")
        if found.lower() == name:
            return value.strip().decode()
    return None


if __name__ == "__main__":
    # ``epoll`` rounds a delay up to whole milliseconds.
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selectors.SelectSelector())) as runner:
        runner.run(serve(_Proxy().answer))
