"""The order queues in memory, with the real message format."""

from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.codec.messages import order_message, read_order_message
from chalicelib.domain.spec import Priority
from chalicelib.ports.orders import StoredOrder
from chalicelib.ports.queues import DelayedLook, QueueDepth


class FakeOrderQueue:
    """``OrderQueue`` that stores messages as text. While ``down`` is set, it refuses them.

    ``backlog`` sets whether messages wait for a free processor: the fake has no processors.
    """

    def __init__(self, high_priority: "FakeHighPriorityQueue | None" = None) -> None:
        self.high_priority = high_priority
        self.bodies: list[str] = []
        self.delays: list[int] = []
        self.held: list[tuple[str, int]] = []
        self.down = False
        self.backlog = False

    def send(self, stored: StoredOrder, delay_seconds: int = 0) -> None:
        self.ping()
        body = order_message(stored)
        if self.high_priority and stored.order.spec.priority is Priority.HIGH:
            self.high_priority.bodies.append(body)
        self.bodies.append(body)
        self.delays.append(delay_seconds)

    def has_waiting(self) -> bool:
        self.ping()
        return self.backlog

    def depth(self) -> QueueDepth:
        self.ping()
        return QueueDepth(waiting=len(self.bodies))

    def ping(self) -> None:
        if self.down:
            raise ConnectionError("the queue is down")

    def hold(self, receipt: str, seconds: int) -> None:
        self.held.append((receipt, seconds))

    def take(self) -> StoredOrder:
        """Remove the oldest message and read it as the processor does."""
        return read_order_message(self.bodies.pop(0))


class FakeHighPriorityQueue:
    """``HighPriorityQueue`` in memory. A received message stays invisible in ``taken`` until it is deleted."""

    def __init__(self) -> None:
        self.bodies: list[str] = []
        self.taken: dict[str, str] = {}
        self.held: list[tuple[str, int]] = []
        self.down = False

    def take(self) -> Mapping[str, Any] | None:
        if self.down:
            raise ConnectionError("the queue is down")
        if not self.bodies:
            return None
        body = self.bodies.pop(0)
        receipt = f"high_priority-{len(self.taken)}"
        self.taken[receipt] = body
        attributes = {"ApproximateReceiveCount": "1"}
        return {"messageId": receipt, "receiptHandle": receipt, "body": body, "attributes": attributes}

    def delete(self, receipt: str) -> None:
        del self.taken[receipt]

    def depth(self) -> QueueDepth:
        if self.down:
            raise ConnectionError("the queue is down")
        return QueueDepth(len(self.bodies), len(self.taken))

    def hold(self, receipt: str, seconds: int) -> None:
        self.held.append((receipt, seconds))


class FakeDeadLetterQueue:
    """``DeadLetterQueue`` in memory. ``kept`` has the letters of the unprocessable queue; it holds no others."""

    def __init__(self) -> None:
        self.kept: list[str] = []
        self.held: list[tuple[str, int]] = []

    def keep(self, body: str) -> None:
        self.kept.append(body)

    def depth(self) -> QueueDepth:
        return QueueDepth()

    def unprocessable_depth(self) -> QueueDepth:
        return QueueDepth(waiting=len(self.kept))

    def hold(self, receipt: str, seconds: int) -> None:
        self.held.append((receipt, seconds))


class FakeLookQueue:
    """``LookQueue`` in memory. ``wakes`` counts the requests for looks. While ``down`` is set, it refuses all."""

    def __init__(self) -> None:
        self.looks: list[DelayedLook] = []
        self.wakes = 0
        self.down = False

    def send(self, looks: Sequence[DelayedLook]) -> None:
        self._ping()
        self.looks += looks

    def wake(self) -> None:
        self._ping()
        self.wakes += 1

    def _ping(self) -> None:
        if self.down:
            raise ConnectionError("the queue is down")
