"""The steps of the smoke test: what a new deployment must do for its clients, in the order in which they try it."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.codec.times import to_text
from infra.ops.outside import OPENED, Answer, Json, Outside, UnexpectedError

USER = "smoke"
ORDER = {"tokenIn": "SOL", "tokenOut": "USDC", "amountIn": "0.001", "slippage": 10, "userId": USER}
#: A sale at these prices in USDC does not fill.
FAR, FARTHER = "1000000", "1100000"
_OPEN_FOR = timedelta(minutes=10)
_REFUSED = (400, 401, 403, 404)
_BAD_CREDENTIAL = "not-a-key"


class Steps:
    """The steps in their order. Each returns what it found; later ones use the orders of earlier ones."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self._run = uuid.uuid4().hex[:12]
        self._unfinished: set[str] = set()
        self._market = self._limit = ""

    def all(self) -> list[tuple[str, Callable[[], str]]]:
        """Return the steps with their names."""
        return [
            ("health", self.health),
            ("page and documents", self.page),
            ("no entry for strangers", self.strangers),
            ("an order, sent twice", self.place),
            ("its stream on a socket", self.follow),
            ("an open limit order", self.place_limit),
            ("amended by If-Match", self.amend),
            ("cancelled", self.cancel),
            ("refused handshakes", self.handshakes),
            ("a stream path without one", self.bare_get),
            ("errors are not cached", self.errors),
        ]

    def health(self) -> str:
        answer = self._outside.ask("GET", "/health").expect(200)
        if answer.field("status") != "ok":
            raise UnexpectedError("the status ok", f"this came: {answer.text}")
        return f"version {answer.field('version')}"

    def page(self) -> str:
        page = self._outside.ask("GET", "/").expect(200)
        if "text/html" not in page.headers.get("Content-Type", ""):
            raise UnexpectedError("the page at /", f"its type is {page.headers.get('Content-Type')}")
        return f"OpenAPI {self._outside.ask('GET', '/openapi.json').expect(200).field('openapi')}"

    def strangers(self) -> str:
        if self._outside.key is None:
            return "authentication is off"
        self._outside.ask("GET", "/api/orders", known=False).expect(401)
        return "401"

    def place(self) -> str:
        first, again = self._placed("market"), self._placed("market")
        self._market = first.field("orderId")
        if again.field("orderId") != self._market or again.headers.get("Idempotent-Replayed") != "true":
            raise UnexpectedError("the first answer to a repeated Idempotency-Key", f"this came: {again.text}")
        return self._market

    def follow(self) -> str:
        seen = self._outside.stream(self._market)
        listed = self._outside.ask("GET", f"/api/orders/{self._market}/events").expect(200).json().get("events")
        if seen != listed:
            seqs = [one["seq"] for one in listed or [] if one not in seen] or [one["seq"] for one in seen]
            raise UnexpectedError("GET events to answer what the socket brought", f"seq {seqs} differ")
        self._unfinished.discard(self._market)
        if (end := seen[-1])["status"] != "confirmed":
            raise UnexpectedError("the status confirmed", f"{end['status']} came: {end['meta']}")
        return f"{len(seen)} events to {end['status']}"

    def place_limit(self) -> str:
        expires_at = to_text(datetime.now(UTC) + _OPEN_FOR)
        terms = {"type": "limit", "limitPrice": FAR, "timeInForce": "GTD", "expiresAt": expires_at}
        self._limit = self._placed("limit", **terms).field("orderId")
        self._in_status("open")
        return self._limit

    def amend(self) -> str:
        seq = int(self._in_status("open").field("seq"))
        self._amended(seq - 1).expect(412)
        answer = self._amended(seq).expect(200)
        if float(answer.field("limitPrice")) != float(FARTHER):
            raise UnexpectedError(f"the limit price {FARTHER}", f"this came: {answer.text}")
        return f"412 at seq {seq - 1}, 200 at seq {seq}"

    def cancel(self) -> str:
        self._outside.ask("DELETE", f"/api/orders/{self._limit}").expect(200)
        self._in_status("cancelled")
        self._unfinished.discard(self._limit)
        return self._limit

    def handshakes(self) -> str:
        found = {"/ws/orders": self._outside.handshake("/ws/orders", self._outside.key)}
        if self._outside.key:
            found["/ws with a bad credential"] = self._outside.handshake("/ws", _BAD_CREDENTIAL)
        for path, status in found.items():
            if status not in _REFUSED:
                came = "the socket opens" if status == OPENED else f"{status} came"
                raise UnexpectedError(f"a handshake on {path} to be refused", came)
        return ", ".join(f"{status} for {path}" for path, status in found.items())

    def bare_get(self) -> str:
        return self._outside.ask("GET", f"/ws/orders/{self._market}").expect(400).field("code")

    def errors(self) -> str:
        """Have two errors follow each other on one path, and the first one again: each is an answer of its own."""
        path, invalid = f"/api/orders/{uuid.uuid4()}/events", {"Last-Event-ID": "x", "Accept": "text/event-stream"}
        asked: list[tuple[int, Json]] = [(404, {}), (400, invalid), (404, {})]
        found = [self._outside.ask("GET", path, headers=headers).expect(status) for status, headers in asked]
        if len({answer.field("requestId") for answer in found}) < len(found):
            raise UnexpectedError("a requestId of its own in each error", f"one came twice: {found[-1].text}")
        return "404, 400, 404 on one path"

    def clean_up(self) -> None:
        """Cancel the orders that may not have ended. If that fails too, the limit order expires."""
        for order_id in self._unfinished:
            try:
                self._outside.ask("DELETE", f"/api/orders/{order_id}")
            except UnexpectedError:
                return

    def _placed(self, name: str, **terms: Any) -> Answer:
        identity = f"smoke-{self._run}-{name}"
        order = ORDER | terms | {"clientOrderId": identity}
        answer = self._outside.ask("POST", "/api/orders/execute", order, {"Idempotency-Key": identity}).expect(202)
        self._unfinished.add(answer.field("orderId"))
        return answer

    def _amended(self, seq: int) -> Answer:
        path, terms = f"/api/orders/{self._limit}", {"limitPrice": FARTHER}
        return self._outside.ask("PATCH", path, terms, {"If-Match": f'"{seq}"'})

    def _in_status(self, status: str) -> Answer:
        """Return the record of the limit order.

        :raises UnexpectedError: if it has another status.
        """
        record = self._outside.ask("GET", f"/api/orders/{self._limit}").expect(200)
        if (found := record.field("status")) != status:
            raise UnexpectedError(f"the order to be {status}", f"it is {found}")
        return record
