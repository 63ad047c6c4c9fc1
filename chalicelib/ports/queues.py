"""The queues that carry orders between the functions."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from chalicelib.ports.orders import StoredOrder
from chalicelib.ports.streams import Replay


class MessageQueue(Protocol):
    def hold(self, receipt: str, seconds: int) -> None:
        """Keep a received message from being delivered again for this long, counted from now."""
        ...


class OrderQueue(MessageQueue, Protocol):
    def send(self, stored: StoredOrder, delay_seconds: int = 0) -> None:
        """Have the processor take the order up, no sooner than after the delay, of which SQS takes 900 s."""
        ...

    def ping(self) -> None:
        """Raises whatever keeps the queue from answering."""
        ...


class DeadLetterQueue(MessageQueue, Protocol):
    """The dead letters."""

    def keep(self, body: str) -> None:
        """Put a letter by which no order can be closed where an operator finds it."""
        ...


class HighPriorityQueue(MessageQueue, Protocol):
    """A second copy of every high-priority order, which the processor looks for before it takes what is next in turn."""

    def take(self) -> Mapping[str, Any] | None:
        """One message if there is one, as a record of a Lambda event."""
        ...

    def delete(self, receipt: str) -> None: ...


class ReplayQueue(MessageQueue, Protocol):
    def send(self, replays: Sequence[Replay], delay_seconds: int = 0) -> None: ...
