"""From the stream of a user to a receiver: the cursor never passes an event that is not acknowledged."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace

from orderengine.cli.exits import Exit, Stop
from orderengine.cli.feed import Feed
from orderengine.cli.webhooks.cursor_file import CursorFile, Place
from orderengine.cli.webhooks.message import Message, message_of
from orderengine.cli.webhooks.receiver import Receiver
from orderengine.models.orders import Update

#: Opens the feed of a user at a place.
Follow = Callable[[Place], AbstractContextManager[Feed]]


class Bridge:
    """Delivers every event of a feed, one after another, and remembers each acknowledgement."""

    def __init__(
        self, file: CursorFile, follow: Follow, receiver: Receiver, tell: Callable[[Update, Message, int], None]
    ) -> None:
        self._file = file
        self._follow = follow
        self._receiver = receiver
        self._tell = tell
        #: The id of the last webhook that was acknowledged in this run.
        self.delivered: str | None = None

    def run(self, start: Place) -> None:
        """Deliver from a place on, as long as the feed goes.

        :raises Stop: if the receiver does not take an event, or the cursor cannot be saved.
        """
        self._save(start)
        with self._follow(start) as feed:
            for update in feed:
                message = message_of(update)
                if message.id == start.delivered:
                    continue
                status = self._receiver.deliver(message)
                self.delivered = message.id
                self._save(replace(start, cursor=feed.cursor, delivered=message.id))
                self._tell(update, message, status)

    def _save(self, place: Place) -> None:
        try:
            self._file.save(place)
        except OSError as error:
            done = f"Everything up to {self.delivered} was delivered" if self.delivered else "Nothing was delivered"
            repeats = "; the next start repeats at most this one event" if self.delivered else " in this run"
            detail = f"The cursor cannot be saved: {error.strerror}. {done}{repeats}."
            raise Stop(Exit.LATER, "CURSOR_NOT_SAVED", detail, delivered=self.delivered) from error
