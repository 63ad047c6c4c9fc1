"""A client of sockets on the workbench, as API Gateway calls the engine for it."""

import json
from dataclasses import dataclass
from typing import Any

from chalicelib.codec.replays import replay_message
from chalicelib.consumers.streams import replay_streams
from chalicelib.streaming import actions, connections
from tests.support.workbench import Workbench


@dataclass(frozen=True)
class SocketClient:
    bench: Workbench
    connection_id: str = "me"

    def connect(self, *authorizations: str, **query: str | list[str]) -> int:
        """Open the socket; returns the status of the handshake."""
        parameters = {name: [values] if isinstance(values, str) else values for name, values in query.items()}
        event = {
            "requestContext": {"connectionId": self.connection_id},
            "multiValueQueryStringParameters": parameters or None,
            "multiValueHeaders": {"Authorization": list(authorizations)} if authorizations else {},
        }
        return int(connections.connect(self.bench.engine, event)["statusCode"])

    def say(self, action: str, **fields: Any) -> list[dict[str, Any]]:
        """Send a message; returns the frames that it brings."""
        return self.send(json.dumps({"action": action, **fields}))

    def send(self, body: str) -> list[dict[str, Any]]:
        before = len(self.frames)
        event = {"requestContext": {"connectionId": self.connection_id}, "body": body}
        actions.handle_message(self.bench.engine, event)
        return self.frames[before:]

    def leave(self) -> None:
        connections.disconnect(self.bench.engine, {"requestContext": {"connectionId": self.connection_id}})

    @property
    def frames(self) -> list[dict[str, Any]]:
        return self.bench.sockets.frames[self.connection_id]

    @property
    def is_closed(self) -> bool:
        """True once the engine has closed the socket."""
        return self.connection_id in self.bench.sockets.closed


def deliver(bench: Workbench) -> list[int]:
    """Process the messages of the replay queue that are there now; returns the delays of those that they queue."""
    sent, bench.replay_queue.sent = bench.replay_queue.sent, []
    records = [
        {
            "messageId": str(number),
            "receiptHandle": str(number),
            "body": replay_message(replay),
            "attributes": {
                "ApproximateReceiveCount": "1",
                "ApproximateFirstReceiveTimestamp": str(bench.clock.now_ms()),
            },
        }
        for number, (replay, _) in enumerate(sent)
    ]
    result = replay_streams(bench.engine, {"Records": records})
    failed = {one["itemIdentifier"] for one in result["batchItemFailures"]}
    bench.replay_queue.sent += [one for number, one in enumerate(sent) if str(number) in failed]
    return [delay for _, delay in bench.replay_queue.sent]
