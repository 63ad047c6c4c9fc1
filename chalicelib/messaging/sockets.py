"""Pushing to WebSocket connections, and closing them, through API Gateway's management API."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError, ConnectionClosedError

from chalicelib.ports.streams import ConnectionGoneError, PushFailedError

if TYPE_CHECKING:
    from mypy_boto3_apigatewaymanagementapi import ApiGatewayManagementApiClient

#: API Gateway answers with these for closed, unknown and malformed connection ids.
_GONE = {"GoneException", "410", "BadRequestException", "ValidationException"}


class ApiGatewaySockets:
    """``ManagedSockets`` on the management API."""

    def __init__(self, client: "ApiGatewayManagementApiClient") -> None:
        self._client = client

    def push(self, connection_id: str, text: str) -> None:
        with _calling(connection_id):
            self._post(connection_id, text.encode())

    def close(self, connection_id: str) -> None:
        with suppress(ConnectionGoneError), _calling(connection_id):
            self._client.delete_connection(ConnectionId=connection_id)

    def is_open(self, connection_id: str) -> bool:
        try:
            with _calling(connection_id):
                self._client.get_connection(ConnectionId=connection_id)
        except ConnectionGoneError:
            return False
        return True

    def _post(self, connection_id: str, data: bytes) -> None:
        try:
            self._client.post_to_connection(ConnectionId=connection_id, Data=data)
        except ConnectionClosedError:
            # A pooled connection may have died while Lambda froze the process; the retry opens a new one.
            self._client.post_to_connection(ConnectionId=connection_id, Data=data)


@contextmanager
def _calling(connection_id: str) -> Iterator[None]:
    """Translate the errors of a call."""
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] in _GONE:
            raise ConnectionGoneError(connection_id) from error
        raise PushFailedError(connection_id) from error
    except BotoCoreError as error:
        raise PushFailedError(connection_id) from error
