"""An engine that answers as a test says: as a transport in the test's process, and on a port for other processes."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

from orderengine.core.commands import Request, Response, Unreachable
from orderengine.io.transport import Socket

NOW = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
ORDER = "449d30f9-3ef6-4e9c-9547-0fe0168995e2"
JSON = {"content-type": "application/json", "date": "Tue, 01 Dec 2026 12:00:00 GMT"}

_RAYDIUM = {
    "price": "98.1390186667",
    "amountOut": "147.208528",
    "amountOutBase": '"147208528"',
    "fee": "0.00375",
    "feeBase": '"3750000"',
    "feeBps": "25",
    "priceImpactPct": "0.003",
    "liquidity": "4919396.264627",
}


def number_object(fields: Mapping[str, str]) -> str:
    return "{" + ",".join(f'"{name}":{value}' for name, value in fields.items()) + "}"


#: The quotes of a route, with digits that a float would lose.
QUOTES = (
    f'"rQuote":{number_object(_RAYDIUM)},"mQuote":{number_object({**_RAYDIUM, "price": "101.56024800000000000001"})},'
    '"chosen":"meteora","reason":"meteora returns 3.4861 % more, net of fees","degraded":false'
)


def record(phase: str = "completed", status: str = "confirmed", **changes: Any) -> str:
    """The text of a record, whose ``executedPrice`` has more digits than a float."""
    fields: dict[str, Any] = {
        "orderId": ORDER,
        "userId": "b",
        "clientOrderId": None,
        "type": "market",
        "side": "sell",
        "tokenIn": "SOL",
        "tokenOut": "USDC",
        "amountIn": 1,
        "amountInBase": "1000000000",
        "amountOut": None,
        "amountOutBase": None,
        "minAmountOut": None,
        "status": status,
        "phase": phase,
        "seq": 6,
        "attempts": 1,
        "dexUsed": "meteora",
        "limitPrice": None,
        "timeInForce": None,
        "expiresAt": None,
        "launch": None,
        "waitReason": None,
        "txHash": None,
        "failCode": None,
        "failReason": None,
        "quotes": None,
        "createdAt": "2026-12-01T12:00:00.000Z",
        "updatedAt": "2026-12-01T12:00:03.000Z",
        **changes,
    }
    return json.dumps(fields)[:-1] + ',"executedPrice":101.56454600000000000000001}'


def event(seq: int, status: str, phase: str = "processing", attempt: int = 1, meta: str = "{}") -> str:
    at = NOW + timedelta(seconds=seq / 10)
    text = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return f'{{"seq":{seq},"status":"{status}","phase":"{phase}","attempt":{attempt},"at":"{text}","meta":{meta}}}'


def events_body(*events: str) -> str:
    return f'{{"orderId":"{ORDER}","events":[{",".join(events)}]}}'


LIFE = (
    event(1, "pending", "queued", 0),
    event(2, "routing"),
    event(3, "routing", meta=f"{{{QUOTES}}}"),
    event(4, "building", meta='{"dex":"meteora","minAmountOut":150.78}'),
    event(5, "submitted", meta='{"dex":"meteora","txHash":"4tz7DHRCjzDu"}'),
    event(6, "confirmed", "completed", meta='{"executedPrice":101.56454600000000000000001}'),
)
ACCEPTED = json.dumps(
    {"orderId": ORDER, "status": "pending", "websocketUrl": "ws://x/ws", "links": {"self": f"/api/orders/{ORDER}"}}
)


def problem(status: int, code: str, **members: Any) -> tuple[int, str]:
    body = {"type": "urn:x", "title": "Title", "status": status, "detail": "It is so.", "code": code, "errors": []}
    return status, json.dumps({**body, **members})


class FakeEngine:
    """A ``Transport`` whose answers a test writes. Its sleeps pass at once, and are counted."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.slept = 0.0
        #: Set when a request comes that nothing answers.
        self.hangs = Event()
        self._answers: dict[tuple[str, str], list[Any]] = {}

    def on(self, method: str, path: str, *answers: Any, headers: Mapping[str, str] | None = None) -> None:
        """Answer a call with each of these in turn, and then with the last one for ever.

        An answer is text (200), a pair of status and text, or an exception.
        """
        found = [(200, one) if isinstance(one, str) else one for one in answers]
        self._answers[method, path] = [
            one if isinstance(one, Exception) else Response(one[0], {**JSON, **(headers or {})}, one[1].encode())
            for one in found
        ]

    def bodies(self, path: str) -> list[dict[str, Any]]:
        return [json.loads(one.body or b"null") for one in self.requests if one.path == path]

    def send(self, request: Request, timeout: float) -> Response:
        self.requests.append(request)
        answers = self._answers.get((request.method, request.path))
        if answers is None:
            return Response(404, JSON, problem(404, "NOT_FOUND")[1].encode())
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, Response)
        return answer

    def open(
        self, path: str, query: tuple[tuple[str, str], ...], headers: Mapping[str, str], timeout: float
    ) -> Socket:
        raise Unreachable("no sockets here", sent=False)

    def sleep(self, seconds: float) -> None:
        self.slept += seconds

    def monotonic(self) -> float:
        return self.slept

    def now(self) -> datetime:
        return NOW

    def close(self) -> None:
        """Nothing is open."""


@contextmanager
def served(engine: FakeEngine) -> Iterator[str]:
    """The address of an engine on a port. A call whose answer is ``Unreachable`` hangs until the end."""
    done = Event()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            path, _, query = self.path.partition("?")
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            pairs = tuple((name, value) for name, _, value in (one.partition("=") for one in query.split("&")))
            try:
                response = engine.send(Request(self.command, path, pairs, dict(self.headers), body or None), 1)
            except Unreachable:
                engine.hangs.set()
                done.wait()
                return
            self.send_response(response.status)
            for name, value in {**response.headers, "content-length": str(len(response.body))}.items():
                if name != "date":
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(response.body)

        do_GET = do_POST = do_DELETE = do_PATCH = do_HEAD = answer  # noqa: N815

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        done.set()
        server.shutdown()
        server.server_close()
