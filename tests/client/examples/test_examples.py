"""Each example does what it says, on an engine in virtual time."""

import base64
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from threading import Thread
from typing import Any

import anyio
import httpx2
import pytest

from examples.limit_ladder import place, settle
from examples.sniper import snipe
from examples.thirty_lines import buy_a_dip
from examples.webhook_bridge import receiver
from infra.project import ROOT
from orderengine.cli.webhooks.message import Message, headers_of, key_of
from orderengine.testing import engine as engine_of

MINT = "AdiWxzkbkvEUqfmXCZsf3zDsQFquvfmTEgaUsCoWKmQZ"
SECRET = f"whsec_{base64.b64encode(b'a key of this test').decode()}"


def test_the_bot_of_thirty_lines_has_thirty_lines() -> None:
    lines = (ROOT / "examples/thirty_lines.py").read_text().split('"""', 2)[2].splitlines()
    assert len([line for line in lines if line.strip()]) <= 30


def test_the_bot_buys_a_dip(engine: Any, capsys: pytest.CaptureFixture[str]) -> None:
    engine.price("SOL/USDC", 150)

    def crash(seconds: float) -> None:
        engine.advance(seconds)
        engine.price("SOL/USDC", 120)

    done = buy_a_dip(engine.client(user="bot-1"), crash)
    assert done.filled
    assert done.executed_price is not None
    assert done.executed_price < 130
    assert "confirmed" in capsys.readouterr().out


def test_the_ladder_sells_its_rungs_and_cancels_the_rest(engine: Any) -> None:
    client = engine.client(user="bot-1")
    ladder = place(client, "ladder-1", Decimal(10), Decimal(300), Decimal(330), 4)
    engine.price("SOL/USDC", 315)
    engine.advance("1m")
    done = settle(client, ladder, seconds=5)
    assert [order.status for order in done] == ["confirmed", "confirmed", "cancelled", "cancelled"]
    assert [order.limit_price for order in done] == [300, 310, 320, 330]


def test_a_ladder_that_is_started_again_places_nothing(engine: Any) -> None:
    client = engine.client(user="bot-1")
    first, again = (place(client, "ladder-1", Decimal(10), Decimal(300), Decimal(330), 4) for _ in range(2))
    assert [rung.id for rung in first] == [rung.id for rung in again]
    assert len(engine.orders) == 4


def test_the_sniper_buys_at_the_launch() -> None:
    with engine_of(seed="launch", simulated_launch_seconds=20) as engine:
        done = anyio.run(snipe, engine.async_client(user="bot-1"), MINT, "1")
    assert done.filled
    assert done.dex_used


@contextmanager
def _listening(events: list[Any]) -> Iterator[str]:
    server = receiver(SECRET, events.append, 0)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_bridge_takes_what_is_signed_and_each_event_once() -> None:
    now = int(time.time())
    body = json.dumps({"type": "order.confirmed", "data": {"orderId": "1", "meta": {}}}).encode()
    message, key = Message("1:6", body), key_of(SECRET)
    signed = dict(headers_of(message, key, now))
    events: list[Any] = []
    with _listening(events) as url:
        answers = [
            httpx2.post(url, content=body, headers=headers).status_code
            for headers in (
                signed,
                signed,
                {**signed, "webhook-id": "1:7"},
                dict(headers_of(message, key, now - 3600)),
                dict(headers_of(message, None, now)),
            )
        ]
    assert answers == [204, 204, 401, 401, 401]
    assert [event["type"] for event in events] == ["order.confirmed"]
