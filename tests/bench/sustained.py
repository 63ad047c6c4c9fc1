"""Part A: the sustained rate as a share of the maximum of ten slots, with realistic venue latencies.

The physical limit is ten slots divided by the mean venue time of the same orders; ``slots.py`` describes how the rate
is measured. The benchmark posts all orders at once, so that the queue never runs empty.
"""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from tests.bench.errors import BenchError
from tests.bench.load import post
from tests.bench.orders import spec_of
from tests.bench.slots import Span, full_cycles, most_in_flight
from tests.bench.subject import Subject, wait_until
from tests.bench.venue_time import VenueTimes

ENVIRONMENT = {"VENUE_TIME_SCALE": "1", "RATE_LIMIT_PER_MINUTE": "0"}
SLOTS = 10
#: Fewer orders leave hardly any cycle between ramp-up and drain.
MIN_ORDERS = 3 * SLOTS
_USER = "bench-sustained"
#: A slippage wide enough that the price drift during a swap fails no order.
ORDER = {"tokenIn": "SOL", "tokenOut": "USDC", "amountIn": "1.5", "slippage": "5"}
_CLIENTS = 8
#: Upper bound of the time per order over all slots.
_SECONDS_AN_ORDER = 1.0

_SPANS = """
    select o.order_id::text, o.dex_used, o.attempts,
        extract(epoch from min(e.at) filter (where e.status = 'routing'))::float8,
        extract(epoch from max(e.at) filter (where e.status = 'confirmed'))::float8
    from orders o join order_events e using (order_id) where o.user_id = %s group by o.order_id
"""


@dataclass(frozen=True)
class Sustained:
    """Rates in orders per minute, times in seconds."""

    orders: int
    measured: int
    per_minute: float
    limit_per_minute: float
    share: float
    most_in_flight: int
    mean_venue_seconds: float
    #: Time without the venues: within an order, and between an order and the next one of its slot.
    mean_own_seconds: float
    mean_gap_seconds: float
    #: The rate from the first start to the last end, including ramp-up and drain.
    whole_run_per_minute: float


def post_all(subject: Subject, body: dict[str, Any], orders: int) -> None:
    """Post all orders at once."""
    post(subject.orders_url, body, orders, _CLIENTS)


def measure(
    subject: Subject,
    orders: int,
    user: str = _USER,
    submit: Callable[[Subject, dict[str, Any], int], None] = post_all,
) -> Sustained:
    """:raises BenchError: if an order fails, needs a second attempt or is late."""
    body: dict[str, Any] = {**ORDER, "userId": user}
    submit(subject, body, orders)
    wait_until(
        lambda: subject.confirmed(user) >= orders,
        seconds=60 + orders * _SECONDS_AN_ORDER,
        pause=0.5,
        failure=lambda: f"of {orders} orders are {subject.statuses(user)}",
    )
    spans = _spans(subject, body)
    cycles = full_cycles(spans, SLOTS)
    mean_cycle = fmean(cycle.seconds for cycle in cycles)
    mean_venue = fmean(cycle.span.venue for cycle in cycles)
    mean_order = fmean(cycle.span.ended - cycle.span.began for cycle in cycles)
    whole = max(span.ended for span in spans) - min(span.began for span in spans)
    return Sustained(
        orders=orders,
        measured=len(cycles),
        per_minute=60 * SLOTS / mean_cycle,
        limit_per_minute=60 * SLOTS / mean_venue,
        share=mean_venue / mean_cycle,
        most_in_flight=most_in_flight(spans),
        mean_venue_seconds=mean_venue,
        mean_own_seconds=mean_order - mean_venue,
        mean_gap_seconds=mean_cycle - mean_order,
        whole_run_per_minute=60 * orders / whole,
    )


def _spans(subject: Subject, body: dict[str, Any]) -> list[Span]:
    times = VenueTimes(subject.settings)
    spec = spec_of(body)
    rows = subject.query(_SPANS, body["userId"])
    if again := sum(attempts != 1 for _, _, attempts, _, _ in rows):
        raise BenchError(f"{again} orders needed a second attempt, which this measure knows nothing of")
    return [Span(began, ended, times.seconds(spec, order_id, dex)) for order_id, dex, _, began, ended in rows]
