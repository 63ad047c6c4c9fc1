"""Brings the history's schema up to date, also by ``DATABASE_URL=... python -m chalicelib.history.migrate``.

The files in ``migrations/`` are applied in the order of their names, each in one transaction together with the
note that it was. Any number of runs may go on at once.
"""

import logging
import os
import sys
import time
from hashlib import sha256
from pathlib import Path

import psycopg
from psycopg.rows import TupleRow

from chalicelib.ports.history import HistoryUnavailableError

MIGRATIONS = Path(__file__).with_name("migrations")
#: How long to wait for a server that is only just starting.
_SERVER_SECONDS = 30.0
_PAUSE_SECONDS = 0.2
_CONNECT_SECONDS = 5
#: How long another run may take over one file.
_LOCK_TIMEOUT = b"set lock_timeout = '60s'"
#: Any number that nothing else in the database locks.
_LOCK_KEY = 0x6F726465_72730001
_NOTES = b"""
create table if not exists schema_migrations (
    name        text         primary key,
    checksum    text         not null,
    applied_at  timestamptz  not null default now()
)
"""

log = logging.getLogger(__name__)


class MigrationChangedError(Exception):
    """A file that was applied has been edited since. Put it back and write the change as a new file."""


def migrate(
    database_url: str, directory: Path = MIGRATIONS, server_timeout_seconds: float = _SERVER_SECONDS
) -> list[str]:
    """Apply what has not been applied yet; the names of the files applied now.

    :raises MigrationChangedError: if an applied file is no longer what it was.
    :raises HistoryUnavailableError: if no server answers in time.
    :raises psycopg.Error: if a file cannot be applied; those before it stay applied.
    """
    files = sorted(directory.glob("*.sql"))
    with _connect(database_url, server_timeout_seconds) as connection:
        connection.execute(_LOCK_TIMEOUT)
        return [file.name for file in files if _apply(connection, file)]


def _apply(connection: psycopg.Connection[TupleRow], file: Path) -> bool:
    """Whether the file was applied by this call."""
    content = file.read_bytes()
    checksum = sha256(content).hexdigest()
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(%s)", [_LOCK_KEY])
        connection.execute(_NOTES)
        query = "select checksum from schema_migrations where name = %s"
        noted = connection.execute(query, [file.name]).fetchone()
        if noted is None:
            connection.execute(content)
            connection.execute(
                "insert into schema_migrations (name, checksum) values (%s, %s)", [file.name, checksum]
            )
        elif noted != (checksum,):
            raise MigrationChangedError(f"{file.name} was changed after it had been applied")
    return noted is None


def _connect(database_url: str, timeout_seconds: float) -> psycopg.Connection[TupleRow]:
    deadline = time.monotonic() + timeout_seconds
    while True:
        try:
            return psycopg.connect(database_url, autocommit=True, connect_timeout=_CONNECT_SECONDS)
        except psycopg.OperationalError as error:
            if time.monotonic() >= deadline:
                raise HistoryUnavailableError(f"no Postgres after {timeout_seconds:g} s: {error}") from error
            log.info("waiting for Postgres", extra={"reason": str(error)})
            time.sleep(_PAUSE_SECONDS)


def main() -> None:
    """The command; ends with the reason where the schema could not be brought up to date."""
    database_url = os.environ.get("DATABASE_URL")
    if not database_url:
        sys.exit("DATABASE_URL is not set")
    try:
        applied = migrate(database_url)
    except (MigrationChangedError, HistoryUnavailableError, psycopg.Error) as error:
        sys.exit(f"migration failed: {error}")
    sys.stdout.writelines(f"applied {name}\n" for name in applied or ["nothing: the schema is up to date"])


if __name__ == "__main__":
    main()
