"""The connection to Postgres, which a process shares, with a bound on every wait."""

import re
from collections.abc import Callable
from threading import Lock
from time import monotonic
from typing import TypeVar

import psycopg
from psycopg.abc import RV, PQGen
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus
from psycopg.rows import TupleRow

from chalicelib.ports.history import HistoryTooSlowError, HistoryUnavailableError

T = TypeVar("T")

_PORT = re.compile("[0-9]{1,5}", re.ASCII)

#: Circuit breaker: after a timeout, bulk writes fail at once for this long.
_BREAKER_SECONDS = 5.0
#: A failure that comes sooner than this was no timeout.
_TIMEOUT_SECONDS = 1.0
#: The client waits this much longer than the server's statement timeout.
_GRACE_SECONDS = 0.5
#: The server closes a connection that idles this long: a suspended Lambda environment keeps it open but cannot.
_IDLE_SECONDS = 60
_SET_TIMEOUTS = """
    select set_config('statement_timeout', %s, false), set_config('idle_session_timeout', %s, false)
"""


class InvalidAddressError(ValueError):
    """The text is not the address of a database. The message completes a sentence, and contains no password."""


def check_address(database_url: str) -> None:
    """Check the form of an address without a connection.

    :raises InvalidAddressError: if libpq could not use it.
    """
    try:
        parts = conninfo_to_dict(database_url)
    except (psycopg.Error, UnicodeError):
        # libpq's own message may contain the password.
        parts = {}
    ports = str(parts.get("port", "5432")).split(",")
    are_ports = all(_PORT.fullmatch(port) and 0 < int(port) < 65536 for port in ports)
    if not are_ports or not parts.keys() & {"host", "hostaddr", "service"}:
        raise InvalidAddressError(
            "is not the address of a database: it must be like postgresql://user:password@host:5432/name"
        )


class BoundedConnection(psycopg.Connection[TupleRow]):
    """A connection with a timeout in the client: a frozen or unreachable server does not enforce its own."""

    wait_seconds: float | None = None

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        return super().wait(gen, interval, self.wait_seconds if timeout is None else timeout)


class PostgresConnection:
    """A connection that opens on first use, stays open between uses, and reopens once when it proves dead.

    Threads take turns. Timeouts are in seconds; libpq raises a connect timeout to at least 2. ``is_pooled``: the
    address is that of a pooler in transaction mode, so nothing may belong to a session. The client alone then
    enforces the statement timeout, and the pooler closes idle connections.

    The session keeps all its other settings, whether they come from the address, a service file or ``PGOPTIONS``.
    """

    def __init__(
        self,
        database_url: str,
        connect_timeout_seconds: int,
        statement_timeout_seconds: float,
        *,
        is_pooled: bool = False,
    ) -> None:
        self._database_url = database_url
        self._connect_timeout = connect_timeout_seconds
        self._statement_timeout = statement_timeout_seconds
        self._is_pooled = is_pooled
        self._kept: BoundedConnection | None = None
        self._breaker_until = 0.0
        self._lock = Lock()

    def run(self, work: Callable[[BoundedConnection], T], *, is_bulk: bool = False) -> T:
        """The result of ``work``, which must be safe to repeat.

        ``is_bulk``: the work is one of many of its kind, and fails at once while the circuit breaker is open.

        :raises HistoryTooSlowError: if Postgres does not complete the statement in time.
        :raises HistoryUnavailableError: if Postgres does not answer, or refuses the statement.
        """
        # The thread before this one takes at most two statements and a connect: the timeouts of a session are set at
        # once, or the server is away and no statement follows.
        patience = 2 * (self._statement_timeout + _GRACE_SECONDS) + max(2, self._connect_timeout)
        if not self._lock.acquire(timeout=patience):
            raise HistoryUnavailableError("the connection to Postgres is busy")
        began = monotonic()
        try:
            if is_bulk and began < self._breaker_until:
                raise HistoryUnavailableError("Postgres timed out a moment ago")
            return self._run(work)
        except psycopg.Error as error:
            if is_bulk and monotonic() - began > _TIMEOUT_SECONDS:
                self._breaker_until = monotonic() + _BREAKER_SECONDS
            failure = HistoryTooSlowError if self._was_too_slow(error) else HistoryUnavailableError
            self._drop_unless_idle()
            raise failure(f"{type(error).__name__}: {error}") from error
        finally:
            self._lock.release()

    def close(self) -> None:
        """Close the connection; the next use opens another."""
        with self._lock:
            if self._kept is not None:
                self._kept.close()

    def _run(self, work: Callable[[BoundedConnection], T]) -> T:
        if self._kept is not None and not self._kept.closed:
            try:
                return work(self._kept)
            except psycopg.OperationalError:
                # Closed: Postgres restarted while this process was idle. Still open: Postgres refused the statement
                # or was too slow, and a retry would take as long again.
                if not self._kept.closed:
                    raise
        self._kept = self._open()
        if not self._is_pooled:
            self._limit_session(self._kept)
        return work(self._kept)

    def _open(self) -> BoundedConnection:
        connection = BoundedConnection.connect(
            self._database_url,
            autocommit=True,
            connect_timeout=self._connect_timeout,
            fallback_application_name="order-engine",
            # Within a minute TCP finds out that the server, or a gateway on the way, has forgotten the connection.
            keepalives_idle=30,
            keepalives_interval=10,
            keepalives_count=3,
            # A pooler passes each statement to another session.
            **({"prepare_threshold": None} if self._is_pooled else {}),
        )
        connection.wait_seconds = self._statement_timeout + _GRACE_SECONDS
        return connection

    def _limit_session(self, connection: BoundedConnection) -> None:
        """Set the server's timeouts. As options of the connection they would replace those of a service file."""
        try:
            connection.execute(_SET_TIMEOUTS, [_ms(self._statement_timeout), _ms(_IDLE_SECONDS)])
        except psycopg.Error:
            # A session without timeouts serves no statement.
            connection.close()
            raise

    def _was_too_slow(self, error: psycopg.Error) -> bool:
        """True if the statement took too long: the server ended it, or through a pooler the client stopped waiting.

        Without a pooler the server is the first to end a statement, so a client that waits longer waits for a server
        that is away.
        """
        still_runs = self._kept is not None and self._kept.info.transaction_status is TransactionStatus.ACTIVE
        return isinstance(error, psycopg.errors.QueryCanceled) or (self._is_pooled and still_runs)

    def _drop_unless_idle(self) -> None:
        """Close the connection if a statement still runs on it, so that the next one does not receive its answer."""
        if self._kept is not None and self._kept.info.transaction_status is not TransactionStatus.IDLE:
            self._kept.close()


def _ms(seconds: float) -> str:
    """A timeout as the server reads it, where 0 would be none."""
    return str(max(1, int(1000 * seconds)))
