"""Validation of order fields by the table of the contract: all invalid fields are reported together."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.api.errors import FieldError, InvalidOrderError
from chalicelib.codec.exact_json import loads
from chalicelib.domain.money import MAX_BASE_UNITS
from chalicelib.domain.spec import Priority
from chalicelib.domain.tokens import BY_SYMBOL, Side, Token, find_pair
from tests.support.request_rules import order_of

NOON = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
GOOD: dict[str, Any] = {"tokenIn": "SOL", "tokenOut": "USDC", "amountIn": Decimal("1.5")}
SOL_MINT = "So11111111111111111111111111111111111111112"


def refused(body: Mapping[str, Any], *, simulation: bool = True) -> dict[str, str]:
    """Validate an invalid order; return its error codes by field."""
    with pytest.raises(InvalidOrderError) as caught:
        order_of(body, simulation=simulation, now=NOON)
    assert all(error.message for error in caught.value.errors)
    assert len({error.field for error in caught.value.errors}) == len(caught.value.errors)
    return {error.field: error.code for error in caught.value.errors}


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        (0, "AMOUNT_NOT_POSITIVE"),
        ("0.000", "AMOUNT_NOT_POSITIVE"),
        ("-0", "AMOUNT_NOT_POSITIVE"),
        (-5, "AMOUNT_NOT_POSITIVE"),
        (Decimal("-0.1"), "AMOUNT_NOT_POSITIVE"),
        ("NaN", "NUMBER_INVALID"),
        ("sNaN", "NUMBER_INVALID"),
        ("Infinity", "NUMBER_INVALID"),
        ("-inf", "NUMBER_INVALID"),
        (Decimal("NaN"), "NUMBER_INVALID"),
        (Decimal("Infinity"), "NUMBER_INVALID"),
        (Decimal("1e309"), "NUMBER_OUT_OF_RANGE"),
        ("1e309", "NUMBER_OUT_OF_RANGE"),
        ("1e-309", "NUMBER_OUT_OF_RANGE"),
        ("1e999999999", "NUMBER_OUT_OF_RANGE"),
        ("9" * 65, "AMOUNT_TOO_LARGE"),
        (10**70, "NUMBER_OUT_OF_RANGE"),
        ("9" * 10_000, "NUMBER_OUT_OF_RANGE"),
        ("1e99999999999999999999", "NUMBER_OUT_OF_RANGE"),
        ("1e-99999999999999999999", "NUMBER_OUT_OF_RANGE"),
        ("0." + "3" * 100, "AMOUNT_TOO_PRECISE"),
        ("1.0000000001", "AMOUNT_TOO_PRECISE"),
        ("1e-10", "AMOUNT_TOO_PRECISE"),
        ("18446744073.709551616", "AMOUNT_TOO_LARGE"),
        ("1e30", "AMOUNT_TOO_LARGE"),
        (True, "NUMBER_TYPE"),
        (False, "NUMBER_TYPE"),
        (None, "REQUIRED"),
        (1.5, "NUMBER_TYPE"),
        ([1], "NUMBER_TYPE"),
        ({"value": 1}, "NUMBER_TYPE"),
        ("", "NUMBER_INVALID"),
        ("ten", "NUMBER_INVALID"),
        ("0x10", "NUMBER_INVALID"),
        ("1_000", "NUMBER_INVALID"),
        ("1,5", "NUMBER_INVALID"),
        ("\u0661", "NUMBER_INVALID"),
    ],
)
@pytest.mark.parametrize("name", ["amountIn", "amount"])
def test_an_invalid_amount_is_refused(name: str, amount: object, code: str) -> None:
    # A missing amount has the first of its two names.
    field = "amountIn" if code == "REQUIRED" else name
    assert refused({"tokenIn": "SOL", "tokenOut": "USDC", name: amount}) == {field: code}


@pytest.mark.parametrize("text", ["1." + "0" * 70, "0" * 70 + "1", "1" + "0" * 70 + "e-70", "+1", "1.", "10e-1"])
def test_zeros_that_mean_nothing_do_not_make_a_number_invalid(text: str) -> None:
    assert order_of(GOOD | {"amountIn": text}, simulation=False, now=NOON).amount_in == 10**9


@given(st.sampled_from([token for token in BY_SYMBOL.values() if token.symbol != "USDC"]), st.data())
def test_every_amount_of_a_token_account_is_accepted_to_the_last_base_unit(token: Token, data: st.DataObject) -> None:
    units = data.draw(st.integers(1, MAX_BASE_UNITS))
    digits = str(units).zfill(token.decimals + 1)
    text = f"{digits[: -token.decimals]}.{digits[-token.decimals :]}"
    body = {"tokenIn": token.symbol, "tokenOut": "USDC"}
    assert order_of(body | {"amountIn": text}, simulation=False, now=NOON).amount_in == units
    assert order_of(body | {"amountIn": loads(text)}, simulation=False, now=NOON).amount_in == units
    assert refused(body | {"amountIn": f"{text}1"}) == {"amountIn": "AMOUNT_TOO_PRECISE"}


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({"tokenIn": "DOGE"}, {"tokenIn": "TOKEN_UNKNOWN"}),
        ({"tokenIn": "sol"}, {"tokenIn": "TOKEN_UNKNOWN"}),
        ({"tokenIn": SOL_MINT.lower()}, {"tokenIn": "TOKEN_UNKNOWN"}),
        ({"tokenIn": ""}, {"tokenIn": "TOKEN_UNKNOWN"}),
        ({"tokenIn": 7}, {"tokenIn": "STRING_TYPE"}),
        ({"tokenIn": None}, {"tokenIn": "REQUIRED"}),
        ({"tokenOut": ["USDC"]}, {"tokenOut": "STRING_TYPE"}),
        ({"tokenOut": "SOL"}, {"tokenOut": "TOKEN_SAME"}),
        ({"tokenOut": SOL_MINT}, {"tokenOut": "TOKEN_SAME"}),
        ({"tokenIn": "BONK", "tokenOut": "JUP"}, {"tokenOut": "PAIR_UNSUPPORTED"}),
    ],
)
def test_unknown_tokens_and_pairs_without_a_market_are_refused(
    changes: dict[str, Any], errors: dict[str, str]
) -> None:
    assert refused(GOOD | changes) == errors


@pytest.mark.parametrize("missing", ["tokenIn", "tokenOut", "amountIn"])
def test_a_missing_field_is_required(missing: str) -> None:
    body = {name: value for name, value in GOOD.items() if name != missing}
    assert refused(body) == {missing: "REQUIRED"}


@pytest.mark.parametrize(
    "name", ["slipage", "token_in", "amountin", "TOKENIN", "orderId", "upgrade", "", "a.b", "\x00"]
)
def test_a_misspelt_field_is_refused(name: str) -> None:
    assert refused(GOOD | {name: 1}) == {name: "UNKNOWN_FIELD"}


@pytest.mark.parametrize("amount", [Decimal("1.5"), 2])
def test_an_amount_under_both_names_is_refused(amount: object) -> None:
    assert refused(GOOD | {"amount": amount}) == {"amount": "UNKNOWN_FIELD"}


@pytest.mark.parametrize(
    "user_id", ["", "x" * 65, "a b", "a/b", "a\n", "a\x00", "é", "\ud800", "a#b", 7, True, ["alice"]]
)
def test_a_user_id_with_invalid_characters_is_refused(user_id: object) -> None:
    assert refused(GOOD | {"userId": user_id}) == {"userId": "USER_ID_INVALID"}


@given(st.text("ABCXYZabcxyz0189_.:@-", min_size=1, max_size=64))
def test_a_valid_user_id_is_kept_unchanged(user_id: str) -> None:
    assert order_of(GOOD | {"userId": user_id}, simulation=False, now=NOON).user_id == user_id


def test_default_values_are_anonymous_normal_priority_and_one_percent_slippage() -> None:
    spec = order_of(GOOD, simulation=False, now=NOON)
    assert (spec.user_id, spec.priority, spec.slippage_bps) == ("anonymous", Priority.NORMAL, 100)
    assert (spec.client_order_id, spec.simulate) == (None, None)


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({"slippage": "50.01"}, {"slippage": "SLIPPAGE_OUT_OF_RANGE"}),
        ({"slippage": -1}, {"slippage": "SLIPPAGE_OUT_OF_RANGE"}),
        ({"slippage": "0.005"}, {"slippage": "SLIPPAGE_TOO_PRECISE"}),
        ({"slippage": "NaN"}, {"slippage": "NUMBER_INVALID"}),
        ({"slippage": True}, {"slippage": "NUMBER_TYPE"}),
        ({"slippage": [1]}, {"slippage": "NUMBER_TYPE"}),
        ({"slippageBps": -1}, {"slippageBps": "GREATER_THAN_EQUAL"}),
        ({"slippageBps": 5001}, {"slippageBps": "LESS_THAN_EQUAL"}),
        ({"slippageBps": "ten"}, {"slippageBps": "NUMBER_INVALID"}),
        ({"slippageBps": Decimal("1.5")}, {"slippageBps": "INT_FROM_FLOAT"}),
        ({"slippageBps": True}, {"slippageBps": "NUMBER_TYPE"}),
        ({"slippage": 1, "slippageBps": 101}, {"slippageBps": "SLIPPAGE_CONTRADICTS"}),
        ({"slippage": 0, "slippageBps": 100}, {"slippageBps": "SLIPPAGE_CONTRADICTS"}),
    ],
)
def test_invalid_or_contradictory_slippage_is_refused(changes: dict[str, Any], errors: dict[str, str]) -> None:
    assert refused(GOOD | changes) == errors


@given(st.integers(0, 5000))
def test_percent_and_basis_points_mean_the_same_at_every_step(bps: int) -> None:
    percent = str(Decimal(bps) / 100)
    for said in ({"slippage": percent}, {"slippageBps": bps}, {"slippage": percent, "slippageBps": bps}):
        assert order_of(GOOD | said, simulation=False, now=NOON).slippage_bps == bps


@pytest.mark.parametrize("token_in", BY_SYMBOL)
@pytest.mark.parametrize("token_out", BY_SYMBOL)
def test_paying_with_the_quote_token_is_a_buy_and_another_side_is_refused(token_in: str, token_out: str) -> None:
    pair = find_pair(BY_SYMBOL[token_in], BY_SYMBOL[token_out])
    if pair is None or token_in == token_out:
        return
    side, other = (Side.BUY, Side.SELL) if pair.quote.symbol == token_in else (Side.SELL, Side.BUY)
    body = {"tokenIn": token_in, "tokenOut": token_out, "amountIn": 1}
    assert order_of(body, simulation=False, now=NOON).side is side
    assert order_of(body | {"side": side.value}, simulation=False, now=NOON).side is side
    assert refused(body | {"side": other.value}) == {"side": "SIDE_CONTRADICTS"}


@pytest.mark.parametrize("side", ["", "SELL", "hold", 1, True, ["sell"], {"side": "sell"}])
def test_a_side_other_than_buy_or_sell_is_refused(side: object) -> None:
    assert refused(GOOD | {"side": side}) == {"side": "NOT_ALLOWED"}


@pytest.mark.parametrize("priority", ["", "HIGH", "high_priority", 1, ["high"]])
def test_a_priority_is_normal_or_high(priority: object) -> None:
    assert refused(GOOD | {"priority": priority}) == {"priority": "NOT_ALLOWED"}
    assert order_of(GOOD | {"priority": "high"}, simulation=False, now=NOON).priority is Priority.HIGH


@pytest.mark.parametrize("kind", ["", "MARKET", "stop", 1, ["market"]])
def test_an_unknown_order_type_is_refused(kind: object) -> None:
    assert refused(GOOD | {"type": kind}) == {"type": "NOT_ALLOWED"}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "STRING_TOO_SHORT"),
        ("x" * 256, "STRING_TOO_LONG"),
        ("a\x00b", "NOT_PRINTABLE"),
        ("a\tb", "NOT_PRINTABLE"),
        ("\x7f", "NOT_PRINTABLE"),
        ("\x85", "NOT_PRINTABLE"),
        ("\ud800", "STRING_UNICODE"),
        ("a\udfffb", "STRING_UNICODE"),
        (7, "STRING_TYPE"),
        (["x"], "STRING_TYPE"),
    ],
)
def test_an_invalid_client_order_id_is_refused(text: object, code: str) -> None:
    assert refused(GOOD | {"clientOrderId": text}) == {"clientOrderId": code}


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "x" * 255,
        "order #1 / é 注文 😀",
        "👨\u200d👩\u200d👧-1",
        "\u0633\u200c\u0647-1",
        "\u2028\u3000\xa0\xad",
        "\U0001fae9",
    ],
)
def test_a_client_order_id_is_kept_unchanged(text: str) -> None:
    assert order_of(GOOD | {"clientOrderId": text}, simulation=False, now=NOON).client_order_id == text


@pytest.mark.parametrize("fault", ["no_liquidity", "network_error:1", "meteor_strike", ""])
def test_simulated_faults_are_refused_without_simulation(fault: str) -> None:
    assert refused(GOOD | {"simulate": fault}, simulation=False) == {"simulate": "SIMULATE_REFUSED"}


@pytest.mark.parametrize(
    ("fault", "code"),
    [("meteor_strike", "SIMULATE_UNKNOWN"), ("", "SIMULATE_UNKNOWN"), ("slow:5001", "SIMULATE_UNKNOWN"),
     (7, "STRING_TYPE"), ("x" * 65, "STRING_TOO_LONG"), ("\ud800", "STRING_UNICODE")],
)  # fmt: skip
def test_an_unknown_simulated_fault_is_refused(fault: object, code: str) -> None:
    assert refused(GOOD | {"simulate": fault}) == {"simulate": code}


def test_a_simulated_fault_is_accepted_with_simulation() -> None:
    assert order_of(GOOD | {"simulate": "tx_dropped:2"}, simulation=True, now=NOON).simulate == "tx_dropped:2"


@pytest.mark.parametrize(
    "name",
    ["userId", "type", "side", "priority", "slippage", "slippageBps", "clientOrderId", "simulate", "limitPrice",
     "targetPrice", "launch", "timeInForce", "expiresAt", "amount"],
)  # fmt: skip
def test_an_optional_field_may_be_null(name: str) -> None:
    assert order_of(GOOD | {name: None}, simulation=False, now=NOON) == order_of(GOOD, simulation=False, now=NOON)


def test_all_invalid_fields_are_reported_together() -> None:
    body = {
        "tokenIn": "DOGE",
        "tokenOut": 5,
        "amountIn": -5,
        "type": "stop",
        "userId": "?",
        "side": "hold",
        "slippage": 60,
        "slippageBps": 6000,
        "priority": "high_priority",
        "clientOrderId": "a\x00",
        "simulate": "meteor_strike",
        "slipage": 1,
    }
    assert set(refused(body)) == set(body)


def test_an_empty_order_lacks_all_required_fields() -> None:
    assert refused({}) == {"tokenIn": "REQUIRED", "tokenOut": "REQUIRED", "amountIn": "REQUIRED"}


FIELDS = [
    *GOOD,
    "amount",
    "userId",
    "type",
    "side",
    "slippage",
    "slippageBps",
    "priority",
    "clientOrderId",
    "simulate",
]
any_text = st.text(st.characters(), max_size=80)
any_value = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(10**400), 10**400)
    | st.decimals()
    | any_text
    | st.sampled_from(["SOL", "USDC", "sell", "buy", "market", "high", "slow:1", "\ud800", "1e99999"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(any_text, inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(FIELDS) | any_text, any_value, max_size=6), st.booleans(), st.booleans())
def test_any_object_is_a_valid_order_or_has_field_errors(body: dict[str, Any], whole: bool, simulation: bool) -> None:
    errors: tuple[FieldError, ...] = ()
    try:
        spec = order_of(GOOD | body if whole else body, simulation=simulation, now=NOON)
    except InvalidOrderError as error:
        errors = error.errors
    else:
        assert 0 < spec.amount_in <= MAX_BASE_UNITS
        assert 0 <= spec.slippage_bps <= 5000
        assert spec.simulate is None or simulation
        return
    assert errors
    # The answer must be encodable as UTF-8, or the API handler would answer with 500.
    assert all((error.field + error.code + error.message).encode() for error in errors)
