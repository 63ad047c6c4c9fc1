"""A market order over HTTP, from the 202 to the confirmed frame and the history."""

from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from chalicelib import VERSION
from orderengine.errors import TooLate, Verdict
from orderengine.models.orders import Cancellation
from tests.e2e.client import HAPPY, Client, Json, an_order, await_events, parse
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
    assert set(body["links"]) == {"self", "status", "events", "explain"}
    for link in body["links"].values():
        assert client.get(link).status_code == 200


def test_the_stream_shows_every_status_with_quotes_route_and_price(client: Client) -> None:
    accepted = client.accept(userId="alice", amountIn="2")
    order_id = accepted["orderId"]
    with client.socket(accepted["websocketUrl"]) as socket:
        socket.until_terminal(order_id)
    assert socket.updates(order_id) == list(enumerate(HAPPY, start=1))
    accepted_frame, begun, quoted, building, submitted, confirmed = socket.update_frames
    assert {frame["userId"] for frame in socket.update_frames} == {"alice"}
    assert [frame["phase"] for frame in socket.update_frames] == ["queued", *["processing"] * 4, "completed"]
    assert [frame["attempt"] for frame in socket.update_frames] == [0, 1, 1, 1, 1, 1]
    assert accepted_frame["meta"].keys() == {"traceId"}
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
    confirmed = socket.update_frames[-1]["meta"]
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

    status = client.engine.status(order_id).raw
    assert status == {name: record[name] for name in ("orderId", "status", "phase", "seq", "updatedAt")}

    events = client.events(order_id)
    shared = ("seq", "status", "phase", "attempt", "at", "meta")
    assert events == [{name: frame[name] for name in shared} for frame in socket.update_frames]
    assert [update.raw for update in client.engine.events(order_id, after=4)] == events[4:]

    assert wait_for_history(client, order_id) == record
    await_events(stack, order_id, HAPPY)


def test_the_history_can_be_filtered_and_pages_newest_first(client: Client) -> None:
    ids = [client.accept(userId="carol", clientOrderId=f"carol-{number}")["orderId"] for number in range(5)]
    for order_id in ids:
        wait_for_history(client, order_id)
    seen: list[str] = []
    cursor = None
    while seen == [] or cursor:
        page = client.engine.page(user="carol", limit=2, cursor=cursor)
        seen += [order.id for order in page.orders]
        cursor = page.next_cursor
    assert seen == ids[::-1]
    [one] = client.engine.orders(client_order_id="carol-3")
    assert one.id == ids[3]


def test_quotes_and_previews_execute_no_order(client: Client, tables: dict) -> None:  # type: ignore[type-arg]
    before = tables["ledger"].scan(Select="COUNT")["Count"]
    quotes = client.engine.quote("SOL", "USDC", 2)
    assert quotes.raw.keys() >= {"rQuote", "mQuote", "chosen", "reason", "degraded"}
    preview = client.engine.preview("SOL", "USDC", 2000, slippage=6)
    assert preview.raw["minAmountOut"] < preview.raw["amountOut"]
    assert {warning.code for warning in preview.warnings} == {"HIGH_PRICE_IMPACT", "HIGH_SLIPPAGE"}
    assert "2000 SOL" in preview.summary
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
    failed = socket.update_frames[-1]
    assert failed["status"] == failed["phase"] == "failed"
    assert failed["meta"].items() >= {"code": "NO_LIQUIDITY", "retryable": False, "attempts": 1}.items()
    record = client.record(order_id)
    assert (record["failCode"], record["failReason"]) == ("NO_LIQUIDITY", failed["meta"]["reason"])


def test_a_retry_is_a_routing_event_with_the_next_attempt_and_the_last_error(client: Client) -> None:
    order_id = client.accept(simulate="network_error:1")["orderId"]
    with client.socket(f"/ws/orders/{order_id}") as socket:
        socket.until_terminal(order_id)
    retried = [frame for frame in socket.update_frames if "lastError" in frame["meta"]]
    assert [(frame["attempt"], frame["status"]) for frame in retried] == [(2, "routing")]
    assert retried[0]["meta"]["lastError"]["code"] == "NETWORK_ERROR"
    assert socket.update_frames[-1]["status"] == "confirmed"


def test_the_api_lists_tokens_and_reports_its_health(client: Client) -> None:
    tokens = {token.symbol: token for token in client.engine.tokens()}
    assert tokens["SOL"].mint == "So11111111111111111111111111111111111111112"
    assert tokens["USDC"].decimals == 6
    assert client.engine.health().raw == {
        "status": "ok",
        "version": VERSION,
        "dependencies": {"dynamodb": "ok", "sqs": "ok", "postgres": "ok"},
        "history": {"behind": 0, "since": None},
    }


def test_stats_show_venues_latencies_and_routing_gain_of_executed_orders(client: Client) -> None:
    order_id = client.accept()["orderId"]
    client.ended(order_id)
    wait_for_history(client, order_id)
    stats = client.engine.stats().raw
    assert stats["history"] == {"behind": 0, "since": None}
    assert stats["userId"] is None
    execution = stats["execution"]
    assert execution["orders"]["confirmed"] == sum(execution["venues"].values()) >= 1
    assert 0 <= execution["latencyMs"]["toStart"]["p50"] <= execution["latencyMs"]["toEnd"]["p99"]
    assert execution["routingGainPct"]["average"] > 0


def test_the_scorecard_of_a_user_and_a_window_is_that_of_its_orders(client: Client) -> None:
    user = f"scored-{uuid4()}"
    first, retried = (client.accept(userId=user, **fault)["orderId"] for fault in ({}, {"simulate": "stale_quote:1"}))
    for order_id in (first, retried):
        client.ended(order_id)
        wait_for_history(client, order_id)
    records = {order_id: client.record(order_id) for order_id in (first, retried)}
    stats = client.engine.stats(user=user).raw
    execution = stats["execution"]
    assert (stats["userId"], execution["orders"]) == (user, {"confirmed": 2})
    assert (execution["retried"], execution["retries"]) == (1, {"STALE_QUOTE": 1})
    assert 0 <= execution["slippageUsedPct"]["average"] <= execution["slippageUsedPct"]["worst"] <= 100
    assert execution["previewGainPct"]["worst"] <= execution["previewGainPct"]["average"]
    stages = execution["latencyMs"]
    assert all(0 <= stages[name]["p50"] <= stages[name]["p99"] for name in ("quoting", "building", "landing"))
    # The window ends before the second order, which has the time of its acceptance.
    since, until = (records[order_id]["createdAt"] for order_id in (first, retried))
    inside = client.engine.stats(user=user, since=since, until=until).raw
    assert (inside["since"], inside["until"]) == (since, until)
    assert (inside["execution"]["orders"], inside["execution"]["retries"]) == ({"confirmed": 1}, {})


def test_a_high_priority_order_is_executed_once(client: Client) -> None:
    order_id = client.accept(priority="high")["orderId"]
    updates = list(client.engine.watch(order_id))
    assert [update.seq for update in updates] == list(range(1, len(updates) + 1))
    assert updates[-1].status == "confirmed"


def wait_for_history(client: Client, order_id: str) -> Json:
    """Poll until the history lists the order, and return its entry. The number of requests bounds the wait."""
    for _ in range(2000):
        for order in client.listed(limit=200):
            if order["orderId"] == order_id:
                found: Json = order
                return found
    raise AssertionError(f"{order_id} never reached the history")


def test_a_cancel_either_wins_or_is_refused_as_too_late(client: Client) -> None:
    order_id = client.accept()["orderId"]
    verdict: Cancellation | Verdict | None
    try:
        verdict = client.engine.cancel(order_id)
    except TooLate as refusal:
        verdict = refusal.verdict
    last = client.ended(order_id)
    assert verdict
    if verdict.outcome == "cancelled":
        assert (verdict.seq, last["status"]) == (last["seq"], "cancelled")
    else:
        assert (verdict.outcome, last["status"]) == ("too_late", "confirmed")


def test_a_terminal_order_cannot_be_cancelled(client: Client) -> None:
    order_id = client.accept()["orderId"]
    client.ended(order_id)
    with pytest.raises(TooLate) as refusal:
        client.engine.cancel(order_id)
    assert refusal.value.verdict == ("too_late", "confirmed", 6)
