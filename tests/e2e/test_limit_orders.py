"""Limit orders on the deployed system: they stay open, trigger on a pushed price or a check by the market watcher,
and fill, expire or are cancelled.
"""

import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from chalicelib.codec.times import to_text
from infra.ops.deployment import local_deployment
from infra.ops.doctor import examine
from tests.e2e.client import Client, Json, an_order, await_events, parse
from tests.e2e.conftest import OPEN_ORDERS
from tests.support.stack import RunningStack

#: A sale of ten JUP; no other test pushes the price of JUP/USDC.
JUP = {"type": "limit", "tokenIn": "JUP", "tokenOut": "USDC", "amountIn": 10, "slippage": None}
FILLED = ["pending", "open", "triggered", "routing", "routing", "building", "submitted", "confirmed"]


@pytest.fixture(autouse=True)
def pushed_price_of_one(client: Client) -> None:
    client.push_event(type="price", pair="JUP/USDC", price=1)


def limit(**changes: Any) -> Json:
    return {**JUP, "limitPrice": 2, **changes}


def frames_of(client: Client, accepted: Json) -> list[Json]:
    """The events of an order up to its last one."""
    return [dict(update.raw) for update in client.engine.watch(accepted["orderId"])]


def swaps_of(tables: dict[str, Any], order_id: str) -> list[Json]:
    return [row for row in tables["ledger"].scan()["Items"] if row["orderId"] == order_id]


def test_a_limit_order_stays_open_until_its_price_and_fills_there_or_better(
    client: Client, stack: RunningStack, tables: dict[str, Any]
) -> None:
    accepted = client.accept(**limit(limitPrice="1.5", userId="patient"))
    order_id = accepted["orderId"]
    assert (accepted["status"], accepted["marketableAtEntry"]) == ("open", False)
    with client.socket(accepted["websocketUrl"]) as socket:
        opened = socket.until("ORDER_UPDATE", status="open")
        item = tables["orders"].get_item(Key={"orderId": order_id})["Item"]
        assert (item["waitsFor"], item["waitsAt"]) == ("JUP/USDC#sell", Decimal("1.5"))
        assert tables["market"].get_item(Key={"subject": "watched", "item": "JUP/USDC#sell"})["Item"]
        [waiting] = client.listed("patient", status="open", type="limit")
        assert waiting == client.record(order_id)
        client.push_event(type="price", pair="JUP/USDC", price="1.6")
        socket.until_terminal(order_id)
    frames = {frame["seq"]: frame for frame in socket.update_frames}
    assert [frame["status"] for frame in frames.values()] == FILLED
    assert opened["meta"].items() >= {"limitPrice": Decimal("1.5"), "timeInForce": "GTC", "minAmountOut": 15}.items()
    assert frames[3]["meta"]["trigger"] == "price"
    record = client.record(order_id)
    assert (record["status"], record["attempts"], record["limitPrice"]) == ("confirmed", 1, Decimal("1.5"))
    assert record["executedPrice"] >= Decimal("1.5")
    assert record["amountOut"] >= record["minAmountOut"] == 15
    assert [row["state"] for row in swaps_of(tables, order_id)] == ["landed"]
    assert "waitsFor" not in tables["orders"].get_item(Key={"orderId": order_id})["Item"]
    await_history(client, record)
    await_events(stack, order_id, FILLED)


def test_a_buy_order_triggers_at_a_price_below_its_limit(client: Client) -> None:
    accepted = client.accept(**limit(tokenIn="USDC", tokenOut="JUP", limitPrice="0.8"))
    client.push_event(type="price", pair="JUP/USDC", price="0.7")
    done = frames_of(client, accepted)[-1]
    assert done["status"] == "confirmed"
    assert done["meta"]["executedPrice"] <= Decimal("0.8")


def test_the_market_watcher_triggers_orders_that_a_crashed_push_did_not(
    client: Client, tables: dict[str, Any]
) -> None:
    accepted = client.accept(**limit())
    # The state that an API handler leaves if it crashes right after it has stored the pushed price.
    price = {"subject": "JUP/USDC", "item": "price#USDC", "price": Decimal("2.5"), "at": int(time.time() * 1000)}
    tables["market"].put_item(Item=price)
    frames = frames_of(client, accepted)
    assert [frame["status"] for frame in frames] == FILLED
    assert frames[2]["meta"]["trigger"] == "price"


def test_an_order_that_is_marketable_at_entry_says_so_and_fills_at_once(client: Client) -> None:
    accepted = client.accept(**limit(limitPrice="0.5"))
    assert accepted["marketableAtEntry"] is True
    frames = frames_of(client, accepted)
    assert frames[1]["meta"]["marketableAtEntry"] is True
    assert frames[2]["meta"] == {"trigger": "entry"}
    assert frames[-1]["status"] == "confirmed"
    assert frames[-1]["meta"]["executedPrice"] > Decimal("0.9")


@pytest.mark.parametrize(("price", "end", "swaps"), [("0.5", "confirmed", 1), ("2", "expired", 0)])
def test_an_ioc_order_fills_at_once_or_expires(
    client: Client, tables: dict[str, Any], price: str, end: str, swaps: int
) -> None:
    accepted = client.accept(**limit(limitPrice=price, timeInForce="IOC"))
    assert frames_of(client, accepted)[-1]["status"] == end
    assert len(swaps_of(tables, accepted["orderId"])) == swaps


def test_a_gtd_order_expires_at_its_expiry_and_not_before(client: Client, tables: dict[str, Any]) -> None:
    expires_at = to_text(datetime.now(UTC) + timedelta(seconds=2))
    accepted = client.accept(**limit(timeInForce="GTD", expiresAt=expires_at))
    assert accepted["expiresAt"] == expires_at
    expired = frames_of(client, accepted)[-1]
    assert (expired["seq"], expired["status"]) == (3, "expired")
    assert expired["at"] >= expires_at
    client.push_event(type="price", pair="JUP/USDC", price=3)
    assert client.record(accepted["orderId"])["seq"] == 3
    assert swaps_of(tables, accepted["orderId"]) == []
    await_history(client, client.record(accepted["orderId"]))


def test_an_amendment_needs_the_current_seq_as_its_etag(client: Client) -> None:
    accepted = client.accept(**limit())
    order_id = accepted["orderId"]
    # No test pushes a price as high, and a look may still have the price of the test before.
    amended = client.amend(order_id, seq=2, limitPrice=30, slippage=2)
    record = parse(amended.text)
    assert (amended.status_code, amended.headers["ETag"], record["seq"]) == (200, '"3"', 3)
    assert (record["limitPrice"], record["minAmountOut"]) == (30, 300)
    late = client.amend(order_id, seq=2, limitPrice=4)
    assert (late.status_code, parse(late.text)["verdict"]) == (
        412,
        {"outcome": "moved_on", "status": "open", "seq": 3},
    )
    # The new limit is below the market price, so the amendment triggers the order.
    assert client.amend(order_id, seq=3, limitPrice="0.5").status_code == 200
    frames = frames_of(client, accepted)
    assert [frame["status"] for frame in frames] == ["pending", *["open"] * 3, *FILLED[2:]]
    assert frames[2]["meta"]["amended"] == {"limitPrice": 30, "slippageBps": 200}
    over = client.amend(order_id, limitPrice=4)
    verdict = {"outcome": "not_open", "status": "confirmed", "seq": 10}
    assert (over.status_code, parse(over.text)["verdict"]) == (409, verdict)


def test_a_cancelled_order_never_trades(client: Client, tables: dict[str, Any]) -> None:
    mine = [client.accept(**limit(userId="leaver"))["orderId"] for _ in range(3)]
    assert client.engine.cancel(mine[0]).outcome == "cancelled"
    with client.socket() as socket:
        socket.say(action="cancel_order", orderId=mine[1], requestId="bye")
        assert socket.next().items() >= {"type": "ack", "requestId": "bye", "outcome": "cancelled"}.items()
    assert [order.id for order in client.engine.cancel_all("leaver").cancelled] == mine[2:]
    client.push_event(type="price", pair="JUP/USDC", price=3)
    assert [client.record(order_id)["status"] for order_id in mine] == ["cancelled"] * 3
    assert not [swap for order_id in mine for swap in swaps_of(tables, order_id)]


def test_a_socket_acknowledges_and_follows_the_limit_order_that_it_places(client: Client) -> None:
    with client.socket() as socket:
        socket.say(action="execute_order", requestId="l1", **limit(slippage=1))
        ack = socket.next()
        assert ack.items() >= {"type": "ack", "requestId": "l1", "action": "execute_order"}.items()
        socket.until("ORDER_UPDATE", orderId=ack["orderId"], status="open")
        client.push_event(type="price", pair="JUP/USDC", price=3)
        socket.until_terminal(ack["orderId"])
    assert sorted(set(socket.updates(ack["orderId"]))) == list(enumerate(FILLED, start=1))


def test_a_preview_shows_whether_the_order_would_be_marketable_at_entry(client: Client) -> None:
    waits = parse(client.post("/api/orders/preview", an_order(**limit())).text)
    fills = parse(client.post("/api/orders/preview", an_order(**limit(limitPrice="0.5"))).text)
    assert (waits["marketableAtEntry"], waits["minAmountOut"], waits["timeInForce"]) == (False, 20, "GTC")
    assert (fills["marketableAtEntry"], fills["minAmountOut"]) == (True, 5)


def test_a_user_over_the_open_order_limit_is_refused_with_retry_after(client: Client) -> None:
    answers = [client.order(**limit(userId="hoarder")) for _ in range(OPEN_ORDERS + 1)]
    assert [answer.status_code for answer in answers] == [202] * OPEN_ORDERS + [429]
    assert (parse(answers[-1].text)["code"], answers[-1].headers["Retry-After"]) == ("OPEN_ORDERS_FULL", "60")
    assert len(client.listed("hoarder", status="open", limit=200)) == OPEN_ORDERS
    # An IOC order never stays open, so it is accepted; cancelling open orders makes room for new ones.
    assert client.order(**limit(userId="hoarder", limitPrice="0.5", timeInForce="IOC")).status_code == 202
    client.engine.cancel_all("hoarder")
    assert client.order(**limit(userId="hoarder")).status_code == 202


def test_the_doctor_accepts_open_amended_and_filled_limit_orders(client: Client, stack: RunningStack) -> None:
    client.engine.amend(client.accept(**limit())["orderId"], limit_price=4)
    frames_of(client, client.accept(**limit(limitPrice="0.5")))
    assert examine(local_deployment(stack.endpoints)).violations == []


def await_history(client: Client, record: Json) -> None:
    """Poll until the history equals an order's record. The number of requests bounds the wait."""
    for _ in range(2000):
        if record in client.listed(record["userId"], limit=200):
            return
    raise AssertionError(f"{record} never reached the history")
