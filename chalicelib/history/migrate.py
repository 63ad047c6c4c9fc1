"""Migration of the history's schema, also by ``DATABASE_URL=... python -m chalicelib.history.migrate``.

A run applies the files in ``migrations/`` in the order of their names; ``migration_files`` describes their form.
Concurrent runs take turns, and writers go on (``migration_locks``). The address must be the server's own: a turn is a
lock of the session, which a pooler would pass on.
"""

import logging
import os
import sys
from functools import partial
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from chalicelib.clock import utc_now
from chalicelib.history.connection import InvalidAddressError
from chalicelib.history.migration_files import MigrationFile, Statement, migration_files
from chalicelib.history.migration_locks import MigrationError, repeat_until_locked
from chalicelib.history.migration_session import turn
from chalicelib.history.partition_changes import PartitionError, add_months
from chalicelib.ports.history import HistoryUnavailableError

MIGRATIONS = Path(__file__).with_name("migrations")
#: Time that a starting server has to answer.
_SERVER_SECONDS = 30.0
_APPLIED_TABLE = b"""
create table if not exists schema_migrations (
    name        text         primary key,
    checksum    text         not null,
    applied_at  timestamptz  not null default now()
)
"""
_IS_INVALID = """
    select exists (select from pg_index where indexrelid = to_regclass(%s) and not indisvalid)
"""

log = logging.getLogger(__name__)


class MigrationChangedError(MigrationError):
    """An applied file was edited afterwards. Restore it and write the change as a new file."""


def migrate(
    database_url: str, directory: Path = MIGRATIONS, server_timeout_seconds: float = _SERVER_SECONDS
) -> list[str]:
    """Apply the pending files, and add the months that the events lack; returns the names of the files.

    :raises MigrationChangedError: if an applied file was edited afterwards.
    :raises MigrationBusyError: if another run does not end.
    :raises InvalidAddressError: if libpq could not use the address.
    :raises HistoryUnavailableError: if no server answers in time.
    :raises psycopg.Error: if a file cannot be applied; the files before it stay applied.
    """
    with turn(database_url, server_timeout_seconds) as connection:
        connection.execute(_APPLIED_TABLE)
        applied = [file.name for file in migration_files(directory) if _apply(connection, file)]
        _add_months(connection)
        return applied


def _add_months(connection: psycopg.Connection[TupleRow]) -> None:
    """Add coming months. Records go on without them, so a dump that holds the events fails no deployment."""
    try:
        add_months(connection, utc_now())
    except (PartitionError, psycopg.errors.LockNotAvailable) as error:
        log.warning("no months were added to the events: run make history", extra={"reason": str(error)})


def _apply(connection: psycopg.Connection[TupleRow], file: MigrationFile) -> bool:
    """Apply a file unless it is applied; returns whether this call applied it."""
    query = "select checksum from schema_migrations where name = %s"
    recorded = connection.execute(query, [file.name]).fetchone()
    if recorded is None:
        if file.is_transaction:
            repeat_until_locked(connection, partial(_apply_at_once, connection, file), writers_wait=True)
        else:
            _apply_in_steps(connection, file)
    elif recorded != (file.checksum,):
        raise MigrationChangedError(f"{file.name} was changed after it had been applied")
    return recorded is None


def _apply_at_once(connection: psycopg.Connection[TupleRow], file: MigrationFile) -> None:
    with connection.transaction():
        connection.execute(file.content.encode())
        _record(connection, file)


def _apply_in_steps(connection: psycopg.Connection[TupleRow], file: MigrationFile) -> None:
    for statement in file.statements:
        run = partial(_run, connection, statement)
        repeat_until_locked(connection, run, writers_wait=statement.makes_writers_wait)
    _record(connection, file)


def _run(connection: psycopg.Connection[TupleRow], statement: Statement) -> None:
    index = statement.built_index
    if index and connection.execute(_IS_INVALID, [index]).fetchone() == (True,):
        # An interrupted build leaves an index that nothing reads and every write maintains.
        connection.execute(sql.SQL("drop index concurrently {}").format(sql.Identifier(index)))
    connection.execute(statement.text.encode())


def _record(connection: psycopg.Connection[TupleRow], file: MigrationFile) -> None:
    statement = "insert into schema_migrations (name, checksum) values (%s, %s)"
    connection.execute(statement, [file.name, file.checksum])


def main(database_url: str | None) -> None:
    """The command; exits with the reason if the migration fails. The server must run: the command does not wait."""
    if not database_url:
        sys.exit("DATABASE_URL is not set")
    try:
        applied = migrate(database_url, server_timeout_seconds=0)
    except InvalidAddressError as error:
        sys.exit(f"DATABASE_URL {error}")
    except (MigrationError, HistoryUnavailableError, psycopg.Error) as error:
        sys.exit(f"migration failed: {' '.join(str(error).split())}")
    except KeyboardInterrupt:
        sys.exit(130)
    sys.stdout.writelines(f"applied {name}\n" for name in applied or ["nothing: the schema is up to date"])


if __name__ == "__main__":
    main(os.environ.get("DATABASE_URL"))
