"""The queues that carry orders and replays between the functions."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from chalicelib.ports.orders import StoredOrder
from chalicelib.ports.streams import StreamReplay


class MessageQueue(Protocol):
    def hold(self, receipt: str, seconds: int) -> None:
        """Keep the queue from delivering a received message again for this long, counted from now."""
        ...


class OrderQueue(MessageQueue, Protocol):
    def send(self, stored: StoredOrder, delay_seconds: int = 0) -> None:
        """Queue the order for the processor, which receives it after the delay (SQS accepts up to 900 s)."""
        ...

    def ping(self) -> None:
        """:raises Exception: if the queue does not answer."""
        ...


class DeadLetterQueue(MessageQueue, Protocol):
    def keep(self, body: str) -> None:
        """Move a letter that closes no order to the unprocessable queue, where an operator finds it."""
        ...


class HighPriorityQueue(MessageQueue, Protocol):
    """A second message for every high-priority order. The processor reads it before the next order in turn."""

    def take(self) -> Mapping[str, Any] | None:
        """The next message, as a record of a Lambda event; ``None`` if the queue is empty."""
        ...

    def delete(self, receipt: str) -> None: ...


class ReplayQueue(MessageQueue, Protocol):
    def send(self, replays: Sequence[StreamReplay], delay_seconds: int = 0) -> None:
        """Queue streams for the ``replay_streams`` function.

        :raises Exception: if the queue refuses one of them.
        """
        ...
