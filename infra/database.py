"""The PostgreSQL server that the caller names, by default in ``DATABASE_URL``. No message contains its password."""

from pathlib import Path

import psycopg

from chalicelib.history.address import check_verified, with_certificates
from chalicelib.history.connection import InvalidAddressError, check_address
from chalicelib.history.migrate import migrate
from chalicelib.history.migration_locks import MigrationError
from chalicelib.ports.history import HistoryUnavailableError
from infra.errors import InfraError

#: The least that libpq accepts.
_CONNECT_SECONDS = 2
#: The first version that closes idle connections.
_MIN_VERSION = 14
_HINT = " (CA_BUNDLE=file.pem names the certificates of an authority that is not public)"


class DatabaseError(InfraError):
    """The server cannot be used. The message says why in one line."""


def verified_url(url: str, source: str, own_certificates: Path | None = None) -> str:
    """Return the address that proves the server by these certificates, or by those of the public authorities.

    :raises DatabaseError: if ``url`` is no address, or does not verify the server.
    """
    try:
        check_address(url)
        check_verified(url)
        return with_certificates(url, own_certificates)
    except InvalidAddressError as error:
        raise DatabaseError(f"{source} {error}.") from None


def check_database(url: str, source: str = "DATABASE_URL") -> None:
    """Connect once, so that a mistake in the address shows before anything depends on it.

    :raises DatabaseError: if the server does not let this address in, or is too old.
    """
    try:
        with psycopg.connect(with_certificates(url), connect_timeout=_CONNECT_SECONDS) as connection:
            version = connection.info.server_version // 10_000
    except InvalidAddressError as error:
        raise DatabaseError(f"{source} {error}.") from None
    except psycopg.Error as error:
        hint = "" if "certificate verify failed" not in str(error) else _HINT
        raise DatabaseError(f"{source} cannot be used: {_line(error)}{hint}") from None
    if version < _MIN_VERSION:
        raise DatabaseError(f"{source} is a PostgreSQL {version}; the engine needs {_MIN_VERSION} or later.")


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
