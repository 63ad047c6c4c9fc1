"""What a stream brings: an order, some orders, or all orders of a user."""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from orderengine.core.commands import Flow
from orderengine.core.session import Session
from orderengine.core.streams.deadlines import Deadline
from orderengine.core.streams.frames import Live
from orderengine.models.orders import Update


class Source(ABC):
    """The position of a stream, and how to ask for what comes after it.

    ``ready`` has the updates whose turn it is. The stream takes them from there, so none is lost if a request fails
    that was to bring others.
    """

    #: Whether a request can wait for the next event.
    can_wait = True

    def __init__(self, session: Session, deadline: Deadline, name: str) -> None:
        self.session = session
        self.deadline = deadline
        self.name = name
        self.ready: deque[Update] = deque()
        #: Whether every update of the stream is in ``ready`` or was there.
        self.is_terminal = False

    @property
    @abstractmethod
    def has_gap(self) -> bool:
        """Whether an update is missing before one that is here."""

    @property
    def last(self) -> tuple[int | None, str | None]:
        """The last ``seq`` and status handed out, for the stream of one order."""
        return None, None

    @abstractmethod
    def query(self) -> tuple[tuple[str, str], ...]:
        """The query of a handshake that brings what comes next."""

    def subscribe_messages(self) -> Sequence[Mapping[str, Any]]:
        """The messages that subscribe a new socket, where the query does not."""
        return ()

    def opened(self) -> None:  # noqa: B027  # most sources need not know
        """A socket has opened at ``query``."""

    @abstractmethod
    def take(self, update: Update, is_live: bool) -> None:
        """Put an update of a socket in its place. ``is_live`` if the socket was up to date before."""

    @abstractmethod
    def live(self, frame: Live) -> Flow[bool]:
        """Take a live frame. The result says whether the whole stream is up to date."""

    @abstractmethod
    def poll(self, wait: int) -> Flow[None]:
        """Ask by HTTP for what comes next, and wait for it so many seconds."""

    @abstractmethod
    def fill(self) -> Flow[None]:
        """Ask by HTTP for the updates that are missing before those that are here."""

    def acknowledge(self, update: Update) -> None:
        """Drop an update that the consumer has come back from: the first of ``ready``."""
        self.ready.popleft()

    def _queue(self, updates: Iterable[Update]) -> None:
        self.ready.extend(updates)

    def _attempt(self, wait: int = 0) -> Flow[Session]:
        """The session for one request. The stream repeats it, at its own pace."""
        return self.deadline.attempt(self.session, wait)
