"""The sample of the reference: a client that follows all orders of a user, whatever happens to its socket."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

WS = "ws://localhost:8000"  # the address that make run prints
KEY = "your-api-key"  # any text where the deployment has no authentication


async def follow_user(user_id: str, since: str) -> AsyncIterator[dict[str, Any]]:
    """Give each event of the user's orders since a time once, through any number of sockets."""
    last: dict[str, int] = {}  # the last seq of each order
    pause = 0.25
    while True:
        is_live = False
        try:
            address = f"{WS}/ws?{urlencode({'userId': user_id, 'since': since})}"
            headers = {"Authorization": f"Bearer {KEY}"}
            async with connect(address, additional_headers=headers) as socket:
                async for text in socket:
                    frame = json.loads(text)
                    if frame["type"] == "error":
                        raise RuntimeError(frame["detail"])
                    is_live = is_live or frame["type"] == "live"
                    if is_live:
                        since = frame["at"]  # before live, since stays as it was
                    if frame["type"] != "ORDER_UPDATE" or frame["seq"] <= last.get(frame["orderId"], 0):
                        continue  # another frame, or an event that came twice
                    last[frame["orderId"]], pause = frame["seq"], 0.25
                    yield frame
        except (OSError, WebSocketException):
            pass  # the next socket goes on from since
        await asyncio.sleep(random.uniform(0, pause))
        pause = min(2 * pause, 30)


async def main() -> None:
    async for frame in follow_user("your-user-id", since="2026-01-01T00:00:00Z"):
        print(frame["orderId"], frame["seq"], frame["status"], frame["meta"])


if __name__ == "__main__":
    asyncio.run(main())
