"""The transport over the network, blocking: httpx2 for HTTP, websockets for sockets."""

import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from threading import Event, Lock
from typing import TYPE_CHECKING
from weakref import WeakSet

from orderengine.core.commands import Request, Response, SocketClosed, Unreachable
from orderengine.io.addresses import Addresses
from orderengine.io.libraries import (
    Progress,
    add_part,
    closed,
    headers_of,
    http_arguments,
    refuse_closed,
    refused,
    refusing_configuration,
    repeated,
    seconds_per_address,
    socket_arguments,
)

if TYPE_CHECKING:
    import httpx2
    from websockets.sync.client import ClientConnection

    from orderengine.io.deadlines import Deadlines


class NetworkSocket:
    """``Socket`` over the network."""

    def __init__(self, connection: "ClientConnection") -> None:
        self._connection = connection
        self.process = os.getpid()

    def receive(self, timeout: float) -> str | None:
        from websockets.exceptions import ConnectionClosed

        try:
            return self._connection.recv(timeout=max(0.0, timeout), decode=True)
        except TimeoutError:
            return None
        except UnicodeDecodeError:
            raise SocketClosed(1007, "a frame is not text") from None
        except ConnectionClosed as error:
            raise closed(error) from None

    def write(self, text: str) -> None:
        from websockets.exceptions import ConnectionClosed

        try:
            self._connection.send(text)
        except ConnectionClosed as error:
            raise closed(error) from None

    def close(self) -> None:
        self._connection.close()


class NetworkTransport:
    """``Transport`` over the network. The libraries load at the first use, so the import of the client is cheap."""

    def __init__(self, addresses: Addresses) -> None:
        self._addresses = addresses
        self._lock = Lock()
        self._client: httpx2.Client | None = None
        self._deadlines: Deadlines | None = None
        self._process = 0
        self._sockets: WeakSet[NetworkSocket] = WeakSet()
        self._closed = Event()

    def send(self, request: Request, timeout: float) -> Response:
        import httpx2

        client, deadlines = self._connected()
        progress, body = Progress(), bytearray()
        arguments = http_arguments(self._addresses, request, timeout)
        try:
            with (
                deadlines.within(timeout),
                client.stream(**arguments, extensions={"trace": progress.note}) as answer,
            ):
                for part in answer.iter_bytes():
                    add_part(body, part)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise Unreachable(str(error) or type(error).__name__, sent=progress.sent) from error
        except RuntimeError as error:
            # httpx2 refuses a request when another thread has closed the client since.
            if not self._closed.is_set():
                raise
            raise Unreachable("this client is closed", sent=progress.sent) from error
        return Response(answer.status_code, headers_of(answer.headers.multi_items()), bytes(body))

    def _connected(self) -> "tuple[httpx2.Client, Deadlines]":
        """:raises UsageError: if the client is closed, or the environment has a proxy that cannot be used."""
        from orderengine.io.deadlines import Deadlines, bounded_client

        with self._lock:
            refuse_closed(self._closed.is_set())
            # A forked process must not share the connections of its parent, nor close them.
            if self._client is None or self._deadlines is None or self._process != os.getpid():
                self._deadlines = Deadlines()
                with refusing_configuration():
                    self._client, self._process = bounded_client(self._deadlines), os.getpid()
            return self._client, self._deadlines

    def open(
        self, path: str, query: tuple[tuple[str, str], ...], headers: Mapping[str, str], timeout: float
    ) -> NetworkSocket:
        from websockets.datastructures import MultipleValuesError
        from websockets.exceptions import InvalidHandshake, InvalidStatus

        refuse_closed(self._closed.is_set())
        try:
            with refusing_configuration():
                connection = _connect(self._addresses.of_socket(path, query), headers, timeout)
        except InvalidStatus as error:
            raise refused(error) from None
        except MultipleValuesError as error:
            raise repeated(error) from error
        except (OSError, EOFError, InvalidHandshake) as error:
            raise Unreachable(str(error) or type(error).__name__, sent=False) from error
        socket = NetworkSocket(connection)
        with self._lock:
            self._sockets.add(socket)
            is_closed = self._closed.is_set()
        if is_closed:
            socket.close()
        refuse_closed(is_closed)
        return socket

    def sleep(self, seconds: float) -> None:
        self._closed.wait(seconds)

    def monotonic(self) -> float:
        return time.monotonic()

    def now(self) -> datetime:
        return datetime.now(UTC)

    def close(self) -> None:
        with self._lock:
            self._closed.set()
            sockets = [one for one in self._sockets if one.process == os.getpid()]
            if self._client is not None and self._process == os.getpid():
                self._client.close()
        for socket in sockets:
            socket.close()


def _connect(address: str, headers: Mapping[str, str], timeout: float) -> "ClientConnection":
    from websockets.proxy import get_proxy
    from websockets.sync.client import connect
    from websockets.uri import parse_uri

    arguments, uri = socket_arguments(headers, timeout), parse_uri(address)
    if get_proxy(uri) is None:
        arguments["timeout"] = seconds_per_address(uri.host, uri.port, timeout)
    # Entered, as websockets asks for; the flow closes it.
    connection: ClientConnection = connect(address, **arguments).__enter__()
    return connection
