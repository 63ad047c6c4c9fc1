"""The queues that carry orders, replays and looks between the functions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from chalicelib.ports.orders import StoredOrder
from chalicelib.ports.streams import StreamReplay


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """About how many messages of a queue wait for a receiver, and how many are received and not yet deleted.

    Delayed messages are neither.
    """

    waiting: int = 0
    in_flight: int = 0

    @property
    def total(self) -> int:
        return self.waiting + self.in_flight


class MessageQueue(Protocol):
    def depth(self) -> QueueDepth:
        """:raises Exception: if the queue does not answer."""
        ...

    def hold(self, receipt: str, seconds: int) -> None:
        """Keep the queue from delivering a received message again for this long, counted from now."""
        ...


class OrderQueue(MessageQueue, Protocol):
    def send(self, stored: StoredOrder, delay_seconds: int = 0) -> None:
        """Queue the order for the processor, which receives it after the delay (SQS accepts up to 900 s)."""
        ...

    def has_waiting(self) -> bool:
        """True if messages wait for a free processor. Delayed messages and those in flight do not count."""
        ...

    def ping(self) -> None:
        """:raises Exception: if the queue does not answer."""
        ...


class DeadLetterQueue(MessageQueue, Protocol):
    def keep(self, body: str) -> None:
        """Move a letter that closes no order to the unprocessable queue, where an operator finds it."""
        ...

    def unprocessable_depth(self) -> QueueDepth:
        """The depth of the unprocessable queue.

        :raises Exception: if the queue does not answer.
        """
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


@dataclass(frozen=True, slots=True)
class LooksOfMinute:
    """The request to queue further looks if something waits for one. EventBridge sends it once a minute."""


@dataclass(frozen=True, slots=True)
class LooksFromNow:
    """The request to queue looks, from a function that accepts an order while none are queued."""


@dataclass(frozen=True, slots=True)
class MarketLook:
    """A look of the market watcher, due at ``due_ms`` (milliseconds since the epoch)."""

    due_ms: int


@dataclass(frozen=True, slots=True)
class WatchdogLook:
    """A look of the watchdog, due at ``due_ms`` (milliseconds since the epoch)."""

    due_ms: int


Look = MarketLook | WatchdogLook
#: A look, and the whole seconds after which the queue delivers it.
DelayedLook = tuple[Look, int]


class LookQueue(Protocol):
    def send(self, looks: Sequence[DelayedLook]) -> None:
        """Queue looks for the ``run_looks`` function, which receives each after its delay.

        :raises Exception: if the queue refuses one of them.
        """
        ...

    def wake(self) -> None:
        """Ask the ``run_looks`` function to queue looks from now on (``LooksFromNow``).

        :raises Exception: if the queue does not take the request.
        """
        ...
