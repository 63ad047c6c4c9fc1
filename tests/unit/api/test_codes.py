"""Every bad request is refused with a code of the contract, and the contract lists no code without a use."""

import ast
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import chalicelib
from chalicelib.api.codes import FieldCode, ProblemCode
from chalicelib.api.errors import FieldError, InvalidOrderError
from chalicelib.api.problems import ProblemError, problem_of
from chalicelib.api.requests.amendments import read_amendment
from chalicelib.api.requests.fields import RequestModel, validated
from chalicelib.api.requests.market_events import read_market_event
from chalicelib.api.requests.queries import EventsModel, ListModel, OrderIdModel, StatsModel, UserModel
from chalicelib.api.requests.streams import read_cancel, read_handshake, read_left_stream, read_stream
from chalicelib.api.requests.swaps import SwapModel
from chalicelib.domain.errors import InvalidCursorError
from chalicelib.domain.tokens import BY_SYMBOL
from tests.support.request_rules import RULES, order_of

NOON = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
MINT = "7xKXtg2CW87d97TXJSDpbD5jBkheTqA83TZRuJosgAsU"
ORDER_ID = "5c0ffee0-0000-4000-8000-000000000001"
SWAP = {"tokenIn": "SOL", "tokenOut": "USDC", "amountIn": "1.5"}
MARKET: dict[str, Any] = SWAP | {
    "userId": "alice",
    "type": "market",
    "side": "sell",
    "slippage": 1,
    "slippageBps": 100,
    "priority": "high",
    "clientOrderId": "mine",
    "simulate": "tx_dropped:1",
}
LIMIT: dict[str, Any] = SWAP | {
    "type": "limit",
    "limitPrice": "101.5",
    "timeInForce": "GTD",
    "expiresAt": "2026-02-01T12:00:00Z",
}
LAUNCH: dict[str, Any] = {"mint": MINT, "venue": "raydium", "minLiquidity": 5, "maxPrice": 1}
SNIPER: dict[str, Any] = {"tokenIn": "SOL", "tokenOut": MINT, "amountIn": 1, "type": "sniper", "launch": LAUNCH}
AMENDMENT: dict[str, Any] = {"limitPrice": 1, "slippage": 1, "slippageBps": 100, "expiresAt": "2026-02-01T12:00:00Z"}
PRICE: dict[str, Any] = {"type": "price", "pair": "SOL/USDC", "price": "101.5"}
POOL: dict[str, Any] = {
    "type": "pool_created",
    "mint": MINT,
    "venue": "raydium",
    "pool": "P",
    "slot": 7,
    "price": 1,
    "liquidity": 100,
    "quote": "SOL",
}
LIST: dict[str, Any] = {
    "userId": "alice",
    "status": "open",
    "type": "limit",
    "pair": "SOL/USDC",
    "clientOrderId": "mine",
    "from": "2026-01-31T12:00:00Z",
    "to": "2026-01-31T13:00:00Z",
    "limit": "50",
    "cursor": "x",
}

WINDOW: dict[str, Any] = {"userId": "alice", "from": "2026-01-31T12:00:00Z", "to": "2026-01-31T13:00:00Z"}

Reader = Callable[[Mapping[str, Any]], object]


def query(model: type[RequestModel]) -> Reader:
    return partial(validated, model)


def handshake(fields: Mapping[str, Any]) -> object:
    return read_handshake({name: [value] for name, value in fields.items()}, NOON)


#: The bodies that a client sends as JSON, each with the function that reads it.
BODIES: dict[str, tuple[Reader, dict[str, Any]]] = {
    "market order": (partial(order_of, simulation=True, now=NOON), MARKET),
    "limit order": (partial(order_of, now=NOON), LIMIT),
    "sniper order": (partial(order_of, now=NOON), SNIPER),
    "amendment": (partial(read_amendment, now=NOON), AMENDMENT),
    "price": (partial(read_market_event, rules=RULES, now=NOON), PRICE),
    "launch": (partial(read_market_event, rules=RULES, now=NOON), POOL),
    "subscription": (
        partial(read_stream, now=NOON),
        {"orderId": ORDER_ID, "userId": "alice", "afterSeq": 1, "since": "2026-01-31T11:00:00Z"},
    ),
    "left stream": (read_left_stream, {"orderId": ORDER_ID, "userId": "alice"}),
    "cancellation": (read_cancel, {"orderId": ORDER_ID, "userId": "alice"}),
}
#: Query and path parameters, whose values are all text.
QUERIES: dict[str, tuple[Reader, dict[str, Any]]] = {
    "list": (query(ListModel), LIST),
    "events": (query(EventsModel), {"afterSeq": "3"}),
    "statistics": (query(StatsModel), WINDOW),
    "order id": (query(OrderIdModel), {"orderId": ORDER_ID}),
    "user": (query(UserModel), {"userId": "alice"}),
    "quotes": (query(SwapModel), SWAP),
    "stream address": (handshake, {"orderId": ORDER_ID, "userId": "alice", "afterSeq": "1", "statuses": "coarse"}),
}


def errors_of(read: Reader, fields: Mapping[str, Any]) -> tuple[FieldError, ...]:
    """The bad fields of a request; none if the request is valid."""
    try:
        read(fields)
    except InvalidOrderError as error:
        return tuple(error.errors)
    except ProblemError as error:
        return tuple(error.problem.errors)
    return ()


#: Values that are wrong in one way each, or right in another field.
ODD_TEXTS = [
    "", " ", "0", "-1", "1.5", "1.0000000001", "0.005", "60", "1e-19", "1e30", "1e999", "NaN", "Infinity", "9" * 50,
    "9" * 5000, "x" * 600, "a\x00b", "\ud800", "\u0663", "SOL", "USDC", "JUP", "BONK", MINT, BY_SYMBOL["JUP"].mint,
    "SOL/USDC", "USDC/SOL", "buy", "hold", "stop", "market", "limit", "sniper", "IOC", "GTC", "FOK", "open", "price",
    "2026-02-01T12:00:00Z", "2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "tomorrow",
    "meteora", "orca", "slow:1", "meteor_strike", ORDER_ID, "alice", "true",
]  # fmt: skip
ODD_NUMBERS = [0, -1, 2, 101, 5001, 2**53 + 1, 2**63, 2**64, 10**400, Decimal("1.5"), Decimal("1E-30")]
texts = st.sampled_from(ODD_TEXTS) | st.text(st.characters(), max_size=70)
scalars = st.none() | st.booleans() | texts | st.sampled_from(ODD_NUMBERS) | st.integers() | st.decimals(-100, 100)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*LAUNCH]) | texts, inner, max_size=3)
    ),
    max_leaves=4,
)
ALIASES = {"limitPrice": "targetPrice", "amountIn": "amount", "pool": "poolAddress", "quote": "quoteToken"}


@st.composite
def requests(
    draw: st.DrawFn, kinds: Mapping[str, tuple[Reader, dict[str, Any]]], of: st.SearchStrategy[Any]
) -> tuple[Reader, dict[str, Any]]:
    """A valid request, of which some fields have another value or another name, or are absent or unknown."""
    read, good = kinds[draw(st.sampled_from(sorted(kinds)))]
    return read, damaged(draw, good, of)


def damaged(draw: st.DrawFn, good: Mapping[str, Any], of: st.SearchStrategy[Any]) -> dict[str, Any]:
    fields = dict(good)
    for name in draw(st.lists(st.sampled_from(sorted(good)), max_size=4)):
        match draw(st.sampled_from(["value", "value", "value", "alias", "absent", "unknown"])):
            case "value" if isinstance(good[name], dict) and draw(st.booleans()):
                fields[name] = damaged(draw, good[name], of)
            case "value":
                fields[name] = draw(of)
            case "alias" if name in ALIASES and name in fields:
                fields[ALIASES[name]] = fields.pop(name)
            case "absent":
                fields.pop(name, None)
            case "unknown":
                fields[draw(texts)] = draw(of)
    return fields


def assert_of_the_contract(errors: tuple[FieldError, ...]) -> None:
    for error in errors:
        assert type(error.code) is FieldCode
        assert error.code is not FieldCode.INVALID, error
        assert error.message
        assert "pydantic" not in error.message
        assert "should" not in error.message, "the library's own words"


@given(requests(BODIES, values))
def test_every_bad_field_of_a_body_has_a_code_of_its_own(request: tuple[Reader, dict[str, Any]]) -> None:
    assert_of_the_contract(errors_of(*request))


@given(requests(QUERIES, texts))
def test_every_bad_parameter_of_a_query_has_a_code_of_its_own(request: tuple[Reader, dict[str, Any]]) -> None:
    assert_of_the_contract(errors_of(*request))


def codes_of(kinds: Mapping[str, tuple[Reader, dict[str, Any]]], odd: Sequence[Any]) -> set[FieldCode]:
    """The codes of all requests with one odd field."""
    found: set[FieldCode] = set()
    for read, good in kinds.values():
        requests = [good | {name: value} for name in good for value in odd]
        requests += [{name: value for name, value in good.items() if name != absent} for absent in good]
        for fields in requests:
            errors = errors_of(read, fields)
            assert_of_the_contract(errors)
            found |= {error.code for error in errors}
    return found


#: Requests whose codes need more than one odd field, or a certain deployment.
SPECIAL: list[tuple[Reader, dict[str, Any]]] = [
    (partial(order_of, simulation=False, now=NOON), MARKET),
    (partial(order_of, now=NOON), LIMIT | {"amountIn": "0.000000001", "limitPrice": "0.1"}),
    (partial(read_amendment, now=NOON), {}),
    (query(StatsModel), WINDOW | {"to": WINDOW["from"]}),
    (partial(read_handshake, now=NOON), {"afterSeq": ["1", "2"]}),
    (partial(read_stream, now=NOON), {"userId": "alice", "since": "2026-01-31T13:00:00Z"}),
]
#: Codes that no request model produces, and their source.
ELSEWHERE = {
    FieldCode.CURSOR_INVALID: "problem_of, for a cursor that the history cannot decode",
    FieldCode.SEQ_BEYOND_END: "problem_of, for a seq that the order does not have",
    FieldCode.INVALID: "the fallback for a pydantic error that has no code in the contract",
}


def test_every_field_code_is_the_answer_to_some_request_or_has_another_source() -> None:
    odd = [*ODD_TEXTS, *ODD_NUMBERS, None, True, [], {}, [1], {"x": 1}]
    found = codes_of(BODIES, odd) | codes_of(QUERIES, ODD_TEXTS)
    found |= {error.code for request in SPECIAL for error in errors_of(*request)}
    assert found == set(FieldCode) - ELSEWHERE.keys()


def test_a_cursor_of_another_list_has_its_code() -> None:
    [error] = problem_of(InvalidCursorError("x")).errors
    assert (error.field, error.code) == ("cursor", FieldCode.CURSOR_INVALID)


@pytest.mark.parametrize("code", ProblemCode)
def test_every_problem_code_has_a_use(code: ProblemCode) -> None:
    assert code.name in USED[ProblemCode.__name__]


def test_no_code_is_used_that_the_contract_does_not_list() -> None:
    assert USED[ProblemCode.__name__] <= set(ProblemCode.__members__)
    assert USED[FieldCode.__name__] <= set(FieldCode.__members__)


def test_a_code_is_named_as_it_is_written() -> None:
    for code in (*ProblemCode, *FieldCode):
        assert code.value == code.name


def used_codes() -> dict[str, set[str]]:
    """The members of each enumeration that the source of the package names, outside ``codes``."""
    used: dict[str, set[str]] = {ProblemCode.__name__: set(), FieldCode.__name__: set()}
    for file in Path(chalicelib.__path__[0]).rglob("*.py"):
        if file.name == "codes.py":
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in used:
                used[node.value.id].add(node.attr)
    return used


USED = used_codes()


@pytest.mark.parametrize(
    ("kind", "field", "value", "message"),
    [
        ("market order", "slippageBps", 5001, "must be at most 5000"),
        ("market order", "slippageBps", -1, "must be at least 0"),
        ("market order", "side", "hold", "must be 'buy' or 'sell'"),
        ("market order", "tokenIn", 7, "must be a string"),
        ("market order", "clientOrderId", "", "must be 1 or more characters long"),
        ("market order", "clientOrderId", "x" * 256, "must be at most 255 characters long"),
        ("market order", "simulate", "\ud800", "must be UTF-8 text without U+FFFD"),
        ("sniper order", "launch", 7, "must be an object"),
        ("price", "type", "rumour", "must be 'price' or 'pool_created'"),
        ("list", "limit", "201", "must be at most 200"),
        ("list", "limit", "x", "must be a whole number, written in digits"),
        ("stream address", "statuses", "fine", "must be 'coarse'"),
    ],
)
def test_a_message_names_the_bound_in_plain_words(kind: str, field: str, value: object, message: str) -> None:
    read, good = (BODIES | QUERIES)[kind]
    found = {error.field: error.message for error in errors_of(read, {**good, field: value})}
    assert found[field] == message
