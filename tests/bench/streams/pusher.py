"""A worker of the bare loop of pushes: it pushes frames to connections, and does nothing else."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
from botocore.config import Config

from chalicelib.settings import USER_AGENT
from infra.local.config import REGION
from tests.bench.child import serve


class _Pusher:
    def __init__(self) -> None:
        self._client: Any = None

    async def answer(self, what: str, fields: dict[str, Any]) -> Any:
        if what == "prepare":
            return self._prepare(**fields)
        return await asyncio.to_thread(self._push, **fields)

    def _prepare(self, endpoint: str, threads: int) -> None:
        """Make the client as the engine makes it."""
        self._threads = threads
        self._client = boto3.Session("test", "test", region_name=REGION).client(
            "apigatewaymanagementapi",
            endpoint_url=endpoint,
            config=Config(
                connect_timeout=5,
                read_timeout=30,
                retries={"mode": "standard", "total_max_attempts": 1},
                max_pool_connections=threads,
                user_agent=USER_AGENT,
                parameter_validation=False,
            ),
        )

    def _push(self, connections: list[str], frames: list[str]) -> None:
        def push(own: list[str]) -> None:
            for frame in frames:
                data = frame.encode()
                for connection in own:
                    self._client.post_to_connection(ConnectionId=connection, Data=data)

        with ThreadPoolExecutor(self._threads) as threads:
            list(threads.map(push, [connections[number :: self._threads] for number in range(self._threads)]))


if __name__ == "__main__":
    asyncio.run(serve(_Pusher().answer))
