"""Lives that an order may have, for property tests: any walk that the status table allows."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from chalicelib.domain.conditions import LaunchTerms, TimeInForce
from chalicelib.domain.money import MAX_BASE_UNITS
from chalicelib.domain.orders import Order, Priority
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


@st.composite
def metas(draw: st.DrawFn, status: Status) -> dict[str, Any]:
    """What an event of this status tells, as the services write it."""
    dex, tx_hash = draw(st.sampled_from(["raydium", "meteora"])), draw(st.text(max_size=8))
    match status:
        case Status.ROUTING if draw(st.booleans()):
            return {"rQuote": {"price": draw(prices)}, "mQuote": None, "chosen": dex, "reason": "better"}
        case Status.OPEN:
            begun = {"minAmountOutBase": str(draw(amounts)), "expiresAt": "2026-01-31T12:00:00.000Z"}
            again = {"reason": "the price left", "rearmed": draw(st.integers(1, 9))}
            amended = {"amended": {"limitPrice": draw(limits), "slippageBps": 7}}
            refused = {"reason": "too small", "launchId": "a#b#1"}
            return draw(st.sampled_from([begun, again, amended, refused]))
        case Status.BUILDING:
            return {"dex": dex, "minAmountOutBase": str(draw(amounts))}
        case Status.SUBMITTED:
            return {"dex": dex, "txHash": tx_hash}
        case Status.CONFIRMED:
            fill = {"amountOutBase": str(draw(amounts)), "executedPrice": draw(prices)}
            return {"dex": dex, "txHash": tx_hash} | fill
        case Status.FAILED:
            return {"code": "NETWORK_ERROR", "reason": draw(st.text(max_size=8))}
        case _:
            return {}


@st.composite
def lives(draw: st.DrawFn, max_steps: int = 12) -> Order:
    """An order of any type after some steps; at least its first event is there."""
    order = Order("5c0ffee0-0000-4000-8000-000000000001", draw(specs)).moved(Status.PENDING, START)
    for step in range(draw(st.integers(0, max_steps))):
        onward = [status for status in Status if may_follow(order.spec.type, order.status, status)]
        if not onward:
            break
        status = draw(st.sampled_from(onward))
        begins = status is Status.ROUTING and draw(st.booleans())
        at = START + timedelta(milliseconds=step)
        order = order.moved(status, at, draw(metas(status)), next_attempt=begins)
    return order
