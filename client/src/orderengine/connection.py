"""The part of the blocking client that knows of no order: its settings, its end, and any request."""

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack

from orderengine.core.commands import Flow, Response
from orderengine.core.raw import raw
from orderengine.core.session import Counters
from orderengine.io.defaults import Settings, addresses_of, session_of
from orderengine.io.drivers import run
from orderengine.io.network import NetworkTransport
from orderengine.io.transport import Transport

T = TypeVar("T")


class Connection:
    """A connection to an engine, and what its calls share."""

    def __init__(
        self,
        base_url: str | None = None,
        *,
        ws_url: str | None = None,
        transport: Transport | None = None,
        **settings: Unpack[Settings],
    ) -> None:
        """
        :param base_url: the engine's address; ``OE_URL``, or that of ``make run``, if none is given.
        :param ws_url: the address of sockets, where it is not that of HTTP; ``OE_WS_URL`` if none is given.
        :param settings: see ``Settings``.
        :raises InvalidArgument: for an argument that makes no sense.
        """
        self._session = session_of(settings)
        self._transport = transport or NetworkTransport(addresses_of(base_url, ws_url))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections and sockets. Calls and streams that go on in other threads end with ``UsageError``.

        An order whose answer is still awaited ends with ``OutcomeUnknown``.
        """
        self._transport.close()

    @property
    def counters(self) -> Counters:
        """What this client has seen so far."""
        return self._session.counters

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Send any request, once, and return any answer: for what this client has no method for.

        :raises Unreachable: if no answer comes; ``sent`` tells whether the engine may have received it.
        """
        return self._run(raw(self._session, method, path, query, body, headers))

    def _run(self, flow: Flow[T]) -> T:
        return run(flow, self._transport)
