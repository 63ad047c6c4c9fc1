"""The entry points of the engine as clients, API Gateway and the event source mappings reach them."""

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from uuid import UUID

from chalicelib.consumers.fan_out import fan_out
from chalicelib.consumers.orders import process_orders
from chalicelib.consumers.streams import replay_streams
from chalicelib.engine import Engine
from chalicelib.streaming import actions, connections
from orderengine.core.commands import Request
from orderengine.testing import gateway
from tests.cost.site import Site

API, CONNECT, MESSAGE, DISCONNECT = "api_handler", "websocket_connect", "websocket_message", "websocket_disconnect"
PROCESS, REPLAY, FAN_OUT = "process_orders", "replay_streams", "fan_out"

#: The function of each queue that has an event source mapping, but for the queue of the looks.
CONSUMERS: Mapping[str, tuple[str, Callable[[Engine, Mapping[str, Any]], Any]]] = {
    "OrdersQueue": (PROCESS, process_orders),
    "ReplayQueue": (REPLAY, replay_streams),
    "FanOutQueue": (FAN_OUT, fan_out),
}
_ACCEPTED = (200, 201, 202)


class Doors:
    """A client of a site. All its requests are those of one user with an API key."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._requests = 0
        self._sockets = 0

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None, **headers: str) -> Any:
        """Send a request, and return the body of its answer."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        lines = gateway.lines_of(
            {"authorization": self._site.authorization, "content-type": "application/json", **named}
        )
        encoded = None if body is None else json.dumps(body).encode()
        request, now = Request(method, path, (), {}, encoded), self._site.clock.now()
        answer = self._site.invoke(API, lambda: gateway.answer(request, lines, self._new_id(), now))
        assert answer.status in _ACCEPTED, answer.body
        return json.loads(answer.body)

    def open(self, **query: str) -> str:
        """Open a socket, and return its connection id."""
        self._sockets += 1
        connection_id = f"L0SM9cOFvHcCIh{self._sockets:02}="
        event = {
            "requestContext": {"connectionId": connection_id, "requestId": self._new_id()},
            "headers": {},
            "multiValueHeaders": {"Authorization": [self._site.authorization]},
            "multiValueQueryStringParameters": {name: [value] for name, value in query.items()} or None,
        }
        answer = self._site.invoke(CONNECT, lambda: connections.connect(self._site.engine, event))
        assert answer["statusCode"] in _ACCEPTED, answer
        return connection_id

    def write(self, connection_id: str, message: Mapping[str, Any]) -> None:
        event = {"requestContext": {"connectionId": connection_id}, "body": json.dumps(message)}
        self._site.invoke(MESSAGE, lambda: actions.handle_message(self._site.engine, event))

    def close(self, connection_id: str) -> None:
        event = {"requestContext": {"connectionId": connection_id}}
        self._site.invoke(DISCONNECT, lambda: connections.disconnect(self._site.engine, event))

    def deliver(self) -> None:
        """Deliver every message that waits, and what follows from it, as the event source mappings do."""
        while any(self._deliver(queue) for queue in CONSUMERS):
            pass

    def deliver_streams(self) -> None:
        """Deliver what brings streams up to date, and leave the orders in their queue."""
        while self._deliver("ReplayQueue"):
            pass

    def _deliver(self, queue: str) -> bool:
        function, handle = CONSUMERS[queue]
        sqs = self._site.aws.sqs
        url = f"{self._site.settings.orders_queue_url.rpartition('/')[0]}/{queue}"
        messages = sqs.receive_message(QueueUrl=url, MessageSystemAttributeNames=["All"]).get("Messages", ())
        for message in messages:
            # However slow the machine is, no message waits in its queue.
            sent = message["Attributes"]["SentTimestamp"]
            record = {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": {**message["Attributes"], "ApproximateFirstReceiveTimestamp": sent},
            }
            event = {"Records": [record]}
            answer = self._site.invoke(function, partial(handle, self._site.engine, event))
            assert not answer["batchItemFailures"], answer
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return bool(messages)

    def _new_id(self) -> str:
        self._requests += 1
        return str(UUID(int=self._requests))
