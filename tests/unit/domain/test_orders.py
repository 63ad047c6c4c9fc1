"""An order changes only by events: every legal event, in sequence, and none after a terminal status."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.conditions import Amendment, TimeInForce
from chalicelib.domain.errors import IllegalTransitionError, SeqBeyondEndError
from chalicelib.domain.events import Amended, AttemptStarted, Event, OpenTerms
from chalicelib.domain.failures import FailureCode
from chalicelib.domain.money import MAX_BASE_UNITS
from chalicelib.domain.orders import Order
from chalicelib.domain.status import PHASES, TERMINAL, OrderType, Phase, Status, may_follow
from tests.support.event_samples import SAMPLES
from tests.support.open_orders import a_limit
from tests.support.order_builders import amended, confirmed, opened, quotes, triggered
from tests.support.specs import a_spec

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def moved(order: Order, status: Status, *, next_attempt: bool = False) -> Order:
    at = NOON + timedelta(seconds=order.seq)
    return order.after(SAMPLES[status], at, next_attempt=next_attempt)


def order_at(status: Status | None, order_type: OrderType = OrderType.MARKET) -> Order:
    """Return an order in this status with a single event, without the steps that lead there."""
    order = Order("id", a_spec(type=order_type))
    if status is None:
        return order
    return replace(order, status=status, events=(Event(1, 0, NOON, SAMPLES[status]),))


@pytest.mark.parametrize("order_type", OrderType)
@pytest.mark.parametrize(("before", "after"), list(product([None, *Status], Status)))
def test_an_order_takes_allowed_steps_and_refuses_others_unchanged(
    order_type: OrderType, before: Status | None, after: Status
) -> None:
    order = order_at(before, order_type)
    if may_follow(order_type, before, after):
        assert moved(order, after).status is after
    else:
        with pytest.raises(IllegalTransitionError):
            moved(order, after)
        assert order == order_at(before, order_type)


@pytest.mark.parametrize(("end", "after"), list(product(TERMINAL, Status)))
def test_a_terminal_order_never_changes_again(end: Status, after: Status) -> None:
    order = order_at(end)
    assert order.is_terminal
    with pytest.raises(IllegalTransitionError):
        moved(order, after)


@given(st.data(), st.sampled_from(OrderType))
def test_an_order_is_the_fold_of_its_events_on_every_path(data: st.DataObject, order_type: OrderType) -> None:
    order = moved(Order("id", a_spec(type=order_type)), Status.PENDING)
    for _ in range(data.draw(st.integers(0, 20))):
        steps = [status for status in Status if may_follow(order_type, order.status, status)]
        if not steps:
            break
        order = moved(order, data.draw(st.sampled_from(steps)), next_attempt=data.draw(st.booleans()))
    assert Order.replayed("id", a_spec(type=order_type), order.events) == order
    assert [event.seq for event in order.events] == list(range(1, order.seq + 1))
    assert (order.created_at, order.updated_at) == (order.events[0].at, order.events[-1].at)
    assert order.attempts == max(event.attempt for event in order.events)
    assert not any(earlier.status in TERMINAL for earlier, _ in pairwise(order.events))


@given(st.permutations(range(1, 5)))
def test_events_in_any_other_order_are_refused(seqs: list[int]) -> None:
    order = moved(moved(moved(order_at(None), Status.PENDING), Status.ROUTING), Status.ROUTING)
    events = moved(order, Status.BUILDING).events
    shuffled = tuple(events[seq - 1] for seq in seqs)
    if shuffled == events:
        assert Order.replayed("id", order.spec, shuffled).seq == 4
    else:
        with pytest.raises(IllegalTransitionError):
            Order.replayed("id", order.spec, shuffled)


def test_an_event_applied_twice_is_refused_the_second_time() -> None:
    order = moved(moved(order_at(None), Status.PENDING), Status.ROUTING)
    # The status may follow itself, so the sequence number alone identifies the duplicate.
    with pytest.raises(IllegalTransitionError):
        order.apply(order.events[-1])


@pytest.mark.parametrize("attempt", [-1, 0, 3, 99])
def test_an_attempt_out_of_sequence_is_refused(attempt: int) -> None:
    first = moved(moved(order_at(None), Status.PENDING), Status.ROUTING, next_attempt=True)
    with pytest.raises(IllegalTransitionError):
        first.apply(Event(3, attempt, NOON, AttemptStarted()))
    for same_or_next in (1, 2):
        assert first.apply(Event(3, same_or_next, NOON, AttemptStarted())).attempts == same_or_next


@pytest.mark.parametrize("after", [Status.ROUTING, Status.FAILED])
def test_the_signature_of_a_transaction_that_did_not_land_is_cleared(after: Status) -> None:
    sent = moved(moved(order_at(Status.ROUTING), Status.BUILDING), Status.SUBMITTED)
    assert (sent.venue, sent.tx_hash) == ("raydium", "hash")
    given_up = moved(sent, after)
    assert (given_up.venue, given_up.tx_hash, given_up.min_amount_out) == (None, None, 5)


def test_a_failed_order_has_its_reason_and_no_outcome() -> None:
    order = moved(moved(order_at(None), Status.PENDING), Status.FAILED)
    assert (order.fail_code, order.fail_reason) == (FailureCode.NO_LIQUIDITY, "the pool is empty")
    assert (order.tx_hash, order.amount_out, order.executed_price, order.quotes) == (None, None, None, None)


def test_an_order_has_the_quotes_of_its_routing() -> None:
    pending = moved(order_at(None), Status.PENDING)
    begun = moved(pending, Status.ROUTING, next_attempt=True)
    decision = quotes()
    assert begun.quotes is None
    assert begun.after(decision, NOON).quotes == decision


def test_an_order_without_events_has_no_status() -> None:
    with pytest.raises(IllegalTransitionError):
        assert order_at(None).phase


@pytest.mark.parametrize("amount", [0, -1, MAX_BASE_UNITS + 1])
def test_an_amount_that_exceeds_a_token_account_is_refused(amount: int) -> None:
    with pytest.raises(ValueError, match="base units"):
        a_spec(amount_in=amount)


def test_each_status_has_the_phase_that_the_contract_names() -> None:
    phases = {
        Phase.QUEUED: "pending open triggered",
        Phase.PROCESSING: "routing building submitted",
        Phase.COMPLETED: "confirmed",
        Phase.FAILED: "failed",
        Phase.CANCELLED: "cancelled",
        Phase.EXPIRED: "expired",
    }
    assert {Status(name): phase for phase, names in phases.items() for name in names.split()} == PHASES


def test_an_order_is_at_each_seq_as_it_was_then() -> None:
    lives = [opened(a_limit("160.5", slippage_bps=100))]
    tolerance, expiry = Amendment(slippage_bps=50), Amendment(expires_at=NOON + timedelta(days=2))
    lives.append(amended(lives[-1], "170"))
    lives.append(lives[-1].after(Amended(OpenTerms(), tolerance), NOON))
    lives.append(lives[-1].after(Amended(OpenTerms(expires_at=expiry.expires_at), expiry), NOON))
    lives.append(triggered(lives[-1]))
    last = confirmed(lives[-1])
    for order in lives:
        then = last.at_seq(order.seq)
        assert (then, then.placed_spec) == (order, lives[0].spec)
    assert [last.at_seq(seq).spec.slippage_bps for seq in (2, 3, 4)] == [100, 100, 50]
    assert [last.at_seq(seq).spec.time_in_force for seq in (4, 5)] == [TimeInForce.GTC, TimeInForce.GTD]
    assert last.at_seq(1).status is Status.PENDING
    assert last.at_seq(last.seq) == last


def test_an_order_is_at_no_seq_that_it_has_not_reached() -> None:
    order = opened(a_limit())
    with pytest.raises(SeqBeyondEndError) as refused:
        order.at_seq(3)
    assert refused.value.last_seq == 2
