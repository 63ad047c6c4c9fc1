"""Constant-product arithmetic, as on chain."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.pool import Pool

SOL = 10**9
USDC = 10**6

reserves = st.integers(10**6, 10**18)
amounts = st.integers(1, 2**64 - 1)
rates = st.integers(0, 20_000)
impact_rates = st.integers(0, 50_000)


@pytest.mark.parametrize(
    ("sol", "fee", "out"),
    [(2, 5_000_000, 199_492_040), (100, 250_000_000, 9_955_139_496), (5_000, 12_500_000_000, 453_512_161_854)],
)
def test_a_swap_matches_the_known_output(sol: int, fee: int, out: int) -> None:
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


@given(reserves, reserves, amounts, rates, impact_rates)
def test_a_fee_that_grows_with_impact_takes_no_value_out_and_never_gains(
    x: int, y: int, amount: int, rate: int, impact_rate: int
) -> None:
    result = Pool(x, y).swap(amount, rate, impact_rate)
    assert (x + amount) * (y - result.amount_out) >= x * y
    assert Pool(x, y).swap(amount, rate).fee <= result.fee <= amount
    if result.amount_out:
        back = Pool(y - result.amount_out, x + amount).swap(result.amount_out, rate, impact_rate)
        assert back.amount_out <= amount


@given(reserves, reserves, amounts, st.integers(0, 10**6), rates, impact_rates)
def test_with_a_fee_that_grows_one_unit_more_in_is_still_never_less_out(
    x: int, y: int, amount: int, more: int, rate: int, impact_rate: int
) -> None:
    pool = Pool(x, y)
    less = pool.swap(amount, rate, impact_rate)
    assert less.amount_out <= pool.swap(amount + 1, rate, impact_rate).amount_out
    assert less.amount_out <= pool.swap(amount + 1 + more, rate, impact_rate).amount_out


def test_the_impact_fee_is_in_proportion_to_the_share_of_the_pool_and_rounded_up_once() -> None:
    # A fifth of the pool: 0.2 % and a fifth of 2 % are 0.6 % of 250,001, which is 1500.007..., rounded up.
    assert Pool(1_000_000, 10**12).swap(250_001, 2_000, 20_000).fee == 1_501
    assert Pool(1_000_000, 10**12).swap(250_000, 2_000, 20_000).fee == 1_500
