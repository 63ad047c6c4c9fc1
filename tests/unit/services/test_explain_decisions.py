"""Routing decisions explained from the quotes that an order keeps: rule, margin, gain and arithmetic."""

from decimal import Decimal
from re import fullmatch
from typing import Any

import pytest

from chalicelib.domain.events import QuotesReceived, VenueAnswer, VenueQuote
from chalicelib.domain.money import to_human_units, written
from chalicelib.domain.orders import Order
from chalicelib.domain.status import OrderType
from chalicelib.domain.tokens import Side
from chalicelib.services.orders.explain.decisions import decisions_of
from chalicelib.services.orders.explain.explanation import Decision
from chalicelib.services.orders.explain.past_orders import orders_before
from tests.support.explanations import an_explaining_bench
from tests.support.open_orders import accept
from tests.support.order_builders import opened, pending, routed, spec, triggered
from tests.support.specs import a_spec

ARITHMETIC = (
    r"(\S+) (\w+) - (\S+) \w+ fee \((\S+) %\) = (\S+) \w+; (\S+) \w+ ([*/]) (\S+) USDC per SOL \(after (\S+) % price "
    r"impact\) = (\S+) (\w+); (\S+) \w+ for (\S+) \w+ is (\S+) USDC per SOL, fee and impact included\."
)


def a_quote(amount_out: int, **changes: Any) -> VenueQuote:
    fields: dict[str, Any] = {
        "price": Decimal(amount_out) / 2_000_000,
        "fee": 5_000_000,
        "fee_bps": Decimal(25),
        "price_impact_pct": Decimal("0.004"),
        "liquidity": Decimal(5_000_000),
    }
    return VenueQuote(amount_out=amount_out, **{**fields, **changes})


def decided(chosen: str, order: Order | None = None, **quotes: VenueQuote | None) -> Decision:
    answers = tuple(VenueAnswer(venue, quote) for venue, quote in quotes.items())
    routed_order = routed(order or pending(), decision=QuotesReceived(answers, chosen, "kept reason"))
    [decision] = decisions_of(routed_order, orders_before(routed_order))
    return decision


@pytest.mark.parametrize(
    ("raydium", "meteora", "chosen", "rule", "margin", "reason"),
    [
        (
            a_quote(199_492_040),
            a_quote(195_300_000),
            "raydium",
            "BEST_OUTPUT",
            "2.1465",
            "Raydium returns 199.49204 USDC net of fees, 4.19204 USDC (2.15 %) more than Meteora.",
        ),
        (
            a_quote(199_490_000),
            a_quote(199_500_000, liquidity=Decimal(4_000_000)),
            "raydium",
            "DEEPER_POOL",
            "25",
            "The outputs are within 10 bps (199.49 USDC against 199.5 USDC on Meteora), so they count as equal. "
            "Of these pools, Raydium has the deepest: 5000000 USDC on the quote side, 25 % more than Meteora.",
        ),
        (
            a_quote(199_490_000),
            a_quote(199_500_000, fee_bps=Decimal(20)),
            "meteora",
            "LOWER_FEE",
            "0.05",
            "The outputs are within 10 bps (199.5 USDC against 199.49 USDC on Raydium), so they count as equal. "
            "The pools are equally deep, and Meteora has the lower fee: 0.2 %.",
        ),
        (
            a_quote(199_500_000),
            a_quote(199_500_000),
            "meteora",
            "NAME",
            None,
            "The outputs are within 10 bps (199.5 USDC against 199.5 USDC on Raydium), so they count as equal. "
            "Depth and fee are equal too, and Meteora comes first by name.",
        ),
    ],
)
def test_each_rule_has_its_margin_and_its_sentence(
    raydium: VenueQuote, meteora: VenueQuote, chosen: str, rule: str, margin: str | None, reason: str
) -> None:
    decision = decided(chosen, raydium=raydium, meteora=meteora)
    assert (decision.rule, decision.reason) == (rule, reason)
    assert decision.margin_pct == (None if margin is None else Decimal(margin))


def test_a_venue_that_alone_reaches_the_minimum_is_explained_by_it() -> None:
    order = opened(spec(type=OrderType.LIMIT, limit_price=Decimal("99.75")))
    shallow = a_quote(199_500_000, liquidity=Decimal(4_000_000))
    decision = decided("meteora", triggered(order), raydium=a_quote(199_490_000), meteora=shallow)
    assert (decision.rule, decision.min_amount_out) == ("REACHES_MINIMUM", 199_500_000)
    assert decision.reason == (
        "Meteora reaches the minimum output of 199.5 USDC, and Raydium, which comes first of the outputs within 10 "
        "bps, does not: 199.5 USDC against 199.49 USDC on Raydium."
    )


def test_of_three_venues_the_one_that_misses_the_minimum_is_named() -> None:
    order = opened(spec(type=OrderType.LIMIT, limit_price=Decimal("99.95")))
    decision = decided(
        "raydium",
        triggered(order),
        raydium=a_quote(200_000_000, liquidity=Decimal(1_000)),
        meteora=a_quote(199_990_000, liquidity=Decimal(2_000)),
        orca=a_quote(199_850_000, liquidity=Decimal(9_000)),
    )
    assert (decision.rule, decision.margin_pct) == ("REACHES_MINIMUM", Decimal("0.0751"))
    assert decision.reason == (
        "Raydium reaches the minimum output of 199.9 USDC, and Orca, which comes first of the outputs within 10 bps, "
        "does not: 200 USDC against 199.85 USDC on Orca."
    )


def test_the_depth_is_compared_among_outputs_that_count_as_equal() -> None:
    decision = decided(
        "meteora",
        raydium=a_quote(200_000_000, liquidity=Decimal(1_000)),
        meteora=a_quote(199_990_000, liquidity=Decimal(2_000)),
        orca=a_quote(190_000_000, liquidity=Decimal(9_000)),
    )
    assert decision.reason == (
        "The outputs are within 10 bps (199.99 USDC against 200 USDC on Raydium), so they count as equal. Of these "
        "pools, Meteora has the deepest: 2000 USDC on the quote side, 100 % more than Raydium."
    )


def test_a_gain_is_negative_where_the_deeper_pool_brings_less() -> None:
    decision = decided(
        "raydium", raydium=a_quote(199_490_000), meteora=a_quote(199_500_000, liquidity=Decimal(4_000_000))
    )
    assert decision.gain
    assert (decision.gain.against, decision.gain.amount_out, decision.gain.pct) == (
        "meteora",
        -10_000,
        Decimal("-0.005"),
    )


def test_a_decision_that_todays_rules_do_not_make_keeps_its_own_reason() -> None:
    decision = decided("meteora", raydium=a_quote(199_492_040), meteora=a_quote(195_300_000))
    assert (decision.rule, decision.margin_pct, decision.reason) == (None, None, "kept reason.")
    assert decision.gain
    assert decision.gain.amount_out < 0


def test_of_three_venues_the_best_of_the_others_is_the_one_compared_with() -> None:
    decision = decided("orca", raydium=a_quote(200_000_000), meteora=a_quote(195_000_000), orca=a_quote(202_000_000))
    assert decision.gain
    assert (decision.gain.against, decision.gain.amount_out) == ("raydium", 2_000_000)
    assert decision.reason == "Orca returns 202 USDC net of fees, 2 USDC (1 %) more than Raydium."


@pytest.mark.parametrize("side", Side)
def test_the_arithmetic_of_a_quote_computes_its_output(side: Side) -> None:
    world = an_explaining_bench()
    swap = (
        a_spec()
        if side is Side.SELL
        else a_spec(side=side, token_in=a_spec().token_out, token_out=a_spec().token_in, amount_in=123_456_789)
    )
    order_id = accept(world.bench, swap)
    world.bench.process_all()
    decision = world.explain(order_id).decision
    assert decision
    for part in decision.venues:
        assert part.arithmetic
        assert part.answer.quote
        found = fullmatch(ARITHMETIC, part.arithmetic)
        assert found, part.arithmetic
        paid, _, fee, _, left, net, sign, price, _, output, token, *_, average = found.groups()
        assert Decimal(paid) - Decimal(fee) == Decimal(left) == Decimal(net)
        computed = Decimal(net) * Decimal(price) if sign == "*" else Decimal(net) / Decimal(price)
        unit = Decimal(1).scaleb(-swap.token_out.decimals)
        assert abs(computed - Decimal(output)) <= unit
        assert output == written(to_human_units(part.answer.quote.amount_out, swap.token_out.decimals))
        assert token == swap.token_out.symbol
        whole = Decimal(output) / Decimal(paid) if side is Side.SELL else Decimal(paid) / Decimal(output)
        assert abs(whole - Decimal(average)) < Decimal("1E-6")


def test_a_venue_without_a_quote_has_no_arithmetic() -> None:
    decision = decided("raydium", raydium=a_quote(199_000_000), meteora=None)
    assert [part.arithmetic is None for part in decision.venues] == [False, True]
