"""The DynamoDB client, which all tables of a process share."""

from contextlib import suppress
from typing import TypeVar

from botocore.config import Config
from botocore.session import Session
from pynamodb.connection import Connection
from pynamodb.models import Model

from chalicelib.settings import USER_AGENT, Settings

_Item = TypeVar("_Item", bound=Model)


class SharedConnection(Connection):
    """A client that all models share. pynamodb makes a client per model, and each costs a cold start about 50 ms."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(
            region=settings.aws_region,
            host=settings.aws_endpoint_url,
            connect_timeout_seconds=settings.aws_connect_timeout_seconds,
            read_timeout_seconds=settings.aws_read_timeout_seconds,
            max_pool_connections=settings.aws_connections,
        )

    @property
    def session(self) -> Session:
        """The session of every client of the process: a second one costs a cold start about 30 ms."""
        session = super().session
        # The SDK builds its own user agent anew for every call, which takes a tenth of the call's CPU time.
        session.set_default_client_config(Config(user_agent=USER_AGENT))
        return session


def bound(model: type[_Item], table_name: str, connection: SharedConnection) -> type[_Item]:
    """A subclass of the model on this deployment's table, which leaves the model class unchanged."""
    meta = {"table_name": table_name, "region": connection.region, "host": connection.host}
    found: type[_Item] = type(model.__name__, (model,), {"Meta": type("Meta", (), meta)})
    table = found._get_connection()
    # Another store of this process may have added the same table.
    with suppress(ValueError):
        connection.add_meta_table(table.connection.get_meta_table(table_name))
    table.connection = connection
    return found
