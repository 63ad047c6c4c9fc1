"""The secret with the address of a deployment's Postgres, in AWS Secrets Manager or in an emulator of it.

No message contains the value of a secret.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.history.address import address_in
from chalicelib.history.connection import InvalidAddressError
from infra.errors import InfraError


class SecretError(InfraError):
    """No secret is named, there is none of this name, or it holds no address."""


@dataclass(frozen=True)
class DatabaseSecret:
    """A secret with an address, or the address alone, which then has no ``arn``. ``source`` says where it is from."""

    source: str
    url: str = field(repr=False)
    arn: str = ""


def database_from(environment: Mapping[str, str], secrets: Any, deployed: str | None) -> DatabaseSecret:
    """Return the database that the operator names, or that of the deployed stack, whose parameter is ``deployed``.

    :raises SecretError: if none is named, two are, or the secret holds no address.
    :raises ClientError: if AWS refuses to show the secret.
    """
    url, name = environment.get("DATABASE_URL"), environment.get("DATABASE_SECRET")
    if url and name:
        raise SecretError("DATABASE_URL and DATABASE_SECRET are both set; set one of them.")
    if url:
        return DatabaseSecret("DATABASE_URL", url)
    if not (name := name or deployed):
        raise SecretError("DATABASE_SECRET must name the secret that holds the address of a PostgreSQL.")
    return find_secret(secrets, name)


def own_secret(stack: str) -> str:
    """Return the name of the secret that a stack keeps an address in which its operator gives as text."""
    return f"{stack}/database-url"


def find_secret(secrets: Any, name: str) -> DatabaseSecret:
    """Return the secret of this name or ARN.

    :raises SecretError: if there is none, or it holds no address of a database.
    :raises ClientError: if AWS refuses to show it.
    """
    try:
        found = secrets.get_secret_value(SecretId=name)
        return DatabaseSecret(f"The secret {name}", address_in(found["SecretString"]), found["ARN"])
    except secrets.exceptions.ResourceNotFoundException:
        raise SecretError(f"There is no secret {name} with a value at {secrets.meta.endpoint_url}.") from None
    except KeyError:
        raise SecretError(f"The secret {name} is binary; it must be text.") from None
    except InvalidAddressError as error:
        raise SecretError(f"The value of the secret {name} {error}.") from None


def ensure_secret(secrets: Any, name: str, url: str) -> str:
    """Create the secret of this name with ``url`` if it does not exist, and return its ARN. A value in it stays.

    A secret that is deleted stays in the account for a month, keeps its name, and can be restored.

    :raises ClientError: if AWS refuses.
    """
    try:
        found = secrets.describe_secret(SecretId=name)
        if found.get("DeletedDate"):
            secrets.restore_secret(SecretId=name)
        return str(found["ARN"])
    except secrets.exceptions.ResourceNotFoundException:
        return keep_secret(secrets, name, url)


def keep_secret(secrets: Any, name: str, url: str) -> str:
    """Keep ``url`` in the secret of this name, create the secret if it does not exist, and return its ARN.

    :raises ClientError: if AWS refuses.
    """
    try:
        found = secrets.get_secret_value(SecretId=name)
        if found.get("SecretString") != url:
            secrets.put_secret_value(SecretId=name, SecretString=url)
    except secrets.exceptions.ResourceNotFoundException:
        description = "The address of the order history's PostgreSQL"
        found = secrets.create_secret(Name=name, Description=description, SecretString=url)
    return str(found["ARN"])


def readable_url(secrets: Any, name: str | None) -> str | None:
    """Return the address in a secret, or ``None`` if there is no secret that this caller may read."""
    try:
        return find_secret(secrets, name).url if name else None
    except (ClientError, SecretError):
        return None
