"""The status table, compared for every pair of statuses with a second copy of the specification."""

from datetime import UTC, datetime
from itertools import product

import pytest

from chalicelib.domain.errors import IllegalTransitionError
from chalicelib.domain.events import AttemptStarted, Event
from chalicelib.domain.orders import Order
from chalicelib.domain.status import PHASES, TERMINAL, OrderType, Status, may_follow
from tests.support.event_samples import SAMPLES
from tests.support.specs import a_spec

ALLOWED = {
    None: "pending",
    "pending": "open* routing cancelled expired failed",
    "open": "open* triggered* cancelled* expired*",
    "triggered": "routing* open* cancelled* expired* failed*",
    "routing": "routing building open! failed cancelled expired*",
    "building": "submitted routing open! failed cancelled",
    "submitted": "confirmed failed routing",
    "confirmed": "",
    "failed": "",
    "cancelled": "",
    "expired": "",
}
"""``*`` for limit and sniper orders only, ``!`` for limit orders only."""


def expected(order_type: OrderType, before: Status | None, after: Status) -> bool:
    for word in ALLOWED[before.value if before else None].split():
        if word.rstrip("*!") == after.value:
            waiting = order_type is not OrderType.MARKET
            return waiting if word.endswith("*") else order_type is OrderType.LIMIT if word.endswith("!") else True
    return False


@pytest.mark.parametrize("order_type", OrderType)
@pytest.mark.parametrize(("before", "after"), list(product([None, *Status], Status)))
def test_an_order_takes_the_steps_of_the_specification_and_no_others(
    order_type: OrderType, before: Status | None, after: Status
) -> None:
    assert may_follow(order_type, before, after) is expected(order_type, before, after)


def test_no_status_follows_a_terminal_one() -> None:
    assert {status.value for status in TERMINAL} == {"confirmed", "failed", "cancelled", "expired"}
    assert not any(may_follow(kind, end, after) for kind in OrderType for end in TERMINAL for after in Status)


def test_every_status_has_a_phase() -> None:
    assert set(PHASES) == set(Status)


@pytest.mark.parametrize("seq", [0, 1, 3])
def test_an_event_out_of_sequence_is_refused(seq: int) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    order = Order.accepted("id", a_spec(), at)
    with pytest.raises(IllegalTransitionError):
        order.apply(Event(seq, 1, at, AttemptStarted()))


def test_an_order_is_the_fold_of_its_events() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    order = Order.accepted("id", a_spec(), at).after(AttemptStarted(), at, next_attempt=True)
    for status in (Status.BUILDING, Status.SUBMITTED, Status.CONFIRMED):
        order = order.after(SAMPLES[status], at)
    assert Order.replayed("id", a_spec(), order.events) == order
    assert (order.venue, order.min_amount_out, order.amount_out, order.tx_hash) == ("raydium", 5, 7, "hash")
    with pytest.raises(IllegalTransitionError):
        order.after(SAMPLES[Status.FAILED], at)
