"""The sample of the reference: a client that follows an order to its end, whatever happens to its socket."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

WS = "ws://localhost:8000"  # the address that make run prints
KEY = "your-api-key"  # any text where the deployment has no authentication
OVER = {"completed", "failed", "cancelled", "expired"}


async def follow(order_id: str) -> AsyncIterator[dict[str, Any]]:
    """Give each event of the order once and in order, through any number of sockets."""
    seq, pause = 0, 0.25
    while True:
        try:
            address = f"{WS}/ws/orders/{order_id}?afterSeq={seq}"
            headers = {"Authorization": f"Bearer {KEY}"}
            async with connect(address, additional_headers=headers) as socket:
                async for text in socket:
                    frame = json.loads(text)
                    if frame["type"] == "error":
                        raise RuntimeError(frame["detail"])
                    if frame["type"] != "ORDER_UPDATE" or frame["seq"] <= seq:
                        continue  # another frame, or an event that came twice
                    seq, pause = frame["seq"], 0.25
                    yield frame
                    if frame["phase"] in OVER:
                        return
        except (OSError, WebSocketException):
            pass  # the next socket goes on after the last event
        await asyncio.sleep(random.uniform(0, pause))
        pause = min(2 * pause, 30)


async def main() -> None:
    async for frame in follow("the-orderId-of-an-answer"):
        print(frame["seq"], frame["status"], frame["meta"])


if __name__ == "__main__":
    asyncio.run(main())
