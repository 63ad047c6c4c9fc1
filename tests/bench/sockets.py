"""The sockets of a benchmark, in a process of their own."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from tests.bench.child import Child, running
from tests.bench.socket_client import Update

_PROCESS = "tests.bench.socket_process"
_AT_ONCE = 50
_FIRST_SECONDS = 120.0
#: A slow socket is tried again after pauses that grow to this order.
QUIET_SECONDS = 60.0
_MOST_SECONDS = 3600.0


@dataclass(frozen=True)
class Tally:
    """What a group of sockets has received of some orders. ``last`` is on the monotonic clock."""

    sockets: int
    closed: int
    due: int
    received: int
    doubled: int
    early: int
    last: float

    @property
    def missing(self) -> int:
        return self.due - self.received

    def faults(self, what: str) -> list[str]:
        """What the contract does not allow: doubles it does."""
        counts = {"missing": self.missing, "before an earlier one": self.early}
        return [f"{what}: {number} of {self.due} frames {how}" for how, number in counts.items() if number]


class Sockets:
    """Opens, follows and closes groups of sockets."""

    def __init__(self, child: Child) -> None:
        self._child = child

    def open(
        self, group: str, urls: list[str], at_once: int = _AT_ONCE, *, deaf: bool = False, vanish: bool = False
    ) -> list[float]:
        """Open sockets and return the seconds of each handshake.

        A deaf socket never reads; a socket that is to vanish resets the connection after the handshake.
        """
        fields = {"group": group, "urls": urls, "at_once": at_once, "deaf": deaf, "vanish": vanish}
        return list(self._child.ask("open", _MOST_SECONDS, **fields))

    def begin_open(self, group: str, urls: list[str], at_once: int, *, vanish: bool = False) -> int:
        """Begin to open sockets, and return a number for ``finish``."""
        return self._child.begin("open", group=group, urls=urls, at_once=at_once, deaf=False, vanish=vanish)

    def begin_say(self, group: str, text: str, times: int) -> int:
        """Begin to send a message many times, and return a number for ``finish``, which waits for the replies."""
        return self._child.begin("say", group=group, text=text, times=times, seconds=_FIRST_SECONDS)

    def finish(self, number: int) -> None:
        self._child.finish(number, _MOST_SECONDS)

    def firsts(self, group: str) -> list[float]:
        """The seconds from the start of each handshake to the first frame."""
        return list(self._child.ask("firsts", _MOST_SECONDS, group=group, seconds=_FIRST_SECONDS))

    def until(self, group: str, orders: Mapping[str, int], quiet: float = QUIET_SECONDS) -> Tally:
        """Wait until every socket has these orders up to these seqs, or none has had an update for a time."""
        return Tally(**self._child.ask("until", _MOST_SECONDS, group=group, orders=orders, quiet=quiet))

    def updates(self, group: str) -> list[list[Update]]:
        """The updates of each socket in the order in which they came."""
        return [[Update(*one) for one in updates] for updates in self._child.ask("updates", group=group)]

    def texts(self, group: str) -> list[str]:
        """The updates that the group's first socket has received, as text."""
        return list(self._child.ask("texts", group=group))

    def close(self, group: str, *, vanish: bool = False) -> None:
        self._child.ask("close", group=group, vanish=vanish)


@contextmanager
def open_sockets() -> Iterator[Sockets]:
    """Run the process that holds the sockets until the end of the context."""
    with running(_PROCESS) as child:
        yield Sockets(child)
