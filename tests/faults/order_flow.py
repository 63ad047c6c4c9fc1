"""Clients that post orders without pause, each order under its own key until an answer accepts or refuses it."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from random import Random
from uuid import UUID

from orderengine.errors import Unreachable
from tests.e2e.client import Client, Json

#: Maximum time that a client repeats a request whose answer is lost or an error of the server.
_REPEAT_SECONDS = 90


@dataclass
class Posted:
    """A request for an order; ``order_id`` is None until its 202. ``cancel_after`` is in seconds."""

    key: str
    body: Json
    cancel_after: float | None = None
    order_id: str | None = None
    answer: str = "not posted"
    cancel_acknowledged: bool = False
    refused: bool = False

    @property
    def unanswered(self) -> bool:
        return self.order_id is None and not self.refused

    def post(self, client: Client) -> None:
        """Post once."""
        try:
            answer = client.order(self.key, **self.body)
        except Unreachable as error:
            self.answer = repr(error)
            return
        self.answer = f"{answer.status_code}: {answer.text}"
        if answer.status_code == 202:
            self.order_id = answer.json()["orderId"]
        self.refused = 400 <= answer.status_code < 500 and answer.status_code != 429

    def post_until_answered(self, client: Client, gone: threading.Event | None = None) -> None:
        """Post until an answer accepts or refuses the order, or the server is gone."""

        def post() -> bool:
            self.post(client)
            return not self.unanswered

        _repeat(post, gone or threading.Event())

    def cancel(self, client: Client) -> bool:
        """Request the cancellation once; return whether it has a verdict."""
        try:
            answer = client.request("DELETE", f"/api/orders/{self.order_id}")
        except Unreachable:
            return False
        self.cancel_acknowledged = answer.status_code == 200
        return answer.status_code < 500


#: Makes the request with this number; it may draw from the generator.
Maker = Callable[[Random, str], Posted]


@dataclass
class OrderFlow:
    """``clients`` threads that post orders at random intervals of ``mean_pause_seconds``."""

    client: Client
    make: Maker
    seed: int
    clients: int = 4
    mean_pause_seconds: float = 1.0
    posted: list[Posted] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._random = Random(self.seed)
        self._ended = threading.Event()
        self._gone = threading.Event()
        self._lock = threading.Lock()

    @contextmanager
    def running(self) -> Iterator["OrderFlow"]:
        """Post until the context ends; then wait for the answers to the requests that are under way."""
        threads = [threading.Thread(target=self._run) for _ in range(self.clients)]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._ended.set()
            for thread in threads:
                thread.join()

    @property
    def accepted(self) -> list[str]:
        """The ids of the orders that an answer accepted so far."""
        return accepted(list(self.posted))

    def give_up(self) -> None:
        """Repeat no request any more: the server is gone."""
        self._gone.set()

    def _run(self) -> None:
        while not self._ended.is_set():
            with self._lock:
                key = str(UUID(int=self._random.getrandbits(128)))
                request, pause = self.make(self._random, key), self._random.expovariate(1 / self.mean_pause_seconds)
                self.posted.append(request)
            request.post_until_answered(self.client, self._gone)
            if request.order_id and request.cancel_after is not None:
                self._gone.wait(request.cancel_after)
                _repeat(partial(request.cancel, self.client), self._gone)
            self._ended.wait(pause)


def accepted(posted: Iterable[Posted]) -> list[str]:
    """Return the ids of the orders that an answer accepted."""
    return [one.order_id for one in posted if one.order_id]


def _repeat(attempt: Callable[[], bool], gone: threading.Event) -> None:
    """Repeat ``attempt`` until it succeeds, the server is gone, or the time is up."""
    deadline = time.monotonic() + _REPEAT_SECONDS
    while not attempt() and time.monotonic() < deadline and not gone.wait(0.3):
        pass
