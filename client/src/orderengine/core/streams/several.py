"""Some orders as one stream, each subscribed to on the same socket."""

from collections.abc import Mapping, Sequence
from typing import Any

from orderengine.core.commands import Flow
from orderengine.core.orders import events_after
from orderengine.core.session import Session
from orderengine.core.streams.deadlines import Deadline
from orderengine.core.streams.frames import Live
from orderengine.core.streams.order_set import OrderSet
from orderengine.core.streams.source import Source
from orderengine.models.orders import Update


class SeveralSource(Source):
    """The events of orders after their ``seqs``, until all orders are terminal.

    A poll asks for one order: the first that is not terminal. The stream ends with the last order anyway, so the
    others may wait.
    """

    def __init__(self, session: Session, deadline: Deadline, seqs: Mapping[str, int]) -> None:
        super().__init__(session, deadline, f"{len(seqs)} orders")
        self._waiting = OrderSet(session.counters, seqs)
        self._live: set[str] = set()

    @property
    def has_gap(self) -> bool:
        return bool(self._waiting.gaps)

    def query(self) -> tuple[tuple[str, str], ...]:
        return ()

    def subscribe_messages(self) -> Sequence[Mapping[str, Any]]:
        return [
            {"action": "subscribe", "orderId": one, "afterSeq": self._waiting.last(one), "requestId": one}
            for one in self._waiting
        ]

    def opened(self) -> None:
        self._live.clear()

    def take(self, update: Update, is_live: bool) -> None:
        if update.order_id in self._waiting:
            self._settle(update.order_id, self._waiting.take(update))

    def live(self, frame: Live) -> Flow[bool]:
        self._live.add(frame.order_id)
        if frame.order_id in self._waiting and frame.seq > self._waiting.last(frame.order_id):
            yield from self._ask(frame.order_id, 0)
        return self._live.issuperset(self._waiting)

    def poll(self, wait: int) -> Flow[None]:
        yield from self._ask(next(iter(self._waiting)), wait)

    def fill(self) -> Flow[None]:
        for order_id in self._waiting.gaps:
            yield from self._ask(order_id, 0)

    def _ask(self, order_id: str, wait: int) -> Flow[None]:
        session = yield from self._attempt(wait)
        events = yield from events_after(session, order_id, self._waiting.last(order_id), wait)
        self._settle(order_id, self._waiting.fill(order_id, events))

    def _settle(self, order_id: str, due: list[Update]) -> None:
        self._queue(due)
        if due and due[-1].is_terminal:
            self._waiting.remove(order_id)
            self.is_terminal = not self._waiting
