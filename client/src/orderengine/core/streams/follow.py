"""Following all orders of a user."""

from datetime import datetime, timedelta

from orderengine.core import calls
from orderengine.core.commands import Flow, Now
from orderengine.core.session import Session
from orderengine.core.streams.cursors import Position, read_position
from orderengine.core.streams.deadlines import Deadline, TimeIsOver
from orderengine.core.streams.stream import Stream
from orderengine.core.streams.user import UserSource
from orderengine.errors import InvalidArgument
from orderengine.times import Time, read_time, time_text

#: The orders of clients that name no user, where the engine has no authentication.
ANONYMOUS = "anonymous"
#: The engine's clock is known to the second.
_CLOCK_ERROR = timedelta(seconds=2)


class Following:
    """A stream of all orders of a user, and the place in it that has been handed out."""

    def __init__(
        self,
        session: Session,
        user: str | None = None,
        since: Time | None = None,
        cursor: str | None = None,
        timeout: float | None = None,
    ) -> None:
        """:raises InvalidArgument: for a time, a cursor, a user or a timeout that no stream can have."""
        self._session = session
        self._deadline = Deadline(timeout)
        self._source: UserSource | None = None
        user = user or session.options.user or ""
        if since is not None and cursor is not None:
            raise InvalidArgument("give since or a cursor: a cursor has a time of its own")
        if cursor is None:
            self._position = Position(user, None if since is None else _time(since))
            return
        self._position = read_position(cursor)
        if user and user != self._position.user:
            raise InvalidArgument(f"cursor is that of user {self._position.user!r}, and not of {user!r}")

    @property
    def cursor(self) -> str:
        """The place after all updates that the consumer has come back from: ``follow`` goes on there."""
        return (self._source.position if self._source else self._position).text

    def flow(self, now: datetime) -> Flow[None]:
        """A flow that delivers the updates of all orders, each once.

        A stream without a position begins at ``now``, which is by the clock of this machine, however late the flow
        is run.

        :raises DeadlineExceeded: after the time given.
        :raises StreamRefused, ProblemError: if the engine ends the stream for good.
        """
        if self._position.since is None and self._position.began is None:
            self._position = Position(self._position.user, began=now)
        return self._flow()

    def _flow(self) -> Flow[None]:
        yield from self._deadline.begin()
        try:
            self._source = yield from self._begin()
        except TimeIsOver:
            raise self._deadline.exceeded("the start of a feed") from None
        yield from Stream(self._source).flow()

    def _begin(self) -> Flow[UserSource]:
        position, session = self._position, self._session
        server_now = yield from self._deadline.call(session, calls.server_now)
        here: datetime = yield Now()
        user = position.user or (yield from self._deadline.call(session, _user_of_credential))
        start = (position.began or here) + (server_now - here) - _CLOCK_ERROR
        known = Position(user, position.since, None, position.seqs, position.ended)
        return UserSource(session, self._deadline, known, start)


def _time(since: Time) -> datetime:
    text = time_text("since", since)
    try:
        return read_time(text)
    except ValueError:
        raise InvalidArgument(f"since is {text!r}, and not an RFC 3339 time") from None


def _user_of_credential(session: Session) -> Flow[str]:
    """The user whose orders the credential places. Only the statistics name it.

    :raises InvalidArgument: if they are those of all users, because the credential may operate.
    """
    found = yield from calls.stats(session)
    if found.user_id:
        return found.user_id
    if session.options.key:
        raise InvalidArgument("follow needs a user: this credential may read the orders of all of them")
    return ANONYMOUS
