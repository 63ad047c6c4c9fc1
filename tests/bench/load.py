"""A closed-loop load over HTTP, in a separate process so that it shares no interpreter with the benchmark.

Each client keeps one connection open and posts its next order after the answer to the last one.
"""

import http.client
import json
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass
from itertools import count
from typing import Any
from urllib.parse import urlsplit

from tests.bench.errors import BenchError
from tests.bench.figures import percentile

_ANSWER_SECONDS = 60
_LOAD_SECONDS = 600
_ACCEPTED = 202


@dataclass(frozen=True)
class Posted:
    """The latencies of all POSTs. ``began`` is the time of the first on the system's shared monotonic clock."""

    began: float
    milliseconds: list[float]

    def percentile(self, share: float) -> float:
        """The latency percentile for a share between 0 and 1, in milliseconds."""
        return percentile(self.milliseconds, share)


def post(url: str, body: dict[str, Any], orders: int, clients: int) -> Posted:
    """Post ``body`` ``orders`` times and wait for all answers.

    :raises BenchError: if an answer is not 202 or is late.
    """
    task = json.dumps({"url": url, "body": body, "orders": orders, "clients": clients})
    command = [sys.executable, "-m", __name__]
    try:
        done = subprocess.run(command, input=task, capture_output=True, text=True, timeout=_LOAD_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise BenchError(f"{orders} orders were not answered within {_LOAD_SECONDS} s") from None
    if done.returncode:
        raise BenchError(f"the load on {url} failed:\n{done.stderr.strip()}")
    return Posted(**json.loads(done.stdout))


class _Load:
    def __init__(self, url: str, body: dict[str, Any], orders: int, clients: int) -> None:
        self._url = urlsplit(url)
        self._body = json.dumps(body).encode()
        self._orders = orders
        self._numbers = count()
        self._ready = threading.Barrier(clients + 1)
        self._threads = [threading.Thread(target=self._client) for _ in range(clients)]
        self._milliseconds: list[float] = []
        self._failures: list[str] = []

    def run(self) -> Posted:
        for thread in self._threads:
            thread.start()
        self._ready.wait(_ANSWER_SECONDS)
        began = time.monotonic()
        for thread in self._threads:
            thread.join()
        if self._failures:
            raise SystemExit(f"{len(self._failures)} clients gave up, the first on: {self._failures[0]}")
        return Posted(began, self._milliseconds)

    def _client(self) -> None:
        connection = http.client.HTTPConnection(self._url.netloc, timeout=_ANSWER_SECONDS)
        try:
            connection.connect()
            self._ready.wait(_ANSWER_SECONDS)
            while next(self._numbers) < self._orders and not self._failures:
                self._post(connection)
        except (OSError, http.client.HTTPException, threading.BrokenBarrierError) as error:
            self._ready.abort()
            self._failures.append(repr(error))
        finally:
            connection.close()

    def _post(self, connection: http.client.HTTPConnection) -> None:
        began = time.monotonic()
        connection.request("POST", self._url.path, self._body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != _ACCEPTED:
            raise http.client.HTTPException(f"{answer.status} {text[:500].decode(errors='replace')}")
        self._milliseconds.append((time.monotonic() - began) * 1000)


if __name__ == "__main__":
    print(json.dumps(asdict(_Load(**json.load(sys.stdin)).run())))
