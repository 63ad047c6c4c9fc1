"""Each suggested term is the nearest that would have filled: one step less would not."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from functools import partial

from hypothesis import assume, given
from hypothesis import strategies as st

from chalicelib.domain.depth import Depth
from chalicelib.domain.money import MAX_BASE_UNITS, minimum_output
from chalicelib.domain.tokens import Side
from chalicelib.routing.best_swap import MAX_IMPACT_PCT
from chalicelib.services.orders.explain.search import (
    PRICE_STEP_DIGITS,
    largest_amount,
    least_amount,
    least_slippage_bps,
    limit_fits,
    price_limit_for,
)
from tests.support.open_orders import SOL_USDC, a_limit

amounts = st.integers(1, 10**15)
sides = st.sampled_from(Side)
pools = st.builds(
    Depth,
    st.sampled_from(["raydium", "meteora"]),
    st.just(SOL_USDC),
    st.integers(10**12, 10**15),
    st.integers(10**11, 10**14),
    st.integers(0, 10_000),
    st.integers(0, 20_000),
)


@given(st.integers(1, MAX_BASE_UNITS), st.integers(0, MAX_BASE_UNITS))
def test_the_least_slippage_allows_the_output_and_a_basis_point_less_does_not(quoted: int, output: int) -> None:
    bps = least_slippage_bps(quoted, output)
    assert minimum_output(quoted, bps) <= output
    assert bps == 0 or minimum_output(quoted, bps - 1) > output


@given(sides, amounts, amounts)
def test_an_output_meets_its_price_limit_and_not_the_next_better_one(side: Side, paid: int, output: int) -> None:
    spec = a_limit(100, side, amount_in=paid)
    limit = price_limit_for(spec, output)
    assert limit is not None
    asked = replace(spec, limit_price=limit).limit_min_out
    assert asked is not None
    assert asked <= output
    sells = side is Side.SELL
    context = Context(prec=PRICE_STEP_DIGITS, rounding=ROUND_CEILING if sells else ROUND_FLOOR)
    better = context.next_plus(limit) if sells else context.next_minus(limit)
    more = replace(spec, limit_price=better).limit_min_out
    assert more is not None
    assert more > output


def test_no_output_meets_no_price_limit() -> None:
    assert price_limit_for(a_limit(100), 0) is None


@given(st.lists(pools, min_size=1, max_size=3), amounts, st.decimals("0.1", "200", places=2), sides)
def test_the_largest_size_fits_and_a_base_unit_more_does_not(
    depths: Sequence[Depth], paid: int, limit: Decimal, side: Side
) -> None:
    spec = a_limit(limit, side, amount_in=paid)
    fits = partial(limit_fits, spec, depths)
    assume(not fits(paid))
    size = largest_amount(fits, paid)
    if size is not None:
        assert size < paid
        assert fits(size)
        assert not fits(size + 1)


@given(pools, sides)
def test_the_largest_size_by_price_impact_is_within_the_limit_of_the_router(depth: Depth, side: Side) -> None:
    reserve = depth.quote if side is Side.BUY else depth.base
    spec = replace(a_limit(100, side, amount_in=reserve), limit_price=None)
    size = largest_amount(partial(limit_fits, spec, [depth]), spec.amount_in)
    assert size is not None
    assert depth.swap(side, size).price_impact_pct <= MAX_IMPACT_PCT < depth.swap(side, size + 1).price_impact_pct


@given(pools, sides)
def test_the_least_size_brings_something_and_a_base_unit_less_does_not(depth: Depth, side: Side) -> None:
    spec = replace(a_limit(100, side, amount_in=1), limit_price=None)
    fits = partial(limit_fits, spec, [depth])
    assume(not fits(1))
    size = least_amount(fits, 1)
    assert size is not None
    assert depth.swap(side, size).amount_out > 0 == depth.swap(side, size - 1).amount_out


def test_a_pool_that_takes_no_size_has_no_least_one() -> None:
    assert least_amount(lambda amount: False, 1) is None
    assert largest_amount(lambda amount: False, 10**9) is None


def test_a_size_that_only_rounding_would_fill_is_not_suggested() -> None:
    """One SOL sells for less than the limit at any size, but a few lamports round to the minimum."""
    depth = Depth("raydium", SOL_USDC, 50_000 * 10**9, 5_000_000 * 10**6, 2_500, 0)
    spec = a_limit(100, amount_in=10**9)
    assert limit_fits(replace(spec, limit_price=Decimal(99)), [depth], 10**9)
    assert any(limit_fits(spec, [depth], amount) for amount in range(1, 10_000))
    assert largest_amount(partial(limit_fits, spec, [depth]), spec.amount_in) is None
