"""Calls about sockets: refusals that mean a closed connection, and refusals that mean a failed call."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)
from botocore.stub import Stubber

from chalicelib.messaging.sockets import ApiGatewaySockets
from chalicelib.ports.streams import ConnectionGoneError, PushFailedError

ENDPOINT = "http://127.0.0.1:1"


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    return boto3.client(
        "apigatewaymanagementapi",
        region_name="us-east-1",
        endpoint_url=ENDPOINT,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"mode": "standard", "total_max_attempts": 1}),
    )


@pytest.fixture
def stubber(client: Any) -> Iterator[Stubber]:
    with Stubber(client) as made:
        yield made
        made.assert_no_pending_responses()


def test_a_frame_reaches_its_connection_as_utf_8(client: Any, stubber: Stubber) -> None:
    stubber.add_response("post_to_connection", {}, {"ConnectionId": "abc=", "Data": '{"é":1}'.encode()})
    ApiGatewaySockets(client).push("abc=", '{"é":1}')


@pytest.mark.parametrize(
    ("code", "status"),
    [("GoneException", 410), ("410", 410), ("BadRequestException", 400), ("ValidationException", 400)],
)
def test_a_closed_connection_is_reported_as_gone(client: Any, stubber: Stubber, code: str, status: int) -> None:
    stubber.add_client_error("post_to_connection", code, http_status_code=status)
    with pytest.raises(ConnectionGoneError, match="abc"):
        ApiGatewaySockets(client).push("abc", "{}")


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("InternalServerError", 500),
        ("ServiceUnavailableException", 503),
        ("504", 504),
        ("LimitExceededException", 429),
        ("PayloadTooLargeException", 413),
        ("ForbiddenException", 403),
        ("ExpiredTokenException", 403),
    ],
)
def test_any_other_refusal_is_a_failed_push(client: Any, stubber: Stubber, code: str, status: int) -> None:
    stubber.add_client_error("post_to_connection", code, http_status_code=status)
    with pytest.raises(PushFailedError, match="abc"):
        ApiGatewaySockets(client).push("abc", "{}")


@pytest.mark.parametrize(
    "error",
    [
        ReadTimeoutError(endpoint_url=ENDPOINT),
        ConnectTimeoutError(endpoint_url=ENDPOINT),
        EndpointConnectionError(endpoint_url=ENDPOINT),
        ConnectionClosedError(endpoint_url=ENDPOINT),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_unreachable_endpoint_is_a_failed_push(client: Any, error: Exception) -> None:
    def never(**rest: Any) -> None:
        raise error

    client.meta.events.register("before-send.apigatewaymanagementapi.PostToConnection", never)
    with pytest.raises(PushFailedError, match="abc"):
        ApiGatewaySockets(client).push("abc", "{}")


class _NoBody:
    def stream(self) -> list[bytes]:
        return []


@pytest.mark.parametrize(
    ("status", "headers", "error"),
    [
        (410, {}, ConnectionGoneError),
        (410, {"x-amzn-ErrorType": "GoneException"}, ConnectionGoneError),
        (500, {}, PushFailedError),
        (502, {}, PushFailedError),
    ],
)
def test_an_answer_without_a_body_is_understood(
    client: Any, status: int, headers: dict[str, str], error: type[Exception]
) -> None:
    def answer(**rest: Any) -> AWSResponse:
        return AWSResponse(ENDPOINT, status, HTTPHeaders.from_dict(headers), _NoBody())

    client.meta.events.register("before-send.apigatewaymanagementapi.PostToConnection", answer)
    with pytest.raises(error):
        ApiGatewaySockets(client).push("abc", "{}")


def test_a_connection_is_closed_and_asked_for(client: Any, stubber: Stubber) -> None:
    stubber.add_response("get_connection", {}, {"ConnectionId": "abc="})
    stubber.add_response("delete_connection", {}, {"ConnectionId": "abc="})
    sockets = ApiGatewaySockets(client)
    assert sockets.is_open("abc=")
    sockets.close("abc=")


def test_closing_a_closed_connection_is_no_error(client: Any, stubber: Stubber) -> None:
    stubber.add_client_error("get_connection", "GoneException", http_status_code=410)
    stubber.add_client_error("delete_connection", "GoneException", http_status_code=410)
    sockets = ApiGatewaySockets(client)
    assert not sockets.is_open("abc")
    sockets.close("abc")


def test_a_connection_that_may_still_be_open_is_reported(client: Any, stubber: Stubber) -> None:
    for call in ("get_connection", "delete_connection"):
        stubber.add_client_error(call, "LimitExceededException", http_status_code=429)
    sockets = ApiGatewaySockets(client)
    with pytest.raises(PushFailedError, match="abc"):
        sockets.is_open("abc")
    with pytest.raises(PushFailedError, match="abc"):
        sockets.close("abc")
