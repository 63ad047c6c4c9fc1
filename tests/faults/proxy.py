"""A proxy that forwards calls, delays them, refuses them, repeats them, or drops their answers.

It stands in front of the AWS endpoint, or between clients and the engine (``client_proxy.py``).
"""

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import Any, Self
from urllib.parse import urlsplit

_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}
_UPSTREAM_SECONDS = 60


class Harm(Enum):
    """The fault that the proxy injects into a call."""

    THROTTLE = "throttled"
    REFUSE = "refused"
    LOSE = "answer lost after the effect"
    HALF = "half an answer after the effect"
    CUT = "connection cut before the call"
    DOUBLE = "sent twice"
    DELAY = "delayed"


@dataclass(frozen=True)
class Rule:
    """Inject ``harm`` into a ``share`` of the calls to operations with this prefix; ``seconds`` is the delay."""

    operation: str
    share: float
    harm: Harm
    seconds: float = 0


class FaultProxy:
    """Injects faults into calls by its ``rules``; ``harms`` counts the affected calls."""

    def __init__(self, upstream: str, seed: int = 2) -> None:
        self.rules: Sequence[Rule] = ()
        self.harms: Counter[Harm] = Counter()
        self.lead_to(upstream)
        self.random = Random(seed)
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), self.handler())
        self._server.proxy = self  # type: ignore[attr-defined]

    def lead_to(self, upstream: str) -> None:
        """Forward calls to this address from now on."""
        self.upstream = urlsplit(upstream).netloc

    def handler(self) -> "type[Handler]":
        """The class that serves the connections."""
        return Handler

    @property
    def harmed(self) -> int:
        return self.harms.total()

    @property
    def url(self) -> str:
        return f"http://localhost:{self._server.server_port}"

    @contextmanager
    def running(self) -> Iterator[Self]:
        thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()

    def harm_to(self, operation: str) -> Rule | None:
        """Return the rule that applies to this call, or ``None``."""
        with self._lock:
            for rule in self.rules:
                if operation.startswith(rule.operation) and self.random.random() < rule.share:
                    self.harms[rule.harm] += 1
                    return rule
        return None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    #: Many clients connect at once.
    request_queue_size = 256


class Handler(BaseHTTPRequestHandler):
    """A connection from a client, with its own connection upstream."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    _upstream: http.client.HTTPConnection | None = None

    def _any(self) -> None:
        proxy: FaultProxy = self.server.proxy  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        rule = proxy.harm_to(operation_of(self.headers.get("x-amz-target"), self.path))
        harm = rule and rule.harm
        if harm is Harm.THROTTLE:
            self._answer(400, [("x-amzn-errortype", "ThrottlingException")], _THROTTLED)
            return
        if harm is Harm.CUT:
            self.close_connection = True
            return
        if harm is Harm.REFUSE:
            self._answer(503, [], b'{"__type": "ServiceUnavailable"}')
            return
        if rule and harm is Harm.DELAY:
            time.sleep(rule.seconds)
        try:
            if harm is Harm.DOUBLE:
                self._forward(body, proxy.upstream)
            status, headers, answer = self._forward(body, proxy.upstream)
        except (OSError, http.client.HTTPException):
            # Nothing answers upstream: the stack is being stopped.
            self.close_connection = True
            return
        if harm is Harm.LOSE:
            self.close_connection = True
            return
        # A client that does not wait for a late answer has closed the connection.
        with suppress(ConnectionError):
            self._answer(status, headers, answer, half=harm is Harm.HALF)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _any  # noqa: N815

    def _forward(self, body: bytes, upstream: str) -> tuple[int, list[tuple[str, str]], bytes]:
        if self._upstream is None:
            self._upstream = http.client.HTTPConnection(upstream, timeout=_UPSTREAM_SECONDS)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP_BY_HOP}
        self._upstream.request(self.command, self.path, body, {**headers, "Host": upstream})
        answer = self._upstream.getresponse()
        return answer.status, answer.getheaders(), answer.read()

    def _answer(self, status: int, headers: Sequence[tuple[str, str]], body: bytes, *, half: bool = False) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in _HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if half else body)
        self.close_connection = self.close_connection or half

    def finish(self) -> None:
        if self._upstream is not None:
            self._upstream.close()
        with suppress(ConnectionError):
            super().finish()

    def log_message(self, *_: Any) -> None:
        """Log no requests; the trial reports the faults."""


_THROTTLED = json.dumps(
    {"__type": "com.amazonaws.dynamodb.v20120810#ThrottlingException", "message": "Rate exceeded"}
).encode()


def operation_of(target: str | None, path: str) -> str:
    """Return the operation of a request, such as ``DynamoDB.UpdateItem``, or ``push`` for a push to a socket."""
    if target:
        service, _, operation = target.partition(".")
        return f"{service.removeprefix('Amazon').partition('_')[0]}.{operation}"
    return "push" if "@connections" in path else path
