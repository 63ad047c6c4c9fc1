"""The frames of one execution, pushed beside it: the next step of an order does not wait for its sockets."""

from collections import deque
from concurrent.futures import Executor, Future
from dataclasses import replace
from threading import Lock

from chalicelib.ports.orders import StoredOrder
from chalicelib.ports.streams import Subscriber
from chalicelib.services.streams.publisher import Publisher


class OrderStream:
    """Publishes the writes of one worker to one order, in their sequence, on another thread.

    Each write is published to the subscribers that it returned, so that one who joins between two writes receives no
    event twice.
    """

    def __init__(self, publisher: Publisher, executor: Executor) -> None:
        self._publisher = publisher
        self._executor = executor
        self._lock = Lock()
        self._waiting: deque[StoredOrder] = deque()
        self._is_running = False
        self._last_run: Future[None] | None = None
        self._published = 0
        #: Subscribers that were left to the replay queue, and what each had by then at least.
        self._dropped: dict[Subscriber, int] = {}

    def publish(self, stored: StoredOrder) -> StoredOrder:
        """Publish the order's last events soon; returns the order, marked as published as far as it is by now."""
        with self._lock:
            if not self._is_running and not stored.has_audience:
                # No thread is needed to push to nobody.
                self._published = stored.order.seq
                return self._marked(stored)
            self._waiting.append(stored)
            starts, self._is_running = not self._is_running, True
        if starts:
            self._last_run = self._executor.submit(self._run)
        return self._marked(stored)

    def flush(self, stored: StoredOrder) -> StoredOrder:
        """Wait until all events are published, or handed to the replay queue; returns the order marked so."""
        self.wait()
        return self._marked(stored)

    def wait(self) -> None:
        """Wait until all events are published, or handed to the replay queue."""
        if self._last_run:
            self._last_run.result()

    def _marked(self, stored: StoredOrder) -> StoredOrder:
        return replace(stored, published=max(stored.published, self._published))

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._is_running = False
                    return
                stored = self._waiting.popleft()
            marked = self._marked(stored)
            # A write may still name a subscriber that was dropped meanwhile: begin again at what that one has.
            behind = [seq for one, seq in self._dropped.items() if one in stored.subscribers]
            published = self._publisher.publish(replace(marked, published=min(behind, default=marked.published)))
            self._published = max(self._published, published.published)
            for one in published.subscribers:
                self._dropped.pop(one, None)
            if dropped := stored.subscribers - published.subscribers:
                self._dropped |= {one: self._dropped.get(one, marked.published) for one in dropped}
                self._forget(dropped)

    def _forget(self, dropped: frozenset[Subscriber]) -> None:
        """Leave dropped subscribers to the replay queue, also where a waiting write still has them."""
        with self._lock:
            self._waiting = deque(replace(one, subscribers=one.subscribers - dropped) for one in self._waiting)
