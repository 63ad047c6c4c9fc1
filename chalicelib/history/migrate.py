"""Migration of the history's schema, also by ``DATABASE_URL=... python -m chalicelib.history.migrate``.

A run applies the files in ``migrations/`` in the order of their names, each in one transaction that also records it.
Concurrent runs are safe.
"""

import logging
import os
import sys
import time
from hashlib import sha256
from pathlib import Path

import psycopg
from psycopg.rows import TupleRow

from chalicelib.history.connection import InvalidAddressError, check_address
from chalicelib.ports.history import HistoryUnavailableError

MIGRATIONS = Path(__file__).with_name("migrations")
#: Time that a starting server has to answer.
_SERVER_SECONDS = 30.0
_PAUSE_SECONDS = 0.2
_CONNECT_SECONDS = 5
#: Time that another run may take for one file.
_LOCK_TIMEOUT = b"set lock_timeout = '60s'"
#: An advisory lock key, reserved for migrations.
_LOCK_KEY = 0x6F726465_72730001
_APPLIED_TABLE = b"""
create table if not exists schema_migrations (
    name        text         primary key,
    checksum    text         not null,
    applied_at  timestamptz  not null default now()
)
"""

log = logging.getLogger(__name__)


class MigrationChangedError(Exception):
    """An applied file was edited afterwards. Restore it and write the change as a new file."""


def migrate(
    database_url: str, directory: Path = MIGRATIONS, server_timeout_seconds: float = _SERVER_SECONDS
) -> list[str]:
    """Apply the pending files; returns their names.

    :raises MigrationChangedError: if an applied file was edited afterwards.
    :raises HistoryUnavailableError: if no server answers in time.
    :raises psycopg.Error: if a file cannot be applied; the files before it stay applied.
    """
    files = sorted(directory.glob("*.sql"))
    with _connect(database_url, server_timeout_seconds) as connection:
        connection.execute(_LOCK_TIMEOUT)
        return [file.name for file in files if _apply(connection, file)]


def _apply(connection: psycopg.Connection[TupleRow], file: Path) -> bool:
    """Apply a file unless it is applied; returns whether this call applied it."""
    content = file.read_bytes()
    checksum = sha256(content).hexdigest()
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(%s)", [_LOCK_KEY])
        connection.execute(_APPLIED_TABLE)
        query = "select checksum from schema_migrations where name = %s"
        recorded = connection.execute(query, [file.name]).fetchone()
        if recorded is None:
            connection.execute(content)
            connection.execute(
                "insert into schema_migrations (name, checksum) values (%s, %s)", [file.name, checksum]
            )
        elif recorded != (checksum,):
            raise MigrationChangedError(f"{file.name} was changed after it had been applied")
    return recorded is None


def _connect(database_url: str, timeout_seconds: float) -> psycopg.Connection[TupleRow]:
    deadline = time.monotonic() + timeout_seconds
    while True:
        try:
            return psycopg.connect(database_url, autocommit=True, connect_timeout=_CONNECT_SECONDS)
        except psycopg.OperationalError as error:
            if time.monotonic() >= deadline:
                waited = f" after {timeout_seconds:g} s" if timeout_seconds else ""
                raise HistoryUnavailableError(f"no Postgres{waited}: {error}") from error
            log.info("waiting for Postgres", extra={"reason": str(error)})
            time.sleep(_PAUSE_SECONDS)


def main() -> None:
    """The command; exits with the reason if the migration fails. The server must run: the command does not wait."""
    database_url = os.environ.get("DATABASE_URL")
    if not database_url:
        sys.exit("DATABASE_URL is not set")
    try:
        check_address(database_url)
        applied = migrate(database_url, server_timeout_seconds=0)
    except InvalidAddressError as error:
        sys.exit(f"DATABASE_URL {error}")
    except (MigrationChangedError, HistoryUnavailableError, psycopg.Error) as error:
        sys.exit(f"migration failed: {' '.join(str(error).split())}")
    except KeyboardInterrupt:
        sys.exit(130)
    sys.stdout.writelines(f"applied {name}\n" for name in applied or ["nothing: the schema is up to date"])


if __name__ == "__main__":
    main()
