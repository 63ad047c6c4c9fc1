"""Any life that the status table allows, with any data in its events, has an explanation."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.api.responses.explanations import explanation_body
from chalicelib.codec.exact_json import dumps
from chalicelib.domain.events import QuotesReceived
from chalicelib.domain.orders import Order
from chalicelib.services.orders.explain.explain_order import ExplainOrder
from chalicelib.services.orders.explain.explanation import Change
from chalicelib.services.orders.explain.past_orders import orders_before
from orderengine.testing.fakes.orders import FakeOrderStore
from tests.support.callers import ANYONE
from tests.support.workbench import a_workbench
from tests.unit.order_strategies import START, lives

EXPLAIN = a_workbench().engine.explain


def explained(order: Order, later: timedelta) -> ExplainOrder:
    store = FakeOrderStore(lambda: 0)
    store.create(order, deadline_ms=0)
    now = START + later
    return replace(EXPLAIN, orders=store, now=lambda: now)


@settings(deadline=None, max_examples=50)
@given(lives(), st.sampled_from([timedelta(seconds=1), timedelta(minutes=3), timedelta(days=40)]))
def test_any_order_is_explained_and_each_event_has_a_sentence(order: Order, later: timedelta) -> None:
    explanation = explained(order, later)(ANYONE, order.order_id)
    assert [step.event for step in explanation.story] == list(order.events)
    assert all(step.text.endswith(".") for step in explanation.story)
    assert explanation.summary.endswith(".")
    body = explanation_body(explanation)
    assert dumps(body)
    routed = [event.seq for event in order.events if isinstance(event.data, QuotesReceived)]
    assert [decision["seq"] for attempt in body["attempts"] for decision in attempt["decisions"]] == routed
    assert len(explanation.counterfactuals) <= len(Change)


@settings(deadline=None, max_examples=300)
@given(lives())
def test_the_order_before_each_event_has_the_terms_of_then(order: Order) -> None:
    before = orders_before(order)
    assert before[0].spec == order.placed_spec
    assert before[1:] == [order.at_seq(seq) for seq in range(1, order.seq)]


@settings(deadline=None, max_examples=50)
@given(lives())
def test_the_attempts_cover_the_events_of_execution_once(order: Order) -> None:
    attempts = explained(order, timedelta(seconds=1))(ANYONE, order.order_id).attempts
    numbers = [event.seq for attempt in attempts for event in attempt.events]
    # The event that begins a retry also ends the attempt before it.
    assert sorted(set(numbers)) == list(dict.fromkeys(numbers))
