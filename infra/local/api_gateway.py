"""API Gateway as on AWS where the emulator's differs: request ids, failed functions, subprotocols.

``PATCHES.md`` describes the patches. ``emulator_process.py`` imports this module as a script's neighbour, so it
imports nothing of this package.
"""

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any


class RestRequests:
    """Gives the function's event and the answer's header one request id, and answers for functions that fail.

    A function that raises or dies is an integration failure on AWS: the gateway response of its type answers.
    """

    NEEDED = ("_build_lambda_event_v1", "_execute_in_scope", "_gw_error")

    def __init__(self, rest: Any) -> None:
        self._rest = rest
        self._build = rest._build_lambda_event_v1
        self._execute = rest._execute_in_scope
        self._request_id: ContextVar[str] = ContextVar("request_id")

    def install(self) -> None:
        self._rest._build_lambda_event_v1 = self.build_event
        self._rest._execute_in_scope = self.execute

    async def execute(self, request: dict[str, Any], *arguments: Any) -> Any:
        self._request_id.set(request["request_id"])
        response = await self._execute(request, *arguments)
        if not isinstance(response, tuple):
            return response
        status, headers, body = response
        # The app never answers 502; the emulator answers it with the text of its own error.
        if status == 502:
            return self._rest._gw_error("INTEGRATION_FAILURE", "Internal server error")
        return status, headers | {"x-amzn-requestid": request["request_id"]}, body

    def build_event(self, *arguments: Any, **options: Any) -> dict[str, Any]:
        event: dict[str, Any] = self._build(*arguments, **options)
        event["requestContext"]["requestId"] = self._request_id.get()
        return event


class Subprotocols:
    """Accepts a socket with the ``Sec-WebSocket-Protocol`` that the ``$connect`` function answers."""

    NEEDED = ("_invoke_ws_lambda", "handle_websocket")

    def __init__(self, sockets: Any) -> None:
        self._sockets = sockets
        self._invoke = sockets._invoke_ws_lambda
        self._handle = sockets.handle_websocket
        self._headers: ContextVar[dict[str, str]] = ContextVar("headers")

    def install(self) -> None:
        self._sockets._invoke_ws_lambda = self.invoke
        self._sockets.handle_websocket = self.handle

    async def invoke(self, *arguments: Any, **options: Any) -> Any:
        answer = await self._invoke(*arguments, **options)
        self._headers.set((answer or {}).get("headers") or {})
        return answer

    async def handle(
        self,
        scope: Any,
        receive: Any,
        send: Callable[[dict[str, Any]], Awaitable[None]],
        *arguments: Any,
        **options: Any,
    ) -> None:
        async def accept(message: dict[str, Any]) -> None:
            if message["type"] == "websocket.accept":
                chosen = self._headers.get({}).get("Sec-WebSocket-Protocol")
                message = message | {"subprotocol": chosen}
            await send(message)

        await self._handle(scope, receive, accept, *arguments, **options)
