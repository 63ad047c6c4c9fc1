"""The router: its choice between the quotes of the venues, and its decisions without the venues that fail."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.as_of import ANY_TIME, AsOf
from chalicelib.domain.conditions import LaunchedPool
from chalicelib.domain.depth import Depth
from chalicelib.domain.failures import AttemptFailedError, FailureCode
from chalicelib.domain.swaps import Fill, Quote, SwapRequest, Transaction
from chalicelib.domain.tokens import Pair
from chalicelib.routing.choice import RoutingRule, choose
from chalicelib.routing.router import Route, Router
from tests.support.specs import a_spec

_SPEC = a_spec()
REQUEST = SwapRequest(_SPEC.pair, _SPEC.token_in, _SPEC.token_out, _SPEC.amount_in)


def a_quote(venue: str, amount_out: int = 1_000_000, **changes: Any) -> Quote:
    fields: dict[str, Any] = {
        "fee": 1,
        "fee_bps": Decimal(25),
        "price_impact_pct": Decimal("0.1"),
        "liquidity": Decimal(1000),
        "quoted_at_ms": 0,
    }
    return Quote(venue=venue, request=REQUEST, amount_out=amount_out, **{**fields, **changes})


def by_venue(*quotes: Quote) -> dict[str, Quote]:
    return {quote.venue: quote for quote in quotes}


class FakeVenue:
    """Answers with a quote or an error, once ``wait`` is set."""

    def __init__(self, name: str, answer: Quote | AttemptFailedError, wait: threading.Event | None = None) -> None:
        self.name = name
        self._answer = answer
        self._wait = wait

    def depth(self, pair: Pair, as_of: AsOf = ANY_TIME, pool: LaunchedPool | None = None) -> Depth:
        raise NotImplementedError

    def quote(self, request: SwapRequest) -> Quote:
        if self._wait:
            self._wait.wait(30)
        if isinstance(self._answer, AttemptFailedError):
            raise self._answer
        return self._answer

    def build(self, quote: Quote, min_amount_out: int) -> Transaction:
        raise NotImplementedError

    def send(self, transaction: Transaction) -> Fill:
        raise NotImplementedError


def failure_code(route: Route, venue: str) -> FailureCode | None:
    failures = [answer.failure for answer in route.as_event().answers if answer.venue == venue]
    return failures[0].code if failures[0] else None


def a_router(*venues: FakeVenue, timeout: float = 30) -> Router:
    return Router({venue.name: venue for venue in venues}, ThreadPoolExecutor(4), timeout)


def failed(code: FailureCode) -> AttemptFailedError:
    return AttemptFailedError(code, "no")


def test_the_best_net_output_wins() -> None:
    choice = choose(by_venue(a_quote("raydium", 1_000_000), a_quote("meteora", 1_020_000)))
    assert (choice.venue, choice.rule, choice.margin_pct) == ("meteora", RoutingRule.BEST_OUTPUT, Decimal(2))
    assert choice.reason == "meteora returns 2 % more, net of fees"


@pytest.mark.parametrize(
    ("raydium", "meteora", "winner", "rule", "margin", "reason"),
    [
        ({"liquidity": Decimal(2000)}, {"amount_out": 1_001_000}, "raydium", "DEEPER_POOL", 100, "deeper pool"),
        ({"amount_out": 999_000, "liquidity": Decimal(2000)}, {}, "raydium", "DEEPER_POOL", 100, "deeper pool"),
        ({"amount_out": 998_999, "liquidity": Decimal(2000)}, {}, "meteora", "BEST_OUTPUT", "0.1002", "more, net"),
        ({"liquidity": Decimal(2000)}, {"amount_out": 1_001_002}, "meteora", "BEST_OUTPUT", "0.1002", "more, net"),
        ({"fee_bps": Decimal(25)}, {"fee_bps": Decimal(20)}, "meteora", "LOWER_FEE", "0.05", "lower fee"),
        ({}, {}, "meteora", "NAME", None, "by name"),
    ],
)
def test_within_ten_bps_the_deeper_pool_then_the_lower_fee_then_the_name(
    raydium: dict[str, Any], meteora: dict[str, Any], winner: str, rule: str, margin: str | None, reason: str
) -> None:
    choice = choose(by_venue(a_quote("raydium", **raydium), a_quote("meteora", **meteora)))
    assert (choice.venue, choice.rule.value) == (winner, rule)
    assert choice.margin_pct == (None if margin is None else Decimal(margin))
    assert reason in choice.reason


@pytest.mark.parametrize(
    ("minimum", "winner", "reason"),
    [
        (999_500, "raydium", "deeper pool"),
        (999_501, "meteora", "reaches the minimum output"),
        (1_000_000, "meteora", "reaches the minimum output"),
        (1_000_001, "raydium", "deeper pool"),
    ],
)
def test_a_deeper_pool_is_not_chosen_where_only_the_other_reaches_the_minimum(
    minimum: int, winner: str, reason: str
) -> None:
    deeper = a_quote("raydium", 999_500, liquidity=Decimal(2000))
    router = a_router(FakeVenue("raydium", deeper), FakeVenue("meteora", a_quote("meteora")))
    route = router.route(REQUEST, minimum)
    assert route.chosen.venue == winner
    assert reason in route.reason


def test_a_venue_that_fails_is_left_out_and_the_decision_is_degraded() -> None:
    route = a_router(
        FakeVenue("raydium", failed(FailureCode.NETWORK_ERROR)), FakeVenue("meteora", a_quote("meteora"))
    ).route(REQUEST)
    decision = route.as_event()
    assert (decision.chosen, decision.is_degraded) == ("meteora", True)
    assert decision.quote_of("raydium") is None
    assert failure_code(route, "raydium") is FailureCode.NETWORK_ERROR


def test_a_venue_that_is_late_is_left_out() -> None:
    never = threading.Event()
    late = FakeVenue("raydium", a_quote("raydium", 2_000_000), never)
    route = a_router(late, FakeVenue("meteora", a_quote("meteora")), timeout=0.2).route(REQUEST)
    never.set()
    assert route.chosen.venue == "meteora"
    assert failure_code(route, "raydium") is FailureCode.VENUE_TIMEOUT


def test_where_all_venues_fail_a_retryable_reason_wins() -> None:
    router = a_router(
        FakeVenue("raydium", failed(FailureCode.NO_LIQUIDITY)),
        FakeVenue("meteora", failed(FailureCode.NETWORK_ERROR)),
    )
    with pytest.raises(AttemptFailedError) as caught:
        router.route(REQUEST)
    assert caught.value.code is FailureCode.NETWORK_ERROR


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"price_impact_pct": Decimal("10.0001")}, FailureCode.PRICE_IMPACT_TOO_HIGH),
        ({"amount_out": 0}, FailureCode.NO_LIQUIDITY),
    ],
)
def test_a_swap_that_no_venue_can_fill_is_refused(changes: dict[str, Any], code: FailureCode) -> None:
    router = a_router(
        FakeVenue("raydium", a_quote("raydium", **changes)),
        FakeVenue("meteora", a_quote("meteora", **changes)),
    )
    with pytest.raises(AttemptFailedError) as caught:
        router.route(REQUEST)
    assert caught.value.code is code


def test_a_price_impact_of_ten_percent_is_accepted() -> None:
    quote = a_quote("raydium", price_impact_pct=Decimal(10))
    assert a_router(FakeVenue("raydium", quote)).route(REQUEST).chosen is quote


def by_the_rule(quotes: Sequence[Quote]) -> str:
    """The rule of the specification, written a second time: output, else depth, else fee, else name."""
    best = max(quote.amount_out for quote in quotes)
    close = [quote for quote in quotes if best - quote.amount_out <= Decimal(best) / 1000]
    deepest = max(quote.liquidity for quote in close)
    deep = [quote for quote in close if quote.liquidity == deepest]
    cheapest = min(quote.fee_bps for quote in deep)
    return min(quote.venue for quote in deep if quote.fee_bps == cheapest)


some_quotes = st.lists(
    st.builds(
        a_quote,
        st.sampled_from(["raydium", "meteora", "orca"]),
        st.integers(998_000, 1_002_000) | st.integers(1, 2**64 - 1),
        liquidity=st.sampled_from([Decimal(1000), Decimal(2000)]),
        fee_bps=st.sampled_from([Decimal(20), Decimal(25)]),
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda quote: quote.venue,
)


@given(some_quotes)
def test_the_rule_decides_any_set_of_quotes_in_any_order(quotes: list[Quote]) -> None:
    choice = choose(by_venue(*quotes))
    assert choice.venue == by_the_rule(quotes) == choose(by_venue(*quotes[::-1])).venue
    assert choice.venue in choice.reason


@given(some_quotes)
def test_the_quotes_that_an_order_keeps_give_the_same_choice(quotes: list[Quote]) -> None:
    assert choose({quote.venue: quote.as_venue_quote() for quote in quotes}) == choose(by_venue(*quotes))


def test_a_deeper_pool_more_than_ten_bps_worse_does_not_win() -> None:
    quotes = [
        a_quote("raydium", 1_000_000),
        a_quote("meteora", 999_500),
        a_quote("orca", 998_000, liquidity=Decimal(10**9)),
    ]
    assert choose(by_venue(*quotes)).venue == "meteora"


class MeetingVenue(FakeVenue):
    """Answers only while the router asks the other venue too."""

    def __init__(self, name: str, meeting: threading.Barrier) -> None:
        super().__init__(name, a_quote(name))
        self._meeting = meeting

    def quote(self, request: SwapRequest) -> Quote:
        self._meeting.wait(5)
        return super().quote(request)


def test_the_router_asks_all_venues_at_once() -> None:
    meeting = threading.Barrier(2)
    route = a_router(MeetingVenue("raydium", meeting), MeetingVenue("meteora", meeting)).route(REQUEST)
    decision = route.as_event()
    assert not decision.is_degraded
    assert [(answer.venue, answer.failure) for answer in decision.answers] == [("raydium", None), ("meteora", None)]
    assert all(answer.quote for answer in decision.answers)


def test_where_all_venues_are_late_the_failure_is_retryable() -> None:
    never = threading.Event()
    late = [FakeVenue(name, a_quote(name), never) for name in ("raydium", "meteora")]
    with pytest.raises(AttemptFailedError) as caught:
        a_router(*late, timeout=0.05).route(REQUEST)
    never.set()
    assert caught.value.code is FailureCode.VENUE_TIMEOUT
    assert caught.value.retryable


def test_a_better_output_with_too_high_a_price_impact_does_not_win() -> None:
    steep = a_quote("raydium", 2_000_000, price_impact_pct=Decimal(11))
    route = a_router(FakeVenue("raydium", steep), FakeVenue("meteora", a_quote("meteora"))).route(REQUEST)
    assert route.chosen.venue == "meteora"
    assert failure_code(route, "raydium") is FailureCode.PRICE_IMPACT_TOO_HIGH


class BrokenVenue(FakeVenue):
    """Fails with an unexpected error."""

    def quote(self, request: SwapRequest) -> Quote:
        raise ZeroDivisionError("secret")


def test_a_venue_with_a_bug_is_left_out_and_its_error_stays_internal() -> None:
    broken = BrokenVenue("raydium", a_quote("raydium"))
    route = a_router(broken, FakeVenue("meteora", a_quote("meteora"))).route(REQUEST)
    assert (route.chosen.venue, route.as_event().is_degraded) == ("meteora", True)
    assert failure_code(route, "raydium") is FailureCode.VENUE_UNAVAILABLE
    assert "secret" not in str(route.as_event())


def test_where_every_venue_has_a_bug_the_failure_is_retryable() -> None:
    with pytest.raises(AttemptFailedError) as caught:
        a_router(BrokenVenue("raydium", a_quote("raydium"))).route(REQUEST)
    assert (caught.value.code, caught.value.retryable) == (FailureCode.VENUE_UNAVAILABLE, True)
