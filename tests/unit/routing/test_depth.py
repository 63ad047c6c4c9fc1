"""The depth of a venue's pool: the best price bounds the price of every swap, so the index query misses no order."""

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.depth import Depth
from chalicelib.domain.tokens import BY_SYMBOL, Pair, Side
from chalicelib.routing.best_swap import MAX_IMPACT_PCT, best_price, best_swap, max_amount

PAIRS = [
    Pair(base=BY_SYMBOL[base], quote=BY_SYMBOL[quote])
    for base, quote in (("SOL", "USDC"), ("BONK", "SOL"), ("JUP", "USDT"))
]
reserves = st.integers(1, 2**70)
depths = st.builds(
    Depth,
    venue=st.sampled_from(["raydium", "meteora"]),
    pair=st.just(PAIRS[0]) | st.sampled_from(PAIRS),
    base=reserves,
    quote=reserves,
    fee_rate=st.integers(0, 10_000),
    impact_fee_rate=st.integers(0, 20_000),
)
amounts = st.integers(1, 2**64 - 1)
sides = st.sampled_from(Side)


def net_price(depth: Depth, side: Side, amount_in: int) -> Fraction | None:
    """The exact price in quote per base with fees and impact; ``None`` if the output is zero."""
    bought = depth.swap(side, amount_in).amount_out
    if not bought:
        return None
    quote, base = (amount_in, bought) if side is Side.BUY else (bought, amount_in)
    pair = depth.pair
    return Fraction(quote * 10**pair.base.decimals, base * 10**pair.quote.decimals)


@given(depths, sides, amounts)
def test_no_amount_has_a_better_price_than_the_best_price(depth: Depth, side: Side, amount_in: int) -> None:
    price, best = net_price(depth, side, amount_in), Fraction(depth.best_price(side))
    if price is not None:
        assert price >= best if side is Side.BUY else price <= best


@given(depths, sides)
def test_the_best_price_is_as_tight_as_possible(depth: Depth, side: Side) -> None:
    """A looser bound would make each look read orders that no pool can fill."""
    base, quote = (reserve * 10**60 for reserve in (depth.base, depth.quote))
    deep = Depth(depth.venue, depth.pair, base, quote, depth.fee_rate, depth.impact_fee_rate)
    price = net_price(deep, side, 10**40)
    best = Fraction(depth.best_price(side))
    if price is not None:
        assert abs(price / best - 1) < Fraction(1, 10**12)


@given(st.lists(depths, min_size=1, max_size=3), sides, amounts, st.decimals("0.000001", 10**6, places=6))
def test_every_order_that_can_be_filled_lies_within_the_queried_price_range(
    pools: list[Depth], side: Side, amount_in: int, limit: Decimal
) -> None:
    pools = [Depth(one.venue, PAIRS[0], *_numbers(one)) for one in pools]
    found, best = best_swap(pools, side, amount_in), best_price(pools, side)
    assert best is not None
    beyond = limit < best if side is Side.BUY else limit > best
    if found is None or not beyond:
        return
    paid, bought = Fraction(amount_in, 10**6), Fraction(found.amount_out, 10**9)
    if side is Side.SELL:
        paid, bought = Fraction(amount_in, 10**9), Fraction(found.amount_out, 10**6)
    assert paid / bought > limit if side is Side.BUY else bought / paid < limit


@given(st.lists(depths, min_size=1, max_size=3), sides, amounts, amounts)
def test_no_pool_trades_more_than_the_largest_amount(
    pools: list[Depth], side: Side, amount_in: int, around: int
) -> None:
    largest = max_amount(pools, side)
    for amount in (amount_in, largest + around, largest + 1):
        if best_swap(pools, side, amount):
            assert amount <= largest


@given(depths, sides)
def test_the_largest_amount_is_tight(depth: Depth, side: Side) -> None:
    """A looser bound would make each look read orders that no pool can fill."""
    base, quote = (reserve * 10**30 for reserve in (depth.base, depth.quote))
    plain = Depth(depth.venue, depth.pair, base, quote, depth.fee_rate, 0)
    largest = max_amount([plain], side)
    assert best_swap([plain], side, largest - largest // 10**5)


def _numbers(depth: Depth) -> tuple[int, int, int, int]:
    return depth.base, depth.quote, depth.fee_rate, depth.impact_fee_rate


@given(st.lists(depths, max_size=3), sides, amounts)
def test_the_best_swap_has_the_largest_output_of_all_tradable_pools(
    pools: list[Depth], side: Side, amount_in: int
) -> None:
    swaps = [pool.swap(side, amount_in) for pool in pools]
    tradable = [swap.amount_out for swap in swaps if swap.amount_out and swap.price_impact_pct <= MAX_IMPACT_PCT]
    found = best_swap(pools, side, amount_in)
    assert (found.amount_out if found else None) == max(tradable, default=None)


def test_without_a_pool_there_is_neither_price_nor_swap() -> None:
    assert (best_price([], Side.BUY), best_swap([], Side.BUY, 1)) == (None, None)
