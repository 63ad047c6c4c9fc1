"""The server's clock, as far as its answers show it."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(slots=True)
class ServerClock:
    """The difference of the server's clock to that of this machine."""

    #: The server's time less this machine's, once an answer has shown it.
    offset: timedelta | None = None

    def note(self, before: datetime, after: datetime, server: datetime | None) -> None:
        """Learn from an answer that came between two times of this machine.

        ``Date`` has whole seconds, and the answer may have been long on its way. Of the differences that agree with
        it, the one nearest to the known difference is kept; at first that is none.
        """
        if server is None:
            return
        least, most = server - after, server + timedelta(seconds=1) - before
        self.offset = min(max(self.offset or timedelta(), least), most)
