"""Orders for property tests: any walk that the status table allows, with any data in its events."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from chalicelib.domain.conditions import Amendment, Launch, LaunchTerms, TimeInForce
from chalicelib.domain.events import (
    Accepted,
    Amended,
    AttemptStarted,
    Building,
    Cancelled,
    Confirmed,
    EventData,
    Expired,
    Failed,
    LaunchRefused,
    LaunchTriggered,
    Opened,
    OpenTerms,
    PriceMovedAway,
    PriceTriggered,
    QuotesReceived,
    Submitted,
    TriggeredAtEntry,
    VenueAnswer,
    VenueQuote,
)
from chalicelib.domain.failures import Failure, FailureCode
from chalicelib.domain.money import MAX_BASE_UNITS
from chalicelib.domain.orders import Order
from chalicelib.domain.spec import Priority
from chalicelib.domain.status import OrderType, Status, may_follow
from chalicelib.domain.tokens import Side, launched_token
from tests.support.specs import a_spec

START = datetime(2026, 1, 1, 12, 0, 0, 123_000, tzinfo=UTC)

amounts = st.integers(1, MAX_BASE_UNITS)
prices = st.decimals(Decimal("1E-12"), 10**12, places=12)
limits = st.decimals("0.001", 10**6, places=3)
MINT = "7xKXtg2CW87d97TXJSDpbD5jBkheTqA83TZRuJosgAsU"
launches = st.builds(
    LaunchTerms,
    mint=st.just(MINT),
    venue=st.sampled_from([None, "raydium", "meteora"]),
    min_liquidity=st.none() | limits,
    max_price=st.none() | limits,
)
common = {
    "amount_in": amounts,
    "slippage_bps": st.integers(0, 5000),
    "client_order_id": st.none() | st.text(min_size=1, max_size=20),
    "simulate": st.none() | st.just("tx_dropped:1"),
}
until = st.sampled_from([None, START + timedelta(days=1)])
specs = st.one_of(
    st.builds(a_spec, priority=st.sampled_from(Priority), **common),
    st.builds(
        a_spec,
        type=st.just(OrderType.LIMIT),
        limit_price=limits,
        time_in_force=st.sampled_from(TimeInForce),
        expires_at=until,
        **common,
    ),
    st.builds(
        a_spec,
        type=st.just(OrderType.SNIPER),
        launch=launches,
        token_out=st.just(launched_token(MINT)),
        side=st.just(Side.BUY),
        priority=st.just(Priority.HIGH),
        time_in_force=st.sampled_from([TimeInForce.GTC, TimeInForce.GTD]),
        expires_at=until,
        **common,
    ),
)


moments = st.sampled_from([None, START + timedelta(days=3)])
venues = st.sampled_from(["raydium", "meteora"])
texts = st.text(max_size=8)
failures = st.builds(Failure, st.sampled_from(FailureCode), texts)
terms = st.builds(
    OpenTerms,
    limit_price=st.none() | limits,
    time_in_force=st.none() | st.sampled_from(TimeInForce),
    expires_at=moments,
    min_amount_out=st.none() | amounts,
    mint=st.sampled_from([None, MINT]),
)
offers = st.builds(
    VenueQuote,
    price=prices,
    amount_out=amounts,
    fee=amounts,
    fee_bps=limits,
    price_impact_pct=limits,
    liquidity=limits,
)


def answers_of(venue: str) -> st.SearchStrategy[VenueAnswer]:
    """Draw an answer of a venue: a quote, a failure, or neither."""
    name = st.just(venue)
    return st.one_of(
        st.builds(VenueAnswer, name),
        st.builds(VenueAnswer, name, offers),
        st.builds(VenueAnswer, name, st.none(), failures),
    )


answers = st.tuples(answers_of("raydium"), answers_of("meteora"))
launched = st.builds(
    Launch,
    mint=st.just(MINT),
    venue=venues,
    pool=texts,
    slot=st.integers(0, 2**53),
    price=prices,
    liquidity=limits,
    at_ms=st.integers(0, 2**45),
    quote=st.sampled_from([None, "SOL"]),
)
kept_times = st.none() | st.integers(0, 2**45)
amendments = st.builds(
    Amendment,
    limit_price=st.none() | limits,
    slippage_bps=st.none() | st.integers(0, 5000),
    expires_at=moments,
)
#: The data of any event, by the status that it leads to.
event_data: dict[Status, st.SearchStrategy[EventData]] = {
    Status.PENDING: st.builds(Accepted, moments, st.none() | st.text("0123456789abcdef", min_size=32, max_size=32)),
    Status.OPEN: st.one_of(
        st.builds(Opened, terms, st.none() | st.booleans()),
        st.builds(Amended, terms, amendments),
        st.builds(LaunchRefused, launched, texts, kept_times, kept_times, st.none() | st.integers(0, 2**53)),
        st.builds(PriceMovedAway, texts, st.integers(1, 9)),
    ),
    Status.TRIGGERED: st.one_of(
        st.builds(TriggeredAtEntry), st.builds(PriceTriggered, venues, prices), st.builds(LaunchTriggered, launched)
    ),
    Status.ROUTING: st.one_of(
        st.builds(AttemptStarted, st.none() | failures), st.builds(QuotesReceived, answers, venues, texts)
    ),
    Status.BUILDING: st.builds(Building, venues, amounts, st.sampled_from([("swap",), ("wrapSol", "swap")])),
    Status.SUBMITTED: st.builds(Submitted, venues, texts),
    Status.CONFIRMED: st.builds(Confirmed, venues, texts, amounts, prices, st.none() | limits),
    Status.FAILED: st.builds(Failed, failures),
    Status.CANCELLED: st.builds(Cancelled),
    Status.EXPIRED: st.builds(Expired, st.none() | texts, st.none() | st.sampled_from(FailureCode)),
}


@st.composite
def lives(draw: st.DrawFn, max_steps: int = 12) -> Order:
    """Draw an order of any type with its first event and up to ``max_steps`` further events."""
    order = Order("5c0ffee0-0000-4000-8000-000000000001", draw(specs)).after(draw(event_data[Status.PENDING]), START)
    for step in range(draw(st.integers(0, max_steps))):
        onward = [status for status in Status if may_follow(order.spec.type, order.status, status)]
        if not onward:
            break
        status = draw(st.sampled_from(onward))
        begins = status is Status.ROUTING and draw(st.booleans())
        at = START + timedelta(milliseconds=step)
        order = order.after(draw(event_data[status]), at, next_attempt=begins)
    return order
