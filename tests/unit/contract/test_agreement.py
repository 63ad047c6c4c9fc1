"""The documents say what the code does: of requests, of examples, and of the data of every event."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, get_args

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.api.codes import FieldCode
from chalicelib.api.errors import InvalidOrderError
from chalicelib.api.meta import meta_of
from chalicelib.api.requests.amendments import read_amendment
from chalicelib.api.requests.market_events import read_market_event
from chalicelib.codec.exact_json import dumps
from chalicelib.domain import events
from chalicelib.domain.conditions import Amendment, Launch, TimeInForce
from chalicelib.domain.events import Event, EventData, OpenTerms, VenueAnswer, VenueQuote
from chalicelib.domain.failures import Failure, FailureCode
from chalicelib.domain.status import OrderType
from infra.contract.bodies import NOT_FOR
from tests.support.contract import closed, document
from tests.support.request_rules import RULES, order_of
from tests.support.specs import a_spec

NOON = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
MINT = "7xKXtg2CW87d97TXJSDpbD5jBkheTqA83TZRuJosgAsU"
SWAP: dict[str, Any] = {"tokenIn": "SOL", "tokenOut": "USDC", "amountIn": "1.5"}
LIMIT: dict[str, Any] = SWAP | {
    "type": "limit",
    "limitPrice": "101.5",
    "timeInForce": "GTD",
    "expiresAt": "2026-02-01T12:00:00Z",
}
SNIPER: dict[str, Any] = SWAP | {
    "type": "sniper",
    "tokenOut": MINT,
    "launch": {"mint": MINT, "venue": "raydium", "maxPrice": 1},
}
MARKET: dict[str, Any] = SWAP | {
    "userId": "alice",
    "side": "sell",
    "slippage": 1,
    "slippageBps": 100,
    "priority": "high",
}
VALUES: list[Any] = [
    None, True, 0, 1, -1, 101, 5001, 1.5, "", "1", "+1", "1.", ".5", "0", "-1", "1e2", "1E-3", "0.005", "NaN", "x",
    [], {}, "SOL", "USDC", "JUP", MINT, "buy", "sell", "market", "limit", "sniper", "high", "GTC", "GTD", "IOC",
    "raydium", "alice", "SOL/USDC", "SOL-USDC", "price", "2026-02-01T12:00:00Z", "2026-02-01T12:00:00.5+01:00",
    "a\x00", "ü", "x" * 300,
]  # fmt: skip
LAUNCH = Launch(MINT, "raydium", "pool", 1, Decimal(1), Decimal(10), 0)
TERMS = OpenTerms(Decimal(100), TimeInForce.GTD, NOON, 5, MINT)
FAILURE = Failure(FailureCode.TX_DROPPED, "the transaction never landed")
QUOTE = VenueQuote(Decimal(100), 7, 1, Decimal(25), Decimal("0.1"), Decimal(1000), 1, 1)
#: An example of each kind of event, with everything that it may have.
DATA: tuple[EventData, ...] = (
    events.Accepted(starts_at=NOON, trace_id="0af7651916cd43dd8448eb211c80319c"),
    events.Opened(TERMS, marketable=True),
    events.Amended(TERMS, Amendment(Decimal(100), 30, NOON)),
    events.LaunchRefused(LAUNCH, "too little liquidity"),
    events.PriceMovedAway("the price left", 1),
    events.TriggeredAtEntry(),
    events.PriceTriggered("raydium", Decimal(100)),
    events.LaunchTriggered(LAUNCH),
    events.AttemptStarted(FAILURE),
    events.QuotesReceived(
        (VenueAnswer("raydium", QUOTE), VenueAnswer("meteora", failure=FAILURE)), "raydium", "the only quote"
    ),
    events.Building("raydium", 5, ("swap",)),
    events.Submitted("raydium", "hash"),
    events.Confirmed("raydium", "hash", 7, Decimal(100), Decimal("0.1"), 1, 1),
    events.Failed(FAILURE),
    events.Cancelled(),
    events.Expired("the time ran out", FailureCode.STALE_QUOTE),
)


def validator(name: str, *, strict: bool = False) -> jsonschema_rs.Draft202012Validator:
    components = document("openapi.json")["components"]
    whole = {"$ref": f"#/components/schemas/{name}", "components": closed(components) if strict else components}
    return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)


def order_validator() -> jsonschema_rs.Draft202012Validator:
    components = document("openapi.json")["components"]
    kinds = [{"$ref": f"#/components/schemas/{kind.value.capitalize()}OrderRequest"} for kind in OrderType]
    return jsonschema_rs.Draft202012Validator({"oneOf": kinds, "components": components}, validate_formats=True)


ORDERS = order_validator()
AMENDMENTS, PRICES, POOLS = (validator(name) for name in ("AmendRequest", "PriceRequest", "PoolRequest"))
PRICE: dict[str, Any] = {"type": "price", "pair": "SOL/USDC", "price": 1}
POOL: dict[str, Any] = {
    "type": "pool_created",
    "mint": MINT,
    "venue": "raydium",
    "pool": "p",
    "slot": 1,
    "price": 1,
    "quote": "SOL",
}


def is_order(body: Mapping[str, Any]) -> bool:
    try:
        order_of(body, simulation=True, now=NOON)
    except InvalidOrderError:
        return False
    return True


def read(kind: str, body: Mapping[str, Any]) -> bool:
    try:
        read_amendment(body, NOON) if kind == "amendment" else read_market_event(body, RULES, NOON)
    except InvalidOrderError:
        return False
    return True


def exact(body: dict[str, Any]) -> Any:
    """The body as the engine parses it: a fraction is a ``Decimal``."""
    return json.loads(json.dumps(body), parse_float=Decimal)


@st.composite
def damaged(draw: st.DrawFn, bodies: list[dict[str, Any]]) -> dict[str, Any]:
    """A valid body with some other values, other names, or fields that are absent or unknown."""
    body = dict(draw(st.sampled_from(bodies)))
    for name in draw(st.lists(st.sampled_from([*body, "amount", "targetPrice", "limitPrice", "launch"]), max_size=3)):
        if draw(st.booleans()):
            body[name] = draw(st.sampled_from(VALUES))
        else:
            body.pop(name, None)
    return body


@given(damaged([MARKET, LIMIT, SNIPER]))
def test_an_order_that_the_engine_takes_is_valid_by_the_contract(body: dict[str, Any]) -> None:
    if is_order(exact(body)):
        assert [error.message for error in ORDERS.iter_errors(body)] == []


@given(damaged([{"limitPrice": 1, "slippage": 1, "expiresAt": "2026-02-01T12:00:00Z"}]))
def test_an_amendment_that_the_engine_takes_is_valid_by_the_contract(body: dict[str, Any]) -> None:
    if read("amendment", exact(body)):
        assert [error.message for error in AMENDMENTS.iter_errors(body)] == []


@given(damaged([PRICE, POOL]))
def test_a_market_event_that_the_engine_takes_is_valid_by_the_contract(body: dict[str, Any]) -> None:
    if read("event", exact(body)):
        assert PRICES.is_valid(body) or POOLS.is_valid(body)


#: One rule of a validator each, which pydantic's own schema does not have.
BROKEN_RULES: list[dict[str, Any]] = [
    {"amountIn": 0},
    {"amountIn": "-1"},
    {"amountIn": True},
    {"amountIn": "1,5"},
    {"amount": 1},
    {"tokenIn": "DOGE"},
    {"userId": "a b"},
    {"userId": "x" * 65},
    {"slippage": 50.5},
    {"slippageBps": 1.5},
    {"clientOrderId": "a\u0000"},
    {"clientOrderId": ""},
    {"side": "hold"},
    {"slipage": 1},
    {"limitPrice": 100},
    {"simulate": "meteor_strike"},
    {"simulate": "tx_dropped:0"},
    {"simulate": "venue_down:orca"},
    {"simulate": "slow:5001"},
]
#: Every simulated fault, with the bounds of its argument.
FAULTS = [
    "network_error:1",
    "venue_timeout:10",
    "stale_quote:9999",
    "slippage:2",
    "tx_dropped:1",
    "landed_reply_lost:99999",
]
FAULTS += ["no_liquidity", "venue_down:raydium", "venue_down:meteora", "slow:0", "slow:999", "slow:4999", "slow:5000"]


@pytest.mark.parametrize("change", BROKEN_RULES, ids=str)
def test_an_order_that_breaks_a_rule_of_the_engine_breaks_the_contract_too(change: dict[str, Any]) -> None:
    body = MARKET | change
    assert (is_order(exact(body)), ORDERS.is_valid(body)) == (False, False)


@pytest.mark.parametrize("fault", FAULTS)
def test_the_contract_has_every_simulated_fault(fault: str) -> None:
    body = MARKET | {"simulate": fault}
    assert (is_order(body), ORDERS.is_valid(body)) == (True, True)


@pytest.mark.parametrize("kind", [LIMIT, SNIPER], ids=["limit", "sniper"])
@pytest.mark.parametrize("force", [None, *TimeInForce])
@pytest.mark.parametrize("expiry", [None, LIMIT["expiresAt"]])
def test_the_contract_says_which_time_in_force_has_an_expiry(
    kind: dict[str, Any], force: TimeInForce | None, expiry: str | None
) -> None:
    body = kind | {"timeInForce": force, "expiresAt": expiry}
    assert ORDERS.is_valid(body) == is_order(body)


@pytest.mark.parametrize("body", [{}, {"targetPrice": None}, {"limitPrice": None, "slippage": None}], ids=str)
def test_an_amendment_of_nothing_breaks_the_contract_too(body: dict[str, Any]) -> None:
    assert (read("amendment", body), AMENDMENTS.is_valid(body)) == (False, False)


@pytest.mark.parametrize("kind", OrderType)
def test_the_contract_leaves_out_the_fields_that_a_type_cannot_have(kind: OrderType) -> None:
    good = {OrderType.MARKET: MARKET, OrderType.LIMIT: LIMIT, OrderType.SNIPER: SNIPER}[kind]
    values: dict[str, Any] = {
        "limitPrice": 1,
        "launch": {},
        "timeInForce": "GTC",
        "expiresAt": "2026-02-01T12:00:00Z",
    }
    refused = set()
    for name, value in values.items():
        try:
            order_of(good | {"timeInForce": None, "expiresAt": None, "type": kind.value, name: value}, now=NOON)
        except InvalidOrderError as error:
            refused |= {one.field for one in error.errors if one.code is FieldCode.NOT_FOR_TYPE}
    assert refused == set(NOT_FOR[kind])


def examples() -> Iterator[Any]:
    for path, item in document("openapi.json")["paths"].items():
        for method, operation in item.items():
            for content in operation.get("requestBody", {}).get("content", {}).values():
                for name, example in content["examples"].items():
                    yield pytest.param(content["schema"], example["value"], id=f"{method} {path} {name}")


@pytest.mark.parametrize(("schema", "value"), list(examples()))
def test_an_example_of_a_request_is_valid(schema: dict[str, Any], value: Any) -> None:
    whole = {**schema, "components": document("openapi.json")["components"]}
    assert jsonschema_rs.Draft202012Validator(whole, validate_formats=True).is_valid(value)


def socket_examples() -> Iterator[Any]:
    for name, message in document("asyncapi.json")["components"]["messages"].items():
        for example in message["examples"]:
            yield pytest.param(name, example["payload"], id=f"{name} {example['name']}")


@pytest.mark.parametrize(("name", "value"), list(socket_examples()))
def test_an_example_of_a_message_is_valid(name: str, value: Any) -> None:
    components = closed(document("asyncapi.json")["components"])
    whole = {"allOf": [components["messages"][name]["payload"]], "components": components}
    assert jsonschema_rs.Draft7Validator(whole, validate_formats=True).is_valid(value)


def test_every_kind_of_event_has_an_example() -> None:
    assert {type(data) for data in DATA} == set(get_args(EventData))


@pytest.mark.parametrize("data", DATA, ids=lambda data: type(data).__name__)
def test_the_data_of_an_event_has_the_documented_fields_and_no_others(data: EventData) -> None:
    meta = json.loads(dumps(meta_of(a_spec(), Event(1, 1, NOON, data))))
    name = f"{type(data).__name__}Meta"
    assert [error.message for error in validator(name, strict=True).iter_errors(meta)] == []
    assert meta.keys() == document("openapi.json")["components"]["schemas"][name]["properties"].keys()
