"""The engine on a port: beside a test in this process, or as a process of its own for tests in other languages."""

import asyncio
import logging
import socket
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Thread

import uvicorn

from orderengine.testing.handle import VirtualEngine
from orderengine.testing.site import Site
from orderengine.testing.wire import Http

log = logging.getLogger(__name__)

_STARTS_WITHIN_SECONDS = 10


class _Server(uvicorn.Server):
    """Calls ``ready`` once it listens, and keeps the engine going until it stops. An error of the engine stops it."""

    def __init__(self, site: Site, ready: Callable[[], None]) -> None:
        config = uvicorn.Config(
            site,
            http=Http,
            log_config=None,
            # A connection that the kit breaks off is no error.
            log_level="critical",
            lifespan="off",
            # The engine tells its own time.
            date_header=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        super().__init__(config)
        self._site = site
        self._ready = ready
        self.failure: BaseException | None = None

    async def main_loop(self) -> None:
        going = asyncio.create_task(self._site.keep_going())
        going.add_done_callback(self._end)
        self._ready()
        await super().main_loop()
        going.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await going

    def _end(self, going: "asyncio.Task[None]") -> None:
        self.should_exit = True
        if not going.cancelled() and (error := going.exception()):
            self.failure = error
            log.error("the engine stops: its time does not go on", exc_info=error)


class RunningServer:
    """A server in a thread of its own."""

    def __init__(self, engine: VirtualEngine, host: str, port: int) -> None:
        """:raises OSError: if the port is taken."""
        listening = listen(host, port)
        self.url = _url_of(listening)
        started = Event()
        self._server = _Server(Site(engine), started.set)
        self._thread = Thread(target=self._server.run, kwargs={"sockets": [listening]}, daemon=True)
        self._thread.start()
        if not started.wait(_STARTS_WITHIN_SECONDS):
            raise RuntimeError(f"the server on {self.url} has not started")

    def stop(self) -> None:
        """Stop the server, and wait until it has stopped."""
        self._server.should_exit = True
        self._thread.join()


def serve_forever(engine: VirtualEngine, listening: socket.socket, ready: Callable[[str], None]) -> None:
    """Serve an engine until the process is interrupted; ``ready`` gets its address once it listens.

    :raises Exception: the error that stops the engine's time.
    """
    engine.locate(_url_of(listening))
    server = _Server(Site(engine), lambda: ready(_url_of(listening)))
    try:
        server.run(sockets=[listening])
    finally:
        engine.close()
    if server.failure:
        raise server.failure


def listen(host: str, port: int) -> socket.socket:
    """A socket for ``serve_forever``; port 0 takes a free one.

    :raises OSError: if it cannot be bound.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((host, port))
    return listening


def _url_of(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
