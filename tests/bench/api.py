"""One client of the HTTP API, which keeps its connection open and takes the time of each answer."""

import http.client
import json
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from tests.bench.errors import BenchError

#: The front door may close a connection that is idle for longer.
_IDLE_SECONDS = 10
_ANSWER_SECONDS = 60


class Accepted(NamedTuple):
    """An accepted order, and the milliseconds until its 202."""

    order_id: str
    ms: float


class Api:
    """A client of the front door."""

    def __init__(self, base: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(base).netloc, timeout=_ANSWER_SECONDS)
        self._answered_at = 0.0

    def post(self, body: Mapping[str, Any], key: str | None = None) -> Accepted:
        """Post an order, with an idempotency key if one is given.

        :raises BenchError: if the answer is not 202.
        """
        headers = {"Idempotency-Key": key} if key else {}
        answer, ms = self._call("POST", "/api/orders/execute", body, HTTPStatus.ACCEPTED, headers)
        return Accepted(answer["orderId"], ms)

    def amend(self, order_id: str, changes: Mapping[str, Any]) -> float:
        """Amend an open order, and return the milliseconds until the answer.

        :raises BenchError: if the answer is not 200.
        """
        return self._call("PATCH", f"/api/orders/{order_id}", changes, HTTPStatus.OK, {})[1]

    def seq(self, order_id: str) -> int:
        """The last ``seq`` of an order."""
        answer, _ = self._call("GET", f"/api/orders/status/{order_id}", None, HTTPStatus.OK, {})
        return int(answer["seq"])

    def _call(
        self, method: str, path: str, body: Mapping[str, Any] | None, status: int, headers: Mapping[str, str]
    ) -> tuple[Any, float]:
        content = None if body is None else json.dumps(body)
        if time.monotonic() - self._answered_at > _IDLE_SECONDS:
            self._connection.close()
        began = time.monotonic()
        self._connection.request(method, path, content, {"Content-Type": "application/json", **headers})
        answer = self._connection.getresponse()
        text = answer.read()
        self._answered_at = time.monotonic()
        ms = (self._answered_at - began) * 1000
        if answer.status != status:
            raise BenchError(f"{method} {path} was answered with {answer.status}: {text[:500]!r}")
        return json.loads(text), ms
