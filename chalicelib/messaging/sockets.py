"""Pushing to WebSocket connections through API Gateway's management API."""

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError, ConnectionClosedError

from chalicelib.ports.streams import ConnectionGoneError, PushFailedError

if TYPE_CHECKING:
    from mypy_boto3_apigatewaymanagementapi import ApiGatewayManagementApiClient

#: API Gateway answers with these for closed, unknown and malformed connection ids.
_GONE = {"GoneException", "410", "BadRequestException", "ValidationException"}


class ApiGatewaySockets:
    """``Sockets`` on the management API."""

    def __init__(self, client: "ApiGatewayManagementApiClient") -> None:
        self._client = client

    def push(self, connection_id: str, text: str) -> None:
        try:
            self._post(connection_id, text.encode())
        except ClientError as error:
            if error.response["Error"]["Code"] in _GONE:
                raise ConnectionGoneError(connection_id) from error
            raise PushFailedError(connection_id) from error
        except BotoCoreError as error:
            raise PushFailedError(connection_id) from error

    def _post(self, connection_id: str, data: bytes) -> None:
        try:
            self._client.post_to_connection(ConnectionId=connection_id, Data=data)
        except ConnectionClosedError:
            # A pooled connection may have died while Lambda froze the process; the retry opens a new one.
            self._client.post_to_connection(ConnectionId=connection_id, Data=data)
