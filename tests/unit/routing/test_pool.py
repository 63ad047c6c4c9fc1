"""Constant-product arithmetic, as on chain."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.routing.pool import Pool

SOL = 10**9
USDC = 10**6

reserves = st.integers(10**6, 10**18)
amounts = st.integers(1, 2**64 - 1)
rates = st.integers(0, 20_000)


@pytest.mark.parametrize(
    ("sol", "fee", "out"),
    [(2, 5_000_000, 199_492_040), (100, 250_000_000, 9_955_139_496), (5_000, 12_500_000_000, 453_512_161_854)],
)
def test_the_golden_vector(sol: int, fee: int, out: int) -> None:
    result = Pool(50_000 * SOL, 5_000_000 * USDC).swap(sol * SOL, 2_500)
    assert (result.fee, result.amount_out) == (fee, out)


@given(reserves, reserves, amounts, rates)
def test_a_swap_never_takes_value_out_of_the_pool(x: int, y: int, amount: int, rate: int) -> None:
    out = Pool(x, y).swap(amount, rate).amount_out
    assert (x + amount) * (y - out) >= x * y
    assert 0 <= out < y


@given(reserves, reserves, amounts, amounts, rates)
def test_more_in_is_never_less_out(x: int, y: int, one: int, other: int, rate: int) -> None:
    less, more = sorted((one, other))
    assert Pool(x, y).swap(less, rate).amount_out <= Pool(x, y).swap(more, rate).amount_out


@given(reserves, reserves, amounts, rates)
def test_a_round_trip_never_gains(x: int, y: int, amount: int, rate: int) -> None:
    out = Pool(x, y).swap(amount, rate).amount_out
    if out:
        back = Pool(y - out, x + amount).swap(out, rate).amount_out
        assert back <= amount
