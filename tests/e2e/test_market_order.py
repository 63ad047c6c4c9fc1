"""A market order over HTTP, from the 202 to the confirmed frame and the history."""

from decimal import Decimal
from uuid import UUID

import psycopg
import pytest

from chalicelib import VERSION
from tests.e2e.client import HAPPY, Client, Json, an_order, parse
from tests.support.stack import RunningStack

QUOTE_FIELDS = {"price", "amountOut", "fee", "feeBps", "priceImpactPct", "liquidity"}
RECORD_FIELDS = {
    *("orderId", "userId", "clientOrderId", "type", "side", "tokenIn", "tokenOut", "amountIn", "amountInBase"),
    *("amountOut", "amountOutBase", "minAmountOut", "status", "phase", "seq", "attempts", "dexUsed"),
    *("executedPrice", "limitPrice", "timeInForce", "expiresAt", "launch", "waitReason"),
    *("txHash", "failCode", "failReason", "quotes"),
    *("createdAt", "updatedAt"),
}


@pytest.mark.parametrize("path", ["/api/orders/execute", "/orders", "/api/orders/execute?upgrade=ws"])
def test_an_accepted_order_has_an_id_links_and_a_websocket_url(client: Client, path: str) -> None:
    answer = client.post(path, an_order())
    body = parse(answer.text)
    assert answer.status_code == 202
    assert answer.headers["content-type"] == "application/json"
    assert str(UUID(body["orderId"])) == body["orderId"]
    assert body["status"] == "pending"
    assert body["websocketUrl"] == f"{client.ws}/ws?orderId={body['orderId']}"
    for link in body["links"].values():
        assert client.get(link).status_code == 200


def test_the_stream_shows_every_status_with_quotes_route_and_price(client: Client) -> None:
    accepted = client.accept(userId="alice", amountIn="2")
    order_id = accepted["orderId"]
    with client.socket(accepted["websocketUrl"]) as socket:
        socket.until_terminal(order_id)
    assert socket.updates(order_id) == list(enumerate(HAPPY, start=1))
    _, begun, quoted, building, submitted, confirmed = socket.frames
    assert {frame["userId"] for frame in socket.frames} == {"alice"}
    assert [frame["phase"] for frame in socket.frames] == ["queued", *["processing"] * 4, "completed"]
    assert [frame["attempt"] for frame in socket.frames] == [0, 1, 1, 1, 1, 1]
    assert begun["meta"] == {}

    quotes = {"raydium": quoted["meta"]["rQuote"], "meteora": quoted["meta"]["mQuote"]}
    assert all(quote.keys() >= QUOTE_FIELDS for quote in quotes.values())
    chosen = quoted["meta"]["chosen"]
    assert quotes[chosen]["amountOut"] == max(quote["amountOut"] for quote in quotes.values())
    assert chosen in quoted["meta"]["reason"]

    assert building["meta"]["steps"] == ["wrapSol", "swap"]
    assert submitted["meta"] == {"dex": chosen, "txHash": confirmed["meta"]["txHash"]}
    done = confirmed["meta"]
    assert done["dex"] == chosen
    assert done["executedPrice"] == done["executionPrice"]
    assert done["amountOut"] == Decimal(done["amountOutBase"]).scaleb(-6)
    assert abs(done["executedPrice"] - done["amountOut"] / 2) < Decimal("1e-6")
    assert done["amountOut"] >= building["meta"]["minAmountOut"]


def test_the_record_the_status_the_events_and_the_history_agree_with_the_stream(
    client: Client, stack: RunningStack
) -> None:
    accepted = client.accept(userId="bob", tokenIn="USDC", tokenOut="SOL", amountIn=Decimal("150.25"))
    order_id = accepted["orderId"]
    with client.socket(f"/ws/orders/{order_id}") as socket:
        socket.until_terminal(order_id)
    record = client.record(order_id)
    confirmed = socket.frames[-1]["meta"]
    assert set(record) == RECORD_FIELDS
    assert (record["status"], record["phase"], record["seq"], record["attempts"]) == (
        "confirmed",
        "completed",
        6,
        1,
    )
    assert (record["side"], record["amountIn"], record["amountInBase"]) == ("buy", Decimal("150.25"), "150250000")
    assert record["txHash"] == confirmed["txHash"]
    assert record["amountOut"] == confirmed["amountOut"]
    assert record["executedPrice"] == confirmed["executedPrice"]
    assert record["dexUsed"] == confirmed["dex"]
    assert record["limitPrice"] is record["failCode"] is record["expiresAt"] is None

    status = parse(client.get(f"/api/orders/status/{order_id}").text)
    assert status == {name: record[name] for name in ("orderId", "status", "phase", "seq", "updatedAt")}

    events = parse(client.get(f"/api/orders/{order_id}/events").text)["events"]
    shared = ("seq", "status", "phase", "attempt", "at", "meta")
    assert events == [{name: frame[name] for name in shared} for frame in socket.frames]
    late = parse(client.get(f"/api/orders/{order_id}/events", afterSeq=4).text)["events"]
    assert late == events[4:]

    # The processor writes the history after it has pushed the frame.
    listed = wait_for_history(client, order_id)
    assert listed == record
    with psycopg.connect(stack.endpoints["postgres"]) as postgres:
        rows = postgres.execute(
            "select seq, status from order_events where order_id = %s order by seq", [order_id]
        ).fetchall()
    assert rows == list(enumerate(HAPPY, start=1))


def test_the_history_can_be_filtered_and_pages_newest_first(client: Client) -> None:
    ids = [client.accept(userId="carol", clientOrderId=f"carol-{number}")["orderId"] for number in range(5)]
    for order_id in ids:
        wait_for_history(client, order_id)
    seen: list[str] = []
    cursor = None
    while True:
        query = {"userId": "carol", "limit": 2} | ({"cursor": cursor} if cursor else {})
        page = parse(client.get("/api/orders", **query).text)
        seen += [order["orderId"] for order in page["orders"]]
        cursor = page["nextCursor"]
        if cursor is None:
            break
    assert seen == ids[::-1]
    [one] = parse(client.get("/api/orders", clientOrderId="carol-3").text)["orders"]
    assert one["orderId"] == ids[3]


def test_quotes_and_previews_execute_no_order(client: Client, tables: dict) -> None:  # type: ignore[type-arg]
    before = tables["ledger"].scan(Select="COUNT")["Count"]
    quotes = client.get("/api/quotes", tokenIn="SOL", tokenOut="USDC", amountIn="2")
    assert quotes.status_code == 200
    assert parse(quotes.text).keys() >= {"rQuote", "mQuote", "chosen", "reason", "degraded"}
    preview = client.post("/api/orders/preview", an_order(amountIn=2000, slippage=6))
    body = parse(preview.text)
    assert preview.status_code == 200
    assert body["minAmountOut"] < body["amountOut"]
    assert {warning["code"] for warning in body["warnings"]} == {"HIGH_PRICE_IMPACT", "HIGH_SLIPPAGE"}
    assert "2000 SOL" in body["summary"]
    assert tables["ledger"].scan(Select="COUNT")["Count"] == before


def test_repeated_posts_with_one_idempotency_key_make_one_order(client: Client) -> None:
    first = client.post("/api/orders/execute", an_order(), **{"Idempotency-Key": "e2e-key"})
    again = client.post("/api/orders/execute", an_order(), **{"Idempotency-Key": "e2e-key"})
    other = client.post("/api/orders/execute", an_order(amountIn=3), **{"Idempotency-Key": "e2e-key"})
    assert again.status_code == 202
    assert again.text == first.text
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert (other.status_code, parse(other.text)["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")


def test_a_failed_order_shows_its_reason_in_the_stream_and_the_record(client: Client) -> None:
    order_id = client.accept(simulate="no_liquidity")["orderId"]
    with client.socket(f"/ws/orders/{order_id}") as socket:
        socket.until_terminal(order_id)
    failed = socket.frames[-1]
    assert failed["status"] == failed["phase"] == "failed"
    assert failed["meta"].items() >= {"code": "NO_LIQUIDITY", "retryable": False, "attempts": 1}.items()
    record = client.record(order_id)
    assert (record["failCode"], record["failReason"]) == ("NO_LIQUIDITY", failed["meta"]["reason"])


def test_a_retry_is_a_routing_event_with_the_next_attempt_and_the_last_error(client: Client) -> None:
    order_id = client.accept(simulate="network_error:1")["orderId"]
    with client.socket(f"/ws/orders/{order_id}") as socket:
        socket.until_terminal(order_id)
    retried = [frame for frame in socket.frames if "lastError" in frame["meta"]]
    assert [(frame["attempt"], frame["status"]) for frame in retried] == [(2, "routing")]
    assert retried[0]["meta"]["lastError"]["code"] == "NETWORK_ERROR"
    assert socket.frames[-1]["status"] == "confirmed"


def test_the_api_lists_tokens_and_reports_its_health(client: Client) -> None:
    tokens = {token["symbol"]: token for token in parse(client.get("/api/tokens").text)["tokens"]}
    assert tokens["SOL"]["mint"] == "So11111111111111111111111111111111111111112"
    assert tokens["USDC"]["decimals"] == 6
    health = parse(client.get("/health").text)
    assert health == {
        "status": "ok",
        "version": VERSION,
        "dependencies": {"dynamodb": "ok", "sqs": "ok", "postgres": "ok"},
        "history": {"behind": 0, "since": None},
    }


def test_stats_show_venues_latencies_and_routing_gain_of_executed_orders(client: Client) -> None:
    order_id = client.accept()["orderId"]
    with client.socket(f"/ws/orders/{order_id}") as socket:
        socket.until_terminal(order_id)
    wait_for_history(client, order_id)
    stats = parse(client.get("/api/stats").text)
    assert stats["history"] == {"behind": 0, "since": None}
    execution = stats["execution"]
    assert execution["orders"]["confirmed"] == sum(execution["venues"].values()) >= 1
    assert 0 <= execution["latencyMs"]["toStart"]["p50"] <= execution["latencyMs"]["toEnd"]["p99"]
    assert execution["routingGainPct"]["average"] > 0


def test_a_high_priority_order_is_executed_once(client: Client) -> None:
    order_id = client.accept(priority="high")["orderId"]
    with client.socket(f"/ws/orders/{order_id}") as socket:
        socket.until_terminal(order_id)
    assert [frame["seq"] for frame in socket.frames] == list(range(1, len(socket.frames) + 1))
    assert socket.frames[-1]["status"] == "confirmed"


def wait_for_history(client: Client, order_id: str) -> Json:
    """Poll until the history lists the order, and return its entry. The number of requests bounds the wait."""
    for _ in range(2000):
        for order in parse(client.get("/api/orders", limit=200).text)["orders"]:
            if order["orderId"] == order_id:
                found: Json = order
                return found
    raise AssertionError(f"{order_id} never reached the history")


def test_a_cancel_either_wins_or_is_refused_as_too_late(client: Client) -> None:
    order_id = client.accept()["orderId"]
    answer = client.request("DELETE", f"/api/orders/{order_id}")
    with client.socket(f"/ws/orders/{order_id}") as socket:
        socket.until_terminal(order_id)
    verdict = parse(answer.text)
    last = socket.frames[-1]
    if answer.status_code == 200:
        assert (verdict["outcome"], verdict["seq"], last["status"]) == ("cancelled", last["seq"], "cancelled")
    else:
        assert (answer.status_code, verdict["verdict"]["outcome"], last["status"]) == (409, "too_late", "confirmed")


def test_a_terminal_order_cannot_be_cancelled(client: Client) -> None:
    order_id = client.accept()["orderId"]
    with client.socket(f"/ws/orders/{order_id}") as socket:
        socket.until_terminal(order_id)
    answer = client.request("DELETE", f"/api/orders/{order_id}")
    assert answer.status_code == 409
    assert parse(answer.text)["verdict"] == {"outcome": "too_late", "status": "confirmed", "seq": 6}
