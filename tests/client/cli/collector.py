"""A receiver of webhooks on a port, which answers as a test says."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@dataclass
class Collector:
    """The webhooks that came: their ids in order, and the body of each id."""

    url: str = ""
    ids: list[str] = field(default_factory=list)
    bodies: dict[str, set[bytes]] = field(default_factory=dict)
    headers: list[dict[str, str]] = field(default_factory=list)


@contextmanager
def collecting(answer: Callable[[str], int] = lambda _: 204) -> Iterator[Collector]:
    """Collect until the end; ``answer`` gives the status for a webhook id."""
    found = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the name that http.server calls
            length = int(self.headers["content-length"])
            body = self.rfile.read(length)
            if len(body) < length:
                # The listener was killed in the middle of its request, which has no answer then.
                return
            name = self.headers["webhook-id"]
            found.ids.append(name)
            found.bodies.setdefault(name, set()).add(body)
            found.headers.append({name.lower(): value for name, value in self.headers.items()})
            self.send_response(answer(name))
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    found.url = f"http://127.0.0.1:{server.server_address[1]}/hooks"
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
