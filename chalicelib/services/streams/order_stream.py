"""The frames of one order, pushed beside the work on it: the next step of an order does not wait for its sockets."""

import logging
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import suppress
from dataclasses import replace
from threading import Lock

from chalicelib.ports.orders import StoredOrder
from chalicelib.ports.streams import Subscriber
from chalicelib.services.streams.publisher import Publisher

log = logging.getLogger(__name__)

#: An order waits this long for its first frames before it is queued. A message that follows the frames says that they
#: are pushed; after a message that does not, the worker pushes them once more.
MAX_FIRST_FRAMES_SECONDS = 0.25


class OrderStream:
    """Publishes the writes of one worker to one order, in their sequence, on another thread.

    While one write is published, the newest of the next ones waits and brings the events of them all. Slow sockets
    thus hold the worker up for one further push, not for one at each write. A subscriber that joins between two
    writes receives no event twice: it has the events up to the earlier of them.
    """

    def __init__(self, publisher: Publisher, executor: Executor, greet: Callable[[], None] | None = None) -> None:
        """``greet`` is called before the first frame, on the thread that pushes it."""
        self._publisher = publisher
        self._executor = executor
        self._greet = greet
        self._lock = Lock()
        self._newest: StoredOrder | None = None
        self._is_running = False
        self._last_run: Future[None] | None = None
        self._published = 0
        #: The subscribers and the ``seq`` of the last write.
        self._named: frozenset[Subscriber] = frozenset()
        self._seq = 0
        #: What each subscriber has at least, also a dropped one: a write may still name it before it is removed.
        self._positions: dict[Subscriber, int] = {}

    def publish(self, stored: StoredOrder) -> StoredOrder:
        """Publish the order's last events soon; returns the order, marked as published as far as it is by now."""
        with self._lock:
            self._note(stored)
            concerns_nobody = not stored.has_audience and not self._publisher.is_late(self._marked(stored))
            if not self._is_running and not self._greet and concerns_nobody:
                # No thread is needed to push to nobody.
                self._published = stored.order.seq
                return self._marked(stored)
            self._newest = stored
            starts, self._is_running = not self._is_running, True
        if starts:
            self._last_run = self._executor.submit(self._run)
        return self._marked(stored)

    def flush(self, stored: StoredOrder, seconds: float | None = None) -> StoredOrder:
        """Wait until all events are published, or handed to the replay queue; returns the order marked so.

        After ``seconds`` the order is marked as published as far as it is by then.
        """
        self.wait(seconds)
        return self._marked(stored)

    def wait(self, seconds: float | None = None) -> None:
        """Wait until all events are published, or handed to the replay queue, or the time is up."""
        if self._last_run:
            with suppress(TimeoutError):
                self._last_run.result(seconds)

    def _note(self, stored: StoredOrder) -> None:
        """Note the positions of the subscribers that joined since the last write: a join is one at its ``seq``."""
        if self._seq:
            self._positions |= dict.fromkeys(stored.subscribers - self._named, self._seq)
        self._named, self._seq = stored.subscribers, stored.order.seq

    def _marked(self, stored: StoredOrder) -> StoredOrder:
        return replace(stored, published=max(stored.published, self._published))

    def _run(self) -> None:
        self._begin()
        while stored := self._take():
            marked = self._marked(stored)
            known = {one: self._positions.get(one, marked.published) for one in stored.subscribers}
            published = self._publisher.publish(marked, known)
            if published.published == stored.order.seq:
                self._settle(known, published)

    def _begin(self) -> None:
        greet, self._greet = self._greet, None
        try:
            if greet:
                greet()
        except Exception:
            log.exception("the connection was not greeted")

    def _take(self) -> StoredOrder | None:
        with self._lock:
            stored, self._newest = self._newest, None
            self._is_running = stored is not None
            return stored

    def _settle(self, known: dict[Subscriber, int], published: StoredOrder) -> None:
        """Note the new positions, and leave dropped subscribers to the replay queue, also where a write waits."""
        seq = published.order.seq
        with self._lock:
            self._published = max(self._published, seq)
            self._positions |= known | dict.fromkeys(published.subscribers, seq)
            if self._newest:
                dropped = known.keys() - published.subscribers
                self._newest = replace(self._newest, subscribers=self._newest.subscribers - dropped)
