"""A deadline for each request of a blocking client.

httpx2 bounds each read of a socket, so a server that sends a byte now and then could hold a call for ever. Here each
operation of a connection gets no more time than its request has left. (An awaited request is cancelled instead.)
"""

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore2
import httpx2

from orderengine.io.libraries import seconds_per_address


class Deadlines:
    """The deadline of the request that each thread is carrying out."""

    def __init__(self) -> None:
        self._local = threading.local()

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        self._local.at = time.monotonic() + seconds
        try:
            yield
        finally:
            self._local.at = None

    def bound(self, timeout: float | None, late: type[httpcore2.TimeoutException]) -> float | None:
        """The time that an operation gets, which has a timeout of its own.

        :raises TimeoutException: of the type ``late``, if no time is left.
        """
        at: float | None = getattr(self._local, "at", None)
        if at is None:
            return timeout
        left = at - time.monotonic()
        if left <= 0:
            raise late("the time of the request has passed")
        return left if timeout is None else min(left, timeout)


class _Stream(httpcore2.NetworkStream):
    def __init__(self, stream: httpcore2.NetworkStream, deadlines: Deadlines) -> None:
        self._stream = stream
        self._deadlines = deadlines

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadlines.bound(timeout, httpcore2.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadlines.bound(timeout, httpcore2.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        left = self._deadlines.bound(timeout, httpcore2.ConnectTimeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, left), self._deadlines)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Backend(httpcore2.NetworkBackend):
    def __init__(self, backend: httpcore2.NetworkBackend, deadlines: Deadlines) -> None:
        self._backend = backend
        self._deadlines = deadlines

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        left = self._deadlines.bound(timeout, httpcore2.ConnectTimeout)
        share = None if left is None else seconds_per_address(host, port, left)
        inner = self._backend.connect_tcp(host, port, share, local_address, socket_options)
        return _Stream(inner, self._deadlines)


def bounded_client(deadlines: Deadlines) -> httpx2.Client:
    """A client whose connections keep the deadlines, through a proxy of the environment too."""
    client = httpx2.Client()
    # httpx2 has no public way to the backend. Without it, its own timeouts bound each read.
    mounts: dict[Any, Any] = getattr(client, "_mounts", {})
    for transport in (getattr(client, "_transport", None), *mounts.values()):
        pool: Any = getattr(transport, "_pool", None)
        backend = getattr(pool, "_network_backend", None)
        if backend is not None:
            pool._network_backend = _Backend(backend, deadlines)
    return client
