"""Sniper orders on the deployed system: each triggers once, on the first launch that passes its filters."""

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from chalicelib.simulation.launches import pool_address
from infra.ops.deployment import local_deployment
from infra.ops.doctor import examine
from tests.e2e.client import Client, Json, an_order, parse
from tests.e2e.test_limit_orders import FILLED, await_history, frames_of, swaps_of
from tests.support.stack import RunningStack

_mints: Iterator[str] = (pool_address("e2e", str(number)) for number in count())


@pytest.fixture
def mint() -> str:
    """The mint of a token without a launch."""
    return next(_mints)


def sniper(mint: str, **changes: Any) -> Json:
    return {"type": "sniper", "tokenIn": "SOL", "tokenOut": mint, "amountIn": 1, **changes}


def launch(client: Client, mint: str, **changes: Any) -> Json:
    pool = {"venue": "raydium", "pool": "first", "slot": 1, "price": "0.001", "liquidity": 1000, **changes}
    return client.push_event(type="pool_created", mint=mint, **pool)


def test_a_sniper_order_triggers_once_on_the_first_launch_that_passes_its_filters(
    client: Client, mint: str, tables: dict[str, Any]
) -> None:
    accepted = client.accept(**sniper(mint, launch={"minLiquidity": 500, "maxPrice": "0.01"}))
    order_id = accepted["orderId"]
    assert accepted["status"] == "open"
    with client.socket(accepted["websocketUrl"]) as socket:
        socket.until("ORDER_UPDATE", status="open", seq=2)
        assert tables["orders"].get_item(Key={"orderId": order_id})["Item"]["waitsFor"] == f"launch#{mint}"
        assert launch(client, mint, liquidity=100) == {"accepted": True, "duplicate": False}
        refused = socket.until("ORDER_UPDATE", status="open", seq=3)["meta"]
        assert refused["reason"] == client.record(order_id)["waitReason"] == "liquidity of 100 is less than 500"
        assert launch(client, mint, liquidity=5000) == {"accepted": True, "duplicate": True}
        assert client.record(order_id)["seq"] == 3
        launch(client, mint, pool="second", slot=2)
        socket.until_terminal(order_id)
    frames = {frame["seq"]: frame for frame in socket.update_frames}
    assert [frame["status"] for frame in frames.values()] == ["pending", "open", *FILLED[1:]]
    fired = frames[4]["meta"]
    assert (fired["trigger"], fired["launch"]["pool"]) == ("launch", "second")
    record = client.record(order_id)
    assert (record["status"], record["dexUsed"], record["waitReason"]) == ("confirmed", "raydium", None)
    assert record["amountOut"] >= record["minAmountOut"] >= 100
    launch(client, mint, pool="third", slot=3)
    assert [row["state"] for row in swaps_of(tables, order_id)] == ["landed"]
    assert client.record(order_id) == record
    await_history(client, record)


def test_a_launch_triggers_every_open_sniper_order_of_its_mint(client: Client, mint: str) -> None:
    waiting = [client.accept(**sniper(mint)) for _ in range(3)]
    elsewhere = client.accept(**sniper(next(_mints), userId="elsewhere"))["orderId"]
    launch(client, mint)
    assert [frames_of(client, one)[-1]["status"] for one in waiting] == ["confirmed"] * 3
    assert client.record(elsewhere)["status"] == "open"


def test_a_sniper_order_for_a_launched_token_is_409(client: Client, mint: str) -> None:
    launch(client, mint)
    for path in ("/api/orders/execute", "/api/orders/preview"):
        answer = client.post(path, an_order(**sniper(mint)))
        assert (answer.status_code, parse(answer.text)["code"]) == (409, "POOL_ALREADY_LIVE")
    listed = client.order(**sniper("USDC"))
    assert (listed.status_code, parse(listed.text)["code"]) == (409, "POOL_ALREADY_LIVE")


def test_a_socket_places_follows_and_cancels_a_sniper_order(client: Client, mint: str) -> None:
    with client.socket() as socket:
        socket.say(action="execute_order", requestId="s1", **sniper(mint))
        ack = socket.next()
        assert ack.items() >= {"type": "ack", "requestId": "s1", "action": "execute_order"}.items()
        socket.until("ORDER_UPDATE", orderId=ack["orderId"], status="open")
        socket.say(action="cancel_order", orderId=ack["orderId"])
        socket.until_terminal(ack["orderId"])
    launch(client, mint)
    assert client.record(ack["orderId"])["status"] == "cancelled"


def test_a_preview_names_the_mint_and_the_minimum_output(client: Client, mint: str) -> None:
    body = parse(client.post("/api/orders/preview", an_order(**sniper(mint, launch={"maxPrice": "0.01"}))).text)
    assert (body["chosen"], body["minAmountOut"], body["timeInForce"]) == (None, 100, "GTC")
    assert mint in body["summary"]


def test_slippage_can_be_amended_and_a_limit_price_is_refused(client: Client, mint: str) -> None:
    order_id = client.accept(**sniper(mint))["orderId"]
    refused = client.amend(order_id, limitPrice=1)
    assert [error["code"] for error in parse(refused.text)["errors"]] == ["NOT_FOR_TYPE"]
    amended = client.amend(order_id, seq=2, slippage=20)
    assert (amended.status_code, amended.headers["ETag"]) == (200, '"3"')


def test_the_doctor_accepts_open_and_filled_sniper_orders(client: Client, mint: str, stack: RunningStack) -> None:
    client.accept(**sniper(next(_mints)))
    fired = client.accept(**sniper(mint))
    launch(client, mint)
    frames_of(client, fired)
    assert examine(local_deployment(stack.endpoints)).violations == []
