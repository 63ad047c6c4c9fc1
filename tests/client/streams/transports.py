"""The transports of both clients over the model."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from orderengine.core.commands import Request, Response
from tests.client.streams.lives import START
from tests.client.streams.model import Model, ModelSocket


class ModelTransport:
    """``Transport`` over the model."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.send, self.open = model.send, model.open

    def sleep(self, seconds: float) -> None:
        self.model.now += seconds

    def monotonic(self) -> float:
        return self.model.now

    def now(self) -> datetime:
        return START + timedelta(seconds=self.model.now + self.model.clock_error)

    def close(self) -> None:
        pass


class AsyncModelSocket:
    """``AsyncSocket`` over a socket of the model."""

    def __init__(self, socket: ModelSocket) -> None:
        self._socket = socket

    async def receive(self, timeout: float) -> str | None:
        return self._socket.receive(timeout)

    async def write(self, text: str) -> None:
        self._socket.write(text)

    async def close(self) -> None:
        self._socket.close()


class AsyncModelTransport:
    """``AsyncTransport`` over the model."""

    def __init__(self, model: Model) -> None:
        self._sync = ModelTransport(model)

    async def send(self, request: Request, timeout: float) -> Response:
        return self._sync.send(request, timeout)

    async def open(
        self, path: str, query: tuple[tuple[str, str], ...], headers: Mapping[str, str], timeout: float
    ) -> AsyncModelSocket:
        return AsyncModelSocket(self._sync.open(path, query, headers, timeout))

    async def sleep(self, seconds: float) -> None:
        self._sync.sleep(seconds)

    def monotonic(self) -> float:
        return self._sync.monotonic()

    def now(self) -> datetime:
        return self._sync.now()

    async def close(self) -> None:
        pass
