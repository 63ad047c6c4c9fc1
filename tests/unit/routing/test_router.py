"""Choosing between venues, and going on without one."""

import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

from chalicelib.domain.failures import AttemptFailedError, FailureCode
from chalicelib.routing.router import Router, choose
from chalicelib.routing.venue import Fill, Quote, SwapRequest, Transaction
from tests.support.orders import a_spec

_SPEC = a_spec()
REQUEST = SwapRequest(_SPEC.pair, _SPEC.token_in, _SPEC.token_out, _SPEC.amount_in)


def a_quote(venue: str, amount_out: int = 1_000_000, **changes: object) -> Quote:
    fields = {
        "fee": 1,
        "fee_bps": Decimal(25),
        "price_impact_pct": Decimal("0.1"),
        "liquidity": Decimal(1000),
        "quoted_at_ms": 0,
    }
    return Quote(venue=venue, request=REQUEST, amount_out=amount_out, **{**fields, **changes})  # type: ignore[arg-type]


class FakeVenue:
    """Answers with a quote or an error, once ``wait`` is set."""

    def __init__(self, name: str, answer: Quote | AttemptFailedError, wait: threading.Event | None = None) -> None:
        self.name = name
        self._answer = answer
        self._wait = wait

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


def a_router(*venues: FakeVenue, timeout: float = 30) -> Router:
    return Router({venue.name: venue for venue in venues}, ThreadPoolExecutor(4), timeout)


def failed(code: FailureCode) -> AttemptFailedError:
    return AttemptFailedError(code, "no")


def test_the_best_net_output_wins() -> None:
    chosen, reason = choose([a_quote("raydium", 1_000_000), a_quote("meteora", 1_020_000)])
    assert chosen.venue == "meteora"
    assert "1.9608 %" in reason


@pytest.mark.parametrize(
    ("raydium", "meteora", "winner", "reason"),
    [
        ({"liquidity": Decimal(2000)}, {"amount_out": 1_001_000}, "raydium", "deeper pool"),
        ({"liquidity": Decimal(2000)}, {"amount_out": 1_001_002}, "meteora", "more, net of fees"),
        ({"fee_bps": Decimal(25)}, {"fee_bps": Decimal(20)}, "meteora", "lower fee"),
        ({}, {}, "meteora", "by name"),
    ],
)
def test_within_ten_bps_the_deeper_pool_then_the_lower_fee_then_the_name(
    raydium: dict[str, object], meteora: dict[str, object], winner: str, reason: str
) -> None:
    chosen, why = choose([a_quote("raydium", **raydium), a_quote("meteora", **meteora)])  # type: ignore[arg-type]
    assert chosen.venue == winner
    assert reason in why


def test_a_venue_that_fails_is_left_out_and_the_answer_marked_degraded() -> None:
    route = a_router(
        FakeVenue("raydium", failed(FailureCode.NETWORK_ERROR)), FakeVenue("meteora", a_quote("meteora"))
    ).route(REQUEST)
    assert (route.chosen.venue, route.degraded) == ("meteora", True)
    assert route.as_meta()["rQuote"] is None


def test_a_venue_that_is_late_is_left_out() -> None:
    never = threading.Event()
    late = FakeVenue("raydium", a_quote("raydium", 2_000_000), never)
    route = a_router(late, FakeVenue("meteora", a_quote("meteora")), timeout=0.2).route(REQUEST)
    never.set()
    assert route.chosen.venue == "meteora"
    assert route.as_meta()["errors"]["raydium"]["code"] == "VENUE_TIMEOUT"


def test_where_all_fail_a_passing_reason_wins_so_that_it_is_tried_again() -> None:
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
def test_what_no_venue_can_fill_is_refused(changes: dict[str, object], code: FailureCode) -> None:
    router = a_router(
        FakeVenue("raydium", a_quote("raydium", **changes)),
        FakeVenue("meteora", a_quote("meteora", **changes)),  # type: ignore[arg-type]
    )
    with pytest.raises(AttemptFailedError) as caught:
        router.route(REQUEST)
    assert caught.value.code is code


def test_an_impact_of_ten_percent_is_still_taken() -> None:
    quote = a_quote("raydium", price_impact_pct=Decimal(10))
    assert a_router(FakeVenue("raydium", quote)).route(REQUEST).chosen is quote
