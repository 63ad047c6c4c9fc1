"""The client of the reference page comes back with a position at which it lacks no event."""

import asyncio
import json
import random
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from websockets.asyncio.server import ServerConnection, serve

from infra.contract import user_stream_sample

BEGINNING = "2026-01-01T00:00:00.000Z"


def update(order_id: str, seq: int, second: int) -> dict[str, Any]:
    return {"type": "ORDER_UPDATE", "orderId": order_id, "seq": seq, "at": f"2026-01-01T00:00:{second:02}.000Z"}


def live(second: int) -> dict[str, Any]:
    return {"type": "live", "userId": "alice", "at": f"2026-01-01T00:00:{second:02}.000Z"}


#: The frames of each socket, which the engine's side closes after the last one.
SOCKETS = [
    [update("new", 1, 30)],
    [update("new", 1, 30), update("old", 1, 10), live(31), update("new", 2, 32)],
    [update("new", 2, 32), update("old", 2, 20)],
    [update("old", 2, 20), live(40), update("end", 1, 41)],
]


async def follow(monkeypatch: pytest.MonkeyPatch) -> tuple[list[str], list[tuple[str, int]]]:
    """The ``since`` of each socket, and the events that the client gives."""
    positions: list[str] = []

    async def send(socket: ServerConnection) -> None:
        assert socket.request is not None
        positions.append(parse_qs(urlsplit(socket.request.path).query)["since"][0])
        for frame in SOCKETS[len(positions) - 1]:
            await socket.send(json.dumps(frame))

    async with serve(send, "127.0.0.1", 0) as server:
        host, port = next(iter(server.sockets)).getsockname()
        monkeypatch.setattr(user_stream_sample, "WS", f"ws://{host}:{port}")
        monkeypatch.setattr(random, "uniform", lambda *_: 0.0)
        events = []
        async for frame in user_stream_sample.follow_user("alice", BEGINNING):
            events.append((frame["orderId"], frame["seq"]))
            if frame["orderId"] == "end":
                break
    return positions, events


def test_a_client_that_is_cut_before_live_repeats_its_position(monkeypatch: pytest.MonkeyPatch) -> None:
    positions, events = asyncio.run(asyncio.wait_for(follow(monkeypatch), 20))
    assert positions == [BEGINNING, BEGINNING, "2026-01-01T00:00:32.000Z", "2026-01-01T00:00:32.000Z"]
    assert events == [("new", 1), ("old", 1), ("new", 2), ("old", 2), ("end", 1)]
