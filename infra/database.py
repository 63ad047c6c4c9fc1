"""The PostgreSQL server that the caller names in ``DATABASE_URL``. No message contains its password."""

import psycopg

from chalicelib.history.connection import InvalidAddressError, check_address
from chalicelib.history.migrate import MigrationChangedError, migrate
from chalicelib.ports.history import HistoryUnavailableError
from infra.errors import InfraError

#: The least that libpq accepts.
_CONNECT_SECONDS = 2


class DatabaseError(InfraError):
    """The server cannot be used. The message says why in one line."""


def check_database(url: str) -> None:
    """Connect once, so that a mistake in the address shows before anything depends on it.

    :raises DatabaseError: if the server does not let this address in.
    """
    try:
        check_address(url)
        psycopg.connect(url, connect_timeout=_CONNECT_SECONDS).close()
    except InvalidAddressError as error:
        raise DatabaseError(f"DATABASE_URL {error}.") from None
    except psycopg.Error as error:
        raise DatabaseError(f"DATABASE_URL cannot be used: {_line(error)}") from None


def migrate_database(url: str) -> list[str]:
    """Bring the schema to its newest form; return the names of the applied files.

    :raises DatabaseError: if a migration fails.
    """
    try:
        return migrate(url)
    except (MigrationChangedError, HistoryUnavailableError, psycopg.Error) as error:
        raise DatabaseError(f"The migration of the database failed: {_line(error)}") from None


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
