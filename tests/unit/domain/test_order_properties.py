"""Properties of any sequence of events: legal steps, complete events, and none after a terminal status."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.errors import IllegalTransitionError
from chalicelib.domain.events import AttemptStarted, Building, Event
from chalicelib.domain.failures import Failure, FailureCode
from chalicelib.domain.money import MAX_BASE_UNITS
from chalicelib.domain.orders import Order
from chalicelib.domain.status import Status, may_follow
from chalicelib.domain.tokens import BY_SYMBOL
from tests.support.event_samples import SAMPLES
from tests.support.specs import a_spec
from tests.unit.order_strategies import lives

AT = datetime(2026, 1, 1, tzinfo=UTC)


@given(lives())
def test_an_order_read_back_from_its_events_is_the_order(order: Order) -> None:
    assert Order.replayed(order.order_id, order.spec, order.events) == order


@given(lives())
def test_events_are_numbered_from_one_without_gap_and_the_last_one_gives_the_status(order: Order) -> None:
    assert [event.seq for event in order.events] == list(range(1, order.seq + 1))
    last = order.events[-1]
    assert (order.status, order.phase, order.attempts) == (last.status, last.phase, last.attempt)
    assert (order.created_at, order.updated_at) == (order.events[0].at, last.at)


@given(lives(), st.sampled_from(Status))
def test_the_status_table_decides_every_step(order: Order, status: Status) -> None:
    before = order.events
    if may_follow(order.spec.type, order.status, status):
        assert order.after(SAMPLES[status], AT).status is status
    else:
        with pytest.raises(IllegalTransitionError):
            order.after(SAMPLES[status], AT)
    assert order.events == before


@given(lives(), st.integers(-1, 20), st.sampled_from(Status))
def test_an_event_that_is_not_the_next_one_is_refused(order: Order, seq: int, status: Status) -> None:
    if seq != order.seq + 1:
        with pytest.raises(IllegalTransitionError):
            order.apply(Event(seq, order.attempts, AT, SAMPLES[status]))


def test_a_retry_raises_the_attempt_and_keeps_the_minimum_that_was_promised() -> None:
    order = Order.accepted("id", a_spec(), AT).after(AttemptStarted(), AT, next_attempt=True)
    order = order.after(Building("raydium", 5), AT)
    failure = Failure(FailureCode.STALE_QUOTE, "the quote is too old")
    again = order.after(AttemptStarted(failure), AT, next_attempt=True)
    assert (again.attempts, again.min_amount_out) == (2, 5)


@pytest.mark.parametrize("amount", [1, MAX_BASE_UNITS])
def test_any_amount_that_a_token_account_can_hold_is_accepted(amount: int) -> None:
    assert a_spec(amount_in=amount).amount_in == amount


def test_two_tokens_without_a_market_make_no_pair() -> None:
    with pytest.raises(LookupError, match="BONK and JUP"):
        _ = a_spec(token_in=BY_SYMBOL["BONK"], token_out=BY_SYMBOL["JUP"]).pair
