"""The address of the database: how its secret holds it, and the certificates that prove its server."""

import os
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from chalicelib.codec.exact_json import loads
from chalicelib.history.connection import InvalidAddressError, check_address

#: The certificates of a deployment's own authority, which ``infra/aws/package.py`` adds to the package.
OWN_CERTIFICATES = Path(__file__).with_name("server-ca.pem")
#: The names that Amazon RDS gives the parts of an address in a secret, and those of libpq.
_PARTS_OF_RDS = {"host": "host", "port": "port", "dbname": "dbname", "username": "user", "password": "password"}


def address_in(secret: str) -> str:
    """The address that a secret holds: a URL, or a JSON object with ``url`` or with the parts that Amazon RDS writes.

    An address from parts verifies its server.

    :raises InvalidAddressError: if the secret holds no address.
    """
    url = _address_in_json(secret) if secret.lstrip().startswith("{") else secret.strip()
    check_address(url)
    return url


def check_verified(database_url: str) -> None:
    """Check that a client of this address proves whom it talks to before it sends its password.

    :raises InvalidAddressError: if it does not.
    """
    if conninfo_to_dict(database_url).get("sslmode") != "verify-full":
        raise InvalidAddressError(
            "does not verify the server: write sslmode=verify-full, as in "
            "postgresql://user:password@host:5432/name?sslmode=verify-full"
        )


def with_certificates(database_url: str, own: Path | None = None) -> str:
    """The address with the file of certificates that prove the server, if it verifies the server and names none.

    These are the file ``own``, or else that in the package, or else the public authorities.

    :raises InvalidAddressError: if libpq could not use the address.
    """
    check_address(database_url)
    parts = conninfo_to_dict(database_url)
    # The system's certificates are those of the place where libpq was built, which Lambda does not have.
    names_file = parts.get("sslrootcert", "system") != "system" or "PGSSLROOTCERT" in os.environ
    if names_file or not str(parts.get("sslmode", "")).startswith("verify-"):
        return database_url
    own = own or (OWN_CERTIFICATES if OWN_CERTIFICATES.exists() else None)
    return make_conninfo(database_url, sslrootcert=str(own or _public_authorities()))


def _address_in_json(secret: str) -> str:
    try:
        value = loads(secret)
    except ValueError:
        raise InvalidAddressError("is neither the address of a database nor JSON") from None
    if isinstance(url := value.get("url"), str):
        return url
    parts = {libpq: str(value[name]) for name, libpq in _PARTS_OF_RDS.items() if value.get(name)}
    if missing := sorted(name for name, libpq in _PARTS_OF_RDS.items() if libpq not in parts and name != "port"):
        raise InvalidAddressError(f"has neither url nor {', '.join(missing)}")
    return make_conninfo(**parts, sslmode="verify-full")


def _public_authorities() -> str:
    import certifi

    return certifi.where()
