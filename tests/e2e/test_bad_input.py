"""Bad input on the deployed system: the API answers with a clear problem, never a 500, and stores no order."""

from typing import Any

import pytest

from tests.e2e.client import Client, an_order, parse

PROBLEM_FIELDS = {"type", "title", "status", "detail", "code", "requestId", "errors"}
#: The mint of a token without a launch.
A_MINT = "HMcfnsfPdBANkJYL6aPEZzs5CgC7Y1wY51rKTxnnHxHU"
POSTS = ["/api/orders/execute", "/orders", "/api/orders/preview"]


#: A credential is checked before all that is checked here. tests/locks sends bad input with and without one.
pytestmark = pytest.mark.parametrize("stack", ["open"], indirect=True, scope="session")


@pytest.fixture(autouse=True)
def stored_items_unchanged(tables: dict[str, Any]) -> Any:
    before = {name: table.scan(Select="COUNT")["Count"] for name, table in tables.items()}
    yield
    after = {name: table.scan(Select="COUNT")["Count"] for name, table in tables.items()}
    assert (after["orders"], after["idempotency"]) == (before["orders"], before["idempotency"])


def problem(answer: Any, status: int) -> dict[str, Any]:
    body: dict[str, Any] = parse(answer.text)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(body) == PROBLEM_FIELDS
    assert body["status"] == status
    assert "Traceback" not in answer.text
    assert "chalicelib" not in answer.text
    return body


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(
    "body",
    [
        "",
        "nope",
        '{"tokenIn": ',
        "[1, 2]",
        '"text"',
        "null",
        '{"amountIn": NaN}',
        '{"amountIn": Infinity}',
        "[" * 9000,
    ],
)
def test_malformed_json_is_400(client: Client, path: str, body: str) -> None:
    assert problem(client.post(path, body), 400)["code"] == "MALFORMED_JSON"


@pytest.mark.parametrize("path", POSTS)
def test_a_body_over_16_kib_is_413(client: Client, path: str) -> None:
    problem(client.post(path, an_order(clientOrderId="x" * 16 * 1024)), 413)


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "application/x-www-form-urlencoded"])
def test_another_content_type_is_415(client: Client, path: str, kind: str) -> None:
    problem(client.post(path, an_order(), **{"content-type": kind}), 415)


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "identity, gzip"])
def test_a_compressed_body_is_415(client: Client, path: str, encoding: str) -> None:
    problem(client.post(path, an_order(), **{"content-encoding": encoding}), 415)


@pytest.mark.parametrize("path", POSTS)
def test_a_body_in_another_charset_is_415(client: Client, path: str) -> None:
    for charset in ("iso-8859-1", "utf-16", '"windows-1252"'):
        kind = f"application/json; charset={charset}"
        problem(client.post(path, an_order(), **{"content-type": kind}), 415)


@pytest.mark.parametrize("path", POSTS)
def test_text_that_is_not_utf_8_is_400_and_never_the_repeat_of_another_order(client: Client, path: str) -> None:
    for name in ("Müller-7", "Möller-7"):
        body = f'{{"tokenIn":"SOL","tokenOut":"USDC","amountIn":1,"clientOrderId":"{name}"}}'
        assert problem(client.post(path, body.encode("latin-1")), 400)["code"] == "MALFORMED_JSON"


@pytest.mark.parametrize("path", POSTS)
def test_a_name_that_comes_twice_is_400(client: Client, path: str) -> None:
    body = '{"tokenIn":"SOL","tokenOut":"USDC","amountIn":1,"amountIn":9}'
    refused = problem(client.post(path, body), 400)
    assert (refused["code"], [error["field"] for error in refused["errors"]]) == ("DUPLICATE_NAME", ["amountIn"])


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"slipage": 1}, {"slipage"}),
        ({"tokenIn": "DOGE"}, {"tokenIn"}),
        ({"tokenIn": 7}, {"tokenIn"}),
        ({"tokenOut": ["USDC"]}, {"tokenOut"}),
        ({"tokenOut": "SOL"}, {"tokenOut"}),
        ({"tokenOut": "So11111111111111111111111111111111111111112"}, {"tokenOut"}),
        ({"tokenIn": "BONK", "tokenOut": "JUP"}, {"tokenOut"}),
        ({"amountIn": None}, {"amountIn"}),
        ({"amountIn": 0}, {"amountIn"}),
        ({"amountIn": -5}, {"amountIn"}),
        ({"amountIn": "-0.0"}, {"amountIn"}),
        ({"amountIn": "NaN"}, {"amountIn"}),
        ({"amountIn": "Infinity"}, {"amountIn"}),
        ({"amountIn": "1e309"}, {"amountIn"}),
        ({"amountIn": "1.0000000001"}, {"amountIn"}),
        ({"amountIn": "18446744073.709551616"}, {"amountIn"}),
        ({"amountIn": True}, {"amountIn"}),
        ({"amountIn": [1]}, {"amountIn"}),
        ({"amountIn": {"value": 1}}, {"amountIn"}),
        ({"amountIn": ""}, {"amountIn"}),
        ({"side": "buy"}, {"side"}),
        ({"side": "hold"}, {"side"}),
        ({"slippage": 51}, {"slippage"}),
        ({"slippage": -1}, {"slippage"}),
        ({"slippage": 1, "slippageBps": 200}, {"slippageBps"}),
        ({"slippage": None, "slippageBps": 5001}, {"slippageBps"}),
        ({"slippage": None, "slippageBps": "1.5"}, {"slippageBps"}),
        ({"userId": "a b"}, {"userId"}),
        ({"userId": ""}, {"userId"}),
        ({"userId": "x" * 65}, {"userId"}),
        ({"priority": "high_priority"}, {"priority"}),
        ({"clientOrderId": "x" * 256}, {"clientOrderId"}),
        ({"clientOrderId": "a\x00b"}, {"clientOrderId"}),
        ({"type": "stop"}, {"type"}),
        ({"simulate": "meteor_strike"}, {"simulate"}),
        ({"limitPrice": 1}, {"limitPrice"}),
        ({"timeInForce": "GTC"}, {"timeInForce"}),
        ({"expiresAt": "2999-01-01T00:00:00Z"}, {"expiresAt"}),
        ({"launch": {}}, {"launch"}),
        ({"tokenOut": A_MINT}, {"tokenOut"}),
        ({"type": "limit"}, {"limitPrice"}),
        ({"type": "limit", "limitPrice": 0}, {"limitPrice"}),
        ({"type": "limit", "limitPrice": "NaN"}, {"limitPrice"}),
        ({"type": "limit", "limitPrice": "1e60"}, {"limitPrice"}),
        ({"type": "limit", "limitPrice": "1e-18"}, {"limitPrice"}),
        ({"type": "limit", "limitPrice": 1, "targetPrice": 2}, {"targetPrice"}),
        ({"type": "limit", "limitPrice": 1, "timeInForce": "FOK"}, {"timeInForce"}),
        ({"type": "limit", "limitPrice": 1, "timeInForce": "GTD"}, {"expiresAt"}),
        ({"type": "limit", "limitPrice": 1, "timeInForce": "IOC", "expiresAt": "2999-01-01"}, {"expiresAt"}),
        ({"type": "limit", "limitPrice": 1, "expiresAt": "2000-01-01T00:00:00Z"}, {"expiresAt"}),
        ({"type": "limit", "limitPrice": 1, "expiresAt": "2999-01-01T00:00:00Z"}, {"expiresAt"}),
        ({"type": "limit", "limitPrice": 1, "expiresAt": 5}, {"expiresAt"}),
        ({"type": "limit", "limitPrice": 1, "launch": {}}, {"launch"}),
        ({"type": "sniper", "tokenOut": "nope"}, {"tokenOut"}),
        ({"type": "sniper", "tokenOut": A_MINT, "tokenIn": "BONK"}, {"tokenOut"}),
        ({"type": "sniper", "tokenOut": A_MINT, "limitPrice": 1}, {"limitPrice"}),
        ({"type": "sniper", "tokenOut": A_MINT, "timeInForce": "IOC"}, {"timeInForce"}),
        ({"type": "sniper", "tokenOut": A_MINT, "launch": 5}, {"launch"}),
        ({"type": "sniper", "tokenOut": A_MINT, "launch": {"mint": "SOL"}}, {"launch"}),
        (
            {"type": "sniper", "tokenOut": A_MINT, "launch": {"venue": "orca", "minLiquidity": -1, "maxprice": 1}},
            {"launch.venue", "launch.minLiquidity", "launch.maxprice"},
        ),
        (
            {"amountIn": -5, "tokenOut": "SOL", "slippage": 60, "userId": "?", "slipage": 1},
            {"amountIn", "tokenOut", "slippage", "userId", "slipage"},
        ),
    ],
)
def test_an_invalid_order_is_422_and_the_problem_names_every_bad_field(
    client: Client, path: str, changes: dict[str, Any], fields: set[str]
) -> None:
    body = problem(client.post(path, an_order(**changes)), 422)
    assert body["code"] == "INVALID_ORDER"
    assert {error["field"] for error in body["errors"]} == fields
    assert all(error["code"] and error["message"] for error in body["errors"])


@pytest.mark.parametrize("number", ["1e309", "1e-400", "123456789012345678901234567890", "0.00000000001"])
def test_extreme_json_numbers_are_422(client: Client, number: str) -> None:
    text = f'{{"tokenIn": "SOL", "tokenOut": "USDC", "amountIn": {number}}}'
    problem(client.post("/api/orders/execute", text), 422)


@pytest.mark.parametrize(
    "path", ["/api/orders/{id}", "/api/orders/status/{id}", "/api/orders/{id}/events", "/api/orders/{id}/explain"]
)
def test_a_malformed_order_id_is_400_and_an_unknown_order_is_404(client: Client, path: str) -> None:
    problem(client.get(path.format(id="not-a-uuid")), 400)
    problem(client.get(path.format(id="%00")), 400)
    problem(client.get(path.format(id="00000000-0000-4000-8000-000000000000")), 404)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 201}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"cursor": "nonsense"}, "cursor"),
        ({"status": "done"}, "status"),
        ({"type": "stop"}, "type"),
        ({"pair": "SOL/SOL"}, "pair"),
        ({"from": "yesterday"}, "from"),
        ({"from": "0001-01-01T00:00:00+14:00"}, "from"),
        ({"userId": "a b"}, "userId"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_an_invalid_filter_is_400_and_the_problem_names_it(client: Client, query: dict[str, Any], field: str) -> None:
    body = problem(client.get("/api/orders", **query), 400)
    assert [error["field"] for error in body["errors"]] == [field]


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"tokenIn": "SOL", "tokenOut": "USDC", "amountIn": "-1"},
        {"tokenIn": "SOL", "tokenOut": "X", "amountIn": 1},
    ],
)
def test_an_invalid_quote_request_is_400(client: Client, query: dict[str, Any]) -> None:
    assert problem(client.get("/api/quotes", **query), 400)["errors"]


def test_events_after_an_invalid_seq_are_400(client: Client) -> None:
    unknown_id = "00000000-0000-4000-8000-000000000000"
    problem(client.get(f"/api/orders/{unknown_id}/events", afterSeq="x"), 400)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"amountIn": 20_000}, "PRICE_IMPACT_TOO_HIGH"),
        ({"amountIn": "0.000000001"}, "NO_LIQUIDITY"),
        ({"simulate": "network_error:1"}, "SIMULATED_FAULT"),
        ({"simulate": "no_liquidity"}, "SIMULATED_FAULT"),
    ],
)
def test_a_preview_says_why_its_order_would_fail(client: Client, changes: dict[str, Any], code: str) -> None:
    answer = client.post("/api/orders/preview", an_order(**changes))
    assert answer.status_code == 200
    assert code in [warning["code"] for warning in parse(answer.text)["warnings"]]


@pytest.mark.parametrize(
    ("event", "fields"),
    [
        ({}, {"type"}),
        ({"type": "rumour"}, {"type"}),
        ({"type": "price"}, {"pair", "price"}),
        ({"type": "price", "pair": "SOL/SOL", "price": 0}, {"pair", "price"}),
        ({"type": "price", "pair": "SOL/USDC", "price": "1e60"}, {"price"}),
        ({"type": "pool_created"}, {"mint", "venue"}),
        ({"type": "pool_created", "mint": "SOL", "venue": "orca"}, {"mint", "venue"}),
        ({"type": "pool_created", "mint": A_MINT, "venue": "raydium", "slot": -1, "price": -1}, {"slot", "price"}),
    ],
)
def test_an_invalid_market_event_is_422_and_the_problem_names_every_bad_field(
    client: Client, event: dict[str, Any], fields: set[str]
) -> None:
    body = problem(client.post("/api/market/events", event), 422)
    assert {error["field"] for error in body["errors"]} == fields


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({}, "limitPrice"),
        ({"limitPrice": 0}, "limitPrice"),
        ({"limitPrice": "1e60"}, "limitPrice"),
        ({"expiresAt": "2000-01-01T00:00:00Z"}, "expiresAt"),
        ({"slippage": 51}, "slippage"),
        ({"amountIn": 5}, "amountIn"),
    ],
)
def test_an_invalid_amendment_is_422_and_of_an_unknown_order_404(
    client: Client, changes: dict[str, Any], field: str
) -> None:
    unknown_id = "00000000-0000-4000-8000-000000000000"
    body = problem(client.amend(unknown_id, **changes), 422)
    assert [error["field"] for error in body["errors"]] == [field]
    problem(client.amend(unknown_id, limitPrice=5), 404)
    problem(client.amend("not-a-uuid", limitPrice=5), 400)
    malformed = client.request("PATCH", f"/api/orders/{unknown_id}", {"limitPrice": 5}, **{"If-Match": "soon"})
    assert problem(malformed, 400)["code"] == "MALFORMED_IF_MATCH"


def test_a_malformed_idempotency_key_is_400(client: Client) -> None:
    problem(client.post("/api/orders/execute", an_order(), **{"Idempotency-Key": "x" * 256}), 400)


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/nowhere"), ("DELETE", "/orders"), ("GET", "/api/orders/execute/x/y")]
)
def test_an_unknown_path_or_method_is_404(client: Client, method: str, path: str) -> None:
    problem(client.request(method, path), 404)


@pytest.mark.parametrize(
    ("query", "errors"),
    [
        ({"from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, {("to", "WINDOW_EMPTY")}),
        ({"from": "2026-01-02T00:00:00Z", "to": "2026-01-02T00:00:00Z"}, {("to", "WINDOW_EMPTY")}),
        ({"from": "yesterday", "to": "2026-01-01"}, {("from", "TIME_INVALID"), ("to", "TIME_INVALID")}),
        ({"userId": "a b", "window": "day"}, {("userId", "USER_ID_INVALID"), ("window", "UNKNOWN_FIELD")}),
        ({"from": ["2026-01-01T00:00:00Z"] * 2}, {("from", "REPEATED")}),
    ],
)
def test_a_bad_window_of_the_statistics_is_400(
    client: Client, query: dict[str, Any], errors: set[tuple[str, str]]
) -> None:
    body = problem(client.get("/api/stats", **query), 400)
    assert body["code"] == "INVALID_QUERY"
    assert {(error["field"], error["code"]) for error in body["errors"]} == errors


@pytest.mark.parametrize(
    "window",
    [
        {"from": "2990-01-01T00:00:00Z"},
        {"from": "2990-01-01T00:00:00Z", "to": "3000-01-01T00:00:00Z"},
        {"to": "0001-01-01T00:00:00Z"},
        {"from": "0001-01-01T00:00:00Z", "to": "9999-12-31T23:59:59.999Z", "userId": "nobody"},
    ],
)
def test_a_window_without_orders_has_empty_statistics(client: Client, window: dict[str, str]) -> None:
    stats = parse(client.get("/api/stats", **window).text)
    assert (stats["execution"]["orders"], stats["executionOutage"]) == ({}, None)


def test_the_statistics_of_ten_years_are_those_of_all_their_orders(client: Client) -> None:
    stats = parse(client.get("/api/stats", **{"from": "2020-01-01T00:00:00Z", "to": "2030-01-01T00:00:00Z"}).text)
    assert (stats["since"], stats["until"]) == ("2020-01-01T00:00:00.000Z", "2030-01-01T00:00:00.000Z")
