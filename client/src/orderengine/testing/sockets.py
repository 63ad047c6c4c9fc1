"""The sockets of API Gateway in virtual time: mailboxes that clients read, and that faults cut."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from random import Random

from chalicelib.codec.exact_json import loads
from chalicelib.ports.streams import ConnectionGoneError
from orderengine.testing.stream_judge import StreamJudge

#: API Gateway closes a socket on which nothing was said for so long, and every socket after two hours.
IDLE_MS, MAX_AGE_MS = 10 * 60_000, 2 * 60 * 60_000
#: The close code of a connection that broke off; no close frame has it.
ABNORMAL = 1006
_GOING_AWAY, _NORMAL = 1001, 1000


@dataclass
class Mailbox:
    """The client's end of a socket: the frames that it has not read, and how the socket was closed."""

    connection_id: str
    opened_ms: int
    judge: StreamJudge
    subprotocol: str | None = None
    active_ms: int = 0
    frames: deque[str] = field(default_factory=deque)
    closed: tuple[int, str] | None = None

    @property
    def ends_ms(self) -> int:
        return min(self.opened_ms + MAX_AGE_MS, self.active_ms + IDLE_MS)


class VirtualSockets:
    """``ManagedSockets`` on mailboxes. ``violations`` has what no client may get."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._open: dict[str, Mailbox] = {}
        self.copies = 1
        self.violations: list[str] = []

    def accept(self, mailbox: Mailbox) -> None:
        """Open a socket whose handshake the engine has accepted."""
        mailbox.active_ms = self._now_ms()
        self._open[mailbox.connection_id] = mailbox

    def push(self, connection_id: str, text: str) -> None:
        mailbox = self._open.get(connection_id)
        if mailbox is None:
            raise ConnectionGoneError(connection_id)
        mailbox.active_ms = self._now_ms()
        self.violations += mailbox.judge.judged(loads(text))
        mailbox.frames.extend([text] * self.copies)

    def close(self, connection_id: str) -> None:
        self._end(connection_id, _NORMAL, "Connection Closed Normally")

    def is_open(self, connection_id: str) -> bool:
        return connection_id in self._open

    def leave(self, connection_id: str, code: int, reason: str) -> bool:
        """Close a socket from the client's side; returns whether it was open."""
        return self._end(connection_id, code, reason)

    def cut(self, concerned: Callable[[Mailbox], bool], random: Random) -> list[str]:
        """Cut sockets with the frames in flight; returns the connections whose end API Gateway notices: every other
        one by chance.
        """
        cut = [one for one in self._open.values() if concerned(one)]
        for mailbox in cut:
            mailbox.frames.clear()
            self._end(mailbox.connection_id, ABNORMAL, "")
        return [one.connection_id for one in cut if random.random() < 0.5]

    @property
    def next_end_ms(self) -> int | None:
        return min((mailbox.ends_ms for mailbox in self._open.values()), default=None)

    def end_due(self) -> list[str]:
        """Close the sockets that are idle or old; returns their connections."""
        due = [one.connection_id for one in self._open.values() if one.ends_ms <= self._now_ms()]
        for connection_id in due:
            self._end(connection_id, _GOING_AWAY, "Going away")
        return due

    def unfinished(self, seqs: Mapping[str, int]) -> Iterator[str]:
        """Yield what open sockets lack once no order moves; ``seqs`` has the last event of each order."""
        for mailbox in self._open.values():
            yield from mailbox.judge.unfinished(seqs)

    def _end(self, connection_id: str, code: int, reason: str) -> bool:
        mailbox = self._open.pop(connection_id, None)
        if mailbox:
            mailbox.closed = code, reason
        return mailbox is not None
