"""The emulator's API Gateway with the adaptations: one request id, gateway responses for failures, subprotocols."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from ministack.services import apigateway, apigateway_v1

from infra.local.api_gateway import RestRequests, Subprotocols


def test_the_emulator_has_the_functions_that_are_adapted() -> None:
    assert all(hasattr(apigateway_v1, name) for name in RestRequests.NEEDED)
    assert all(hasattr(apigateway, name) for name in Subprotocols.NEEDED)


def rest_answering(status: int) -> Any:
    """A REST API whose function answers with the request id of its event."""

    async def execute(request: dict[str, Any], *_: Any) -> Any:
        event = rest._build_lambda_event_v1()
        return status, {"x-id": event["requestContext"]["requestId"]}, b""

    rest = SimpleNamespace(
        _build_lambda_event_v1=lambda: {"requestContext": {"requestId": "another"}},
        _execute_in_scope=execute,
        _gw_error=lambda kind, text: (kind, text),
    )
    RestRequests(rest).install()
    return rest


def test_the_event_and_the_answer_have_the_id_of_the_request() -> None:
    rest = rest_answering(404)

    async def two_requests() -> Any:
        return await asyncio.gather(*(rest._execute_in_scope({"request_id": name}) for name in ("one", "two")))

    for name, (status, headers, _) in zip(("one", "two"), asyncio.run(two_requests()), strict=True):
        assert (status, headers) == (404, {"x-id": name, "x-amzn-requestid": name})


def test_a_function_that_fails_is_an_integration_failure() -> None:
    answer = asyncio.run(rest_answering(502)._execute_in_scope({"request_id": "one"}))
    assert answer == ("INTEGRATION_FAILURE", "Internal server error")


@pytest.mark.parametrize(
    ("answer", "subprotocol"),
    [
        ({"statusCode": 200, "headers": {"Sec-WebSocket-Protocol": "orders.v1"}}, "orders.v1"),
        ({"statusCode": 200}, None),
        (None, None),
    ],
)
def test_a_socket_is_accepted_with_the_subprotocol_of_its_function(answer: Any, subprotocol: str | None) -> None:
    sent: list[dict[str, Any]] = []

    async def invoke(*_: Any, **__: Any) -> Any:
        return answer

    async def handle(scope: Any, receive: Any, send: Any, *_: Any) -> None:
        await sockets._invoke_ws_lambda()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": "x"})

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    sockets = SimpleNamespace(_invoke_ws_lambda=invoke, handle_websocket=handle)
    Subprotocols(sockets).install()
    asyncio.run(sockets.handle_websocket({}, None, send))
    assert sent == [
        {"type": "websocket.accept", "subprotocol": subprotocol},
        {"type": "websocket.send", "text": "x"},
    ]
