"""An order as a client writes it. Every row of bad input is tested end to end; here, what must never happen."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.errors import InvalidOrderError
from chalicelib.domain.orders import OrderSpec
from chalicelib.domain.tokens import Side
from chalicelib.wire.orders import read_order

GOOD = {"tokenIn": "SOL", "tokenOut": "USDC", "amountIn": Decimal("1.5")}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text(max_size=80),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
names = st.sampled_from(
    [
        "tokenIn",
        "tokenOut",
        "amountIn",
        "amount",
        "userId",
        "type",
        "side",
        "slippage",
        "slippageBps",
        "priority",
        "clientOrderId",
        "simulate",
        "limitPrice",
    ]
)


@given(st.dictionaries(names | st.text(max_size=10), json_values, max_size=6), st.booleans())
def test_whatever_comes_is_an_order_or_a_refusal_that_names_fields(body: dict[str, object], simulation: bool) -> None:
    try:
        said: object = read_order(GOOD | body, simulation=simulation).amount_in > 0
    except InvalidOrderError as error:
        said = error.errors and all(one.code and one.message for one in error.errors)
    assert said


def read(**changes: object) -> OrderSpec:
    return read_order(GOOD | changes, simulation=True)


@pytest.mark.parametrize("amount", [2, Decimal("2"), "2", "2.0", "2e0", Decimal("2.000000000")])
def test_an_amount_may_be_a_number_or_a_decimal_string(amount: object) -> None:
    assert read(amountIn=amount).amount_in == 2 * 10**9


def test_amount_is_another_name_for_amount_in() -> None:
    assert read_order({"tokenIn": "SOL", "tokenOut": "USDC", "amount": 2}, simulation=False).amount_in == 2 * 10**9


def test_the_largest_amount_is_one_below_two_to_the_64() -> None:
    assert read(amountIn="18446744073.709551615").amount_in == 2**64 - 1


def test_tokens_may_be_mints_and_the_side_follows_from_the_pair() -> None:
    spec = read(
        tokenIn="EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v",
        tokenOut="So11111111111111111111111111111111111111112",
        side="buy",
    )
    assert (spec.token_in.symbol, spec.token_out.symbol, spec.side) == ("USDC", "SOL", Side.BUY)


@pytest.mark.parametrize(
    ("changes", "bps"),
    [
        ({}, 100),
        ({"slippage": 2}, 200),
        ({"slippage": "0.5"}, 50),
        ({"slippageBps": 7}, 7),
        ({"slippage": 1, "slippageBps": 100}, 100),
    ],
)
def test_slippage_is_percent_or_basis_points(changes: dict[str, object], bps: int) -> None:
    assert read(**changes).slippage_bps == bps


@pytest.mark.parametrize("text", ["a\x00b", "a\nb", "\ud800", ""])
def test_a_client_order_id_that_no_database_can_keep_is_refused(text: str) -> None:
    with pytest.raises(InvalidOrderError):
        read(clientOrderId=text)


def test_a_simulated_fault_is_refused_where_simulation_is_off() -> None:
    with pytest.raises(InvalidOrderError) as caught:
        read_order(GOOD | {"simulate": "no_liquidity"}, simulation=False)
    assert [error.code for error in caught.value.errors] == ["SIMULATE_REFUSED"]


@pytest.mark.parametrize("kind", ["limit", "sniper"])
def test_what_does_not_work_yet_is_refused_and_not_promised(kind: str) -> None:
    with pytest.raises(InvalidOrderError):
        read(type=kind)


@pytest.mark.parametrize("field", ["amountIn", "slippage"])
def test_a_digit_too_many_is_refused_however_long_the_number(field: str) -> None:
    """As long as a number may be; arithmetic of fewer digits would round it to 1 and trade."""
    with pytest.raises(InvalidOrderError) as caught:
        read(**{field: f"1.{'0' * 60}1"})
    assert [error.field for error in caught.value.errors] == [field]
