"""One connection to Postgres per process, on which every wait ends."""

from collections.abc import Callable
from threading import Lock
from time import monotonic
from typing import TypeVar

import psycopg
from psycopg.abc import RV, PQGen
from psycopg.pq import TransactionStatus
from psycopg.rows import TupleRow

from chalicelib.ports.history import HistoryUnavailableError

T = TypeVar("T")

#: Where an answer was waited for in vain, it is taken for so long that there would be none.
_REST_SECONDS = 5.0
#: What fails sooner than this has kept nobody waiting.
_SOON_SECONDS = 1.0
#: How much longer than the server's own statement timeout the client waits for the answer.
_GRACE_SECONDS = 0.5


class BoundedConnection(psycopg.Connection[TupleRow]):
    """A server that is frozen or cut off does not keep its statement timeout, so the client keeps one too."""

    wait_seconds: float | None = None

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        return super().wait(gen, interval, self.wait_seconds if timeout is None else timeout)


class PostgresConnection:
    """A connection opened when it is first needed, kept between uses, and opened anew once when it turns out dead.

    Threads take turns. Timeouts are in seconds, of which libpq makes a connect timeout at least 2.
    """

    def __init__(self, database_url: str, connect_timeout_seconds: int, statement_timeout_seconds: float) -> None:
        self._database_url = database_url
        self._connect_timeout = connect_timeout_seconds
        self._statement_timeout = statement_timeout_seconds
        self._kept: BoundedConnection | None = None
        self._rests_until = 0.0
        self._lock = Lock()

    def run(self, work: Callable[[BoundedConnection], T], *, one_of_many: bool = False) -> T:
        """The result of ``work``, which must be safe to do twice.

        ``one_of_many`` is not tried where another of them has just waited in vain.

        :raises HistoryUnavailableError: whatever Postgres or the way to it suffers from.
        """
        # The turn before this one takes at most two statements and a connect.
        patience = 2 * (self._statement_timeout + _GRACE_SECONDS) + max(2, self._connect_timeout)
        if not self._lock.acquire(timeout=patience):
            raise HistoryUnavailableError("the connection to Postgres is busy")
        began = monotonic()
        try:
            if one_of_many and began < self._rests_until:
                raise HistoryUnavailableError("Postgres did not answer a moment ago")
            return self._run(work)
        except psycopg.Error as error:
            if one_of_many and monotonic() - began > _SOON_SECONDS:
                self._rests_until = monotonic() + _REST_SECONDS
            self._drop_unless_idle()
            raise HistoryUnavailableError(f"{type(error).__name__}: {error}") from error
        finally:
            self._lock.release()

    def close(self) -> None:
        """Let go of the connection; the next use opens another."""
        with self._lock:
            if self._kept is not None:
                self._kept.close()

    def _run(self, work: Callable[[BoundedConnection], T]) -> T:
        if self._kept is not None and not self._kept.closed:
            try:
                return work(self._kept)
            except psycopg.OperationalError:
                # Closed: Postgres was restarted while this process was idle. Still open: it refused the statement
                # or was too slow, and asking again would only take as long again.
                if not self._kept.closed:
                    raise
        self._kept = self._open()
        return work(self._kept)

    def _open(self) -> BoundedConnection:
        connection = BoundedConnection.connect(
            self._database_url,
            autocommit=True,
            connect_timeout=self._connect_timeout,
            fallback_application_name="order-engine",
        )
        connection.wait_seconds = self._statement_timeout + _GRACE_SECONDS
        milliseconds = str(max(1, int(self._statement_timeout * 1000)))
        connection.execute("select set_config('statement_timeout', %s, false)", [milliseconds])
        return connection

    def _drop_unless_idle(self) -> None:
        """A statement that was waited for in vain is still running: its answer must not meet the next one."""
        if self._kept is not None and self._kept.info.transaction_status is not TransactionStatus.IDLE:
            self._kept.close()
