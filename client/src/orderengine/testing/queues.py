"""SQS in virtual time: visibility timeouts, receive counts, redrive, and injected duplicates and delays."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.codec.groups import group_message
from chalicelib.codec.looks import look_message
from chalicelib.codec.messages import order_message
from chalicelib.codec.replays import replay_message
from chalicelib.domain.orders import Order
from chalicelib.domain.spec import Priority
from chalicelib.ports.orders import StoredOrder
from chalicelib.ports.queues import DelayedLook, LooksFromNow, QueueDepth
from chalicelib.ports.streams import StreamReplay


@dataclass
class Message:
    id: str
    body: str
    sent_at_ms: int
    visible_at_ms: int
    receives: int = 0
    first_received_ms: int = 0

    @property
    def receipt(self) -> str:
        return f"{self.id}/{self.receives}"


class Queue:
    """A standard queue. ``copies`` returns delays in seconds; the queue delivers a message once per delay."""

    def __init__(
        self,
        name: str,
        now_ms: Callable[[], int],
        *,
        visibility_seconds: int,
        max_receives: int | None = None,
        dead_letters: "Queue | None" = None,
    ) -> None:
        self.name = name
        self.messages: dict[str, Message] = {}
        self.down = False
        self.copies: Callable[[], Sequence[float]] = lambda: [0]
        self.sent = 0
        self._now_ms = now_ms
        self._visibility_ms = visibility_seconds * 1000
        self._max_receives = max_receives
        self._dead_letters = dead_letters

    def put(self, body: str, delay_seconds: float = 0) -> None:
        for extra in self.copies():
            self.sent += 1
            message_id = f"{self.name}-{self.sent}"
            visible_at_ms = self._now_ms() + int((delay_seconds + extra) * 1000)
            self.messages[message_id] = Message(message_id, body, self._now_ms(), visible_at_ms)

    def ping(self) -> None:
        if self.down:
            raise ConnectionError("the queue is down")

    def depth(self) -> QueueDepth:
        self.ping()
        now_ms = self._now_ms()
        hidden = [message for message in self.messages.values() if message.visible_at_ms > now_ms]
        return QueueDepth(len(self.messages) - len(hidden), sum(message.receives > 0 for message in hidden))

    def hold(self, receipt: str, seconds: int) -> None:
        """Hold a message as SQS does: by its last receipt only, and only while it is not visible."""
        message = self.messages.get(receipt.partition("/")[0])
        if message is None or message.receipt != receipt or message.visible_at_ms <= self._now_ms():
            raise ConnectionError("the message is not in flight")
        message.visible_at_ms = self._now_ms() + seconds * 1000

    def visible(self) -> list[Message]:
        """Return the visible messages, after moving those with too many receives to the dead letters."""
        now_ms = self._now_ms()
        found = [message for message in self.messages.values() if message.visible_at_ms <= now_ms]
        for message in found:
            if self._max_receives is not None and message.receives >= self._max_receives:
                del self.messages[message.id]
                if self._dead_letters is not None:
                    self._dead_letters.put(message.body)
        return [message for message in found if message.id in self.messages]

    def receive(self, message: Message) -> dict[str, Any]:
        """Receive a message; return the event of a function for this message alone."""
        message.receives += 1
        message.first_received_ms = message.first_received_ms or self._now_ms()
        message.visible_at_ms = self._now_ms() + self._visibility_ms
        record = {
            "messageId": message.id,
            "receiptHandle": message.receipt,
            "body": message.body,
            "attributes": {
                "ApproximateReceiveCount": str(message.receives),
                "SentTimestamp": str(message.sent_at_ms),
                "ApproximateFirstReceiveTimestamp": str(message.first_received_ms),
            },
        }
        return {"Records": [record]}

    def delete(self, message: Message) -> None:
        self.messages.pop(message.id, None)


class OrderPort:
    """``OrderQueue`` on virtual queues."""

    def __init__(self, queue: Queue, high_priority: Queue | None = None) -> None:
        self._queue = queue
        self._high_priority = high_priority
        self.hold, self.depth = queue.hold, queue.depth
        self.ping = queue.ping

    def has_waiting(self) -> bool:
        self._queue.ping()
        return any(self._queue.visible())

    def send(self, stored: StoredOrder, delay_seconds: int = 0) -> None:
        self._queue.ping()
        body = order_message(stored)
        if self._high_priority is not None and stored.order.spec.priority is Priority.HIGH:
            self._high_priority.put(body)
        self._queue.put(body, delay_seconds)


class DeadLetterPort:
    """``DeadLetterQueue`` on virtual queues."""

    def __init__(self, queue: Queue, unprocessable: Queue) -> None:
        self._unprocessable = unprocessable
        self.hold, self.depth = queue.hold, queue.depth
        self.unprocessable_depth = unprocessable.depth

    def keep(self, body: str) -> None:
        self._unprocessable.put(body)


class HighPriorityPort:
    """``HighPriorityQueue`` on a virtual queue."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self.hold, self.depth = queue.hold, queue.depth

    def take(self) -> dict[str, Any] | None:
        for message in self._queue.visible():
            record: dict[str, Any] = self._queue.receive(message)["Records"][0]
            return record
        return None

    def delete(self, receipt: str) -> None:
        self._queue.messages.pop(receipt.partition("/")[0], None)


class ReplayPort:
    """``ReplayQueue`` on a virtual queue."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self.hold, self.depth = queue.hold, queue.depth

    def send(self, replays: Sequence[StreamReplay], delay_seconds: int = 0) -> None:
        for replay in replays:
            self._queue.put(replay_message(replay), delay_seconds)


class FanOutPort:
    """``FanOutQueue`` on a virtual queue."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self.hold, self.depth = queue.hold, queue.depth

    def send(self, order: Order, numbers: Collection[int]) -> None:
        for number in numbers:
            self._queue.put(group_message(order.order_id, number))


class LookPort:
    """``LookQueue`` on a virtual queue."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue

    def send(self, looks: Sequence[DelayedLook]) -> None:
        for look, delay_seconds in looks:
            self._queue.put(look_message(look), delay_seconds)

    def wake(self) -> None:
        self._queue.put(look_message(LooksFromNow()))
