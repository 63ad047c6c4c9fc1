"""The methods of the client against the contract: every operation, and every field of a request, can be had."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import pytest

from orderengine import errors
from tests.client.core.documents import SCHEMAS, operations
from tests.client.samples import ORDER_ID
from tests.client.scripted import Script, problem
from tests.client.shells import Shell

CALLS: Mapping[str, Callable[[Any], Any]] = {
    "executeOrder": lambda client: client.submit("SOL", "USDC", 1),
    "createOrder": lambda client: client.request("POST", "/orders", body={}),
    "previewOrder": lambda client: client.preview("SOL", "USDC", 1),
    "listOrders": lambda client: client.page(),
    "cancelOrders": lambda client: client.cancel_all(),
    "getOrder": lambda client: client.order(ORDER_ID),
    "amendOrder": lambda client: client.amend(ORDER_ID, if_seq=1, limit_price=1),
    "cancelOrder": lambda client: client.cancel(ORDER_ID),
    "getOrderStatus": lambda client: client.status(ORDER_ID),
    "getOrderEvents": lambda client: client.events(ORDER_ID),
    "explainOrder": lambda client: client.explain(ORDER_ID),
    "getQuotes": lambda client: client.quote("SOL", "USDC", 1),
    "postMarketEvent": lambda client: client.tell_price("SOL/USDC", 1),
    "createStreamTicket": lambda client: client.ticket(),
    "getTokens": lambda client: client.tokens(),
    "getStats": lambda client: client.stats(),
    "getEngine": lambda client: client.engine(),
    "getHealth": lambda client: client.health(),
    "getPage": lambda client: client.request("GET", "/"),
    "getPageFile": lambda client: client.request("GET", "/ui/icon.0123456789abcdef.svg"),
    "getOpenapi": lambda client: client.request("GET", "/openapi.json"),
    "getAsyncapi": lambda client: client.request("GET", "/asyncapi.json"),
    "getDocs": lambda client: client.request("GET", "/docs"),
    "getLlms": lambda client: client.request("GET", "/llms.txt"),
}


def test_every_operation_has_a_call() -> None:
    assert set(CALLS) == {operation["operationId"] for _, _, operation in operations()}


@pytest.mark.parametrize(
    ("method", "path", "operation"), list(operations()), ids=[one["operationId"] for _, _, one in operations()]
)
def test_a_call_sends_the_request_of_its_operation(
    shell: Shell, script: Script, method: str, path: str, operation: dict[str, Any]
) -> None:
    script.forever = problem(404, "NOT_FOUND")
    with suppress(errors.NotFound):
        shell(CALLS[operation["operationId"]](shell.client(script)))
    [request] = script.requests
    assert (request.method, request.path) == (method, path.format(orderId=ORDER_ID, name="icon.0123456789abcdef.svg"))
    assert {name for name, _ in request.query} <= {one.get("name") for one in operation.get("parameters", [])}


ALL_TERMS: dict[str, Any] = {
    "type": "limit",
    "side": "sell",
    "slippage": 1,
    "slippage_bps": 100,
    "limit_price": 1,
    "time_in_force": "GTD",
    "expires_at": "2026-11-01T13:00:00Z",
    "priority": "high",
    "client_order_id": "a",
    "simulate": "no_liquidity",
}
LAUNCH = {"mint": "M", "venue": "raydium", "min_liquidity": 1, "max_price": 1}
#: Second names of the contract, which the client does not use.
ALIASES = {"amount", "targetPrice", "poolAddress", "initialPrice", "initialLiquidity", "quoteToken"}


def test_every_field_of_an_order_can_be_given(shell: Shell, script: Script) -> None:
    script.forever = problem(404, "NOT_FOUND")
    client = shell.client(script, user="bot-1")
    for terms in (ALL_TERMS, {"launch": LAUNCH}):
        with pytest.raises(errors.NotFound):
            shell(client.preview("SOL", "USDC", 1, **terms))
    limit, sniper = script.bodies()
    of_contract: set[str] = set()
    for name in ("MarketOrderRequest", "LimitOrderRequest", "SniperOrderRequest"):
        of_contract |= set(SCHEMAS[name]["properties"])
    assert set(limit) | set(sniper) == of_contract - ALIASES
    assert set(sniper["launch"]) == set(SCHEMAS["LaunchRequest"]["properties"])


def test_every_field_of_an_amendment_and_a_launched_pool_can_be_given(shell: Shell, script: Script) -> None:
    script.forever = problem(404, "NOT_FOUND")
    client = shell.client(script)
    changes = {name: ALL_TERMS[name] for name in ("limit_price", "slippage", "slippage_bps", "expires_at")}
    pool = {"venue": "raydium", "price": 1, "liquidity": 1, "quote": "SOL", "pool": "P", "slot": 1}
    with pytest.raises(errors.NotFound):
        shell(client.amend(ORDER_ID, if_seq=1, **changes))
    with pytest.raises(errors.NotFound):
        shell(client.tell_pool("M", **pool))
    amendment, launched = script.bodies()
    assert set(amendment) == set(SCHEMAS["AmendRequest"]["properties"]) - ALIASES
    assert set(launched) == set(SCHEMAS["PoolRequest"]["properties"]) - ALIASES


def test_every_filter_of_a_list_can_be_given(shell: Shell, script: Script) -> None:
    script.forever = problem(404, "NOT_FOUND")
    at = "2026-11-01T13:00:00Z"
    filters = {"user": "u", "status": "open", "type": "limit", "pair": "SOL/USDC", "client_order_id": "c"}
    client = shell.client(script)
    with pytest.raises(errors.NotFound):
        shell(client.page(**filters, since=at, until=at, updated_since=at, limit=1, cursor="x"))
    listed = next(one for _, _, one in operations() if one["operationId"] == "listOrders")
    assert {name for name, _ in script.requests[0].query} == {one["name"] for one in listed["parameters"]}
