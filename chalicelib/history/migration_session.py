"""The session of a run that changes the schema. Its address must be the server's own (``migrate``)."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg.rows import TupleRow

from chalicelib.history.address import with_certificates
from chalicelib.history.migration_locks import take_turn
from chalicelib.ports.history import HistoryUnavailableError

_PAUSE_SECONDS = 0.2
_CONNECT_SECONDS = 5

log = logging.getLogger(__name__)


@contextmanager
def turn(database_url: str, server_timeout_seconds: float = 0) -> Iterator[psycopg.Connection[TupleRow]]:
    """A connection that may change the schema until it is closed; other runs wait.

    :raises MigrationBusyError: if another run does not end.
    :raises InvalidAddressError: if libpq could not use the address.
    :raises HistoryUnavailableError: if no server answers in time.
    """
    with _connect(database_url, server_timeout_seconds) as connection:
        take_turn(connection)
        connection.execute("select set_config('statement_timeout', '0', false), set_config('timezone', 'UTC', false)")
        yield connection


def _connect(database_url: str, timeout_seconds: float) -> psycopg.Connection[TupleRow]:
    deadline = time.monotonic() + timeout_seconds
    address = with_certificates(database_url)
    while True:
        try:
            return psycopg.connect(address, autocommit=True, connect_timeout=_CONNECT_SECONDS)
        except psycopg.OperationalError as error:
            if time.monotonic() >= deadline:
                waited = f" after {timeout_seconds:g} s" if timeout_seconds else ""
                raise HistoryUnavailableError(f"no Postgres{waited}: {error}") from error
            log.info("waiting for Postgres", extra={"reason": str(error)})
            time.sleep(_PAUSE_SECONDS)
