"""The PostgreSQL server that the caller names in ``DATABASE_URL``. No message contains its password."""

import psycopg

from chalicelib.history.connection import InvalidAddressError, check_address
from chalicelib.history.migrate import migrate
from chalicelib.history.migration_locks import MigrationError
from chalicelib.ports.history import HistoryUnavailableError
from infra.errors import InfraError

#: The least that libpq accepts.
_CONNECT_SECONDS = 2
#: The first version that closes idle connections.
_MIN_VERSION = 14


class DatabaseError(InfraError):
    """The server cannot be used. The message says why in one line."""


def check_database(url: str) -> None:
    """Connect once, so that a mistake in the address shows before anything depends on it.

    :raises DatabaseError: if the server does not let this address in, or is too old.
    """
    try:
        check_address(url)
        with psycopg.connect(url, connect_timeout=_CONNECT_SECONDS) as connection:
            version = connection.info.server_version // 10_000
    except InvalidAddressError as error:
        raise DatabaseError(f"DATABASE_URL {error}.") from None
    except psycopg.Error as error:
        raise DatabaseError(f"DATABASE_URL cannot be used: {_line(error)}") from None
    if version < _MIN_VERSION:
        raise DatabaseError(f"DATABASE_URL is a PostgreSQL {version}; the engine needs {_MIN_VERSION} or later.")


def migrate_database(url: str) -> list[str]:
    """Bring the schema to its newest form; return the names of the applied files.

    :raises DatabaseError: if a migration fails.
    """
    try:
        return migrate(url)
    except (MigrationError, HistoryUnavailableError, psycopg.Error) as error:
        raise DatabaseError(f"The migration of the database failed: {_line(error)}") from None


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
