"""Contention: every loop of conditional writes is bounded, and an order that the engine gives back is not lost."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest

from chalicelib.api.problems import problem_of
from chalicelib.bootstrap import build_engine
from chalicelib.consumers.orders import process_orders
from chalicelib.domain.conditions import Amendment
from chalicelib.domain.errors import ContendedError
from chalicelib.domain.events import Amended, OpenTerms
from chalicelib.domain.orders import Order
from chalicelib.domain.rate_limit import SlotReservation
from chalicelib.domain.spec import Priority
from chalicelib.domain.status import Status
from chalicelib.http.responses import problem_response
from chalicelib.ports.orders import Lease, StoredOrder
from chalicelib.ports.streams import Subscriber
from chalicelib.runtime import Runtime
from chalicelib.services.orders.amend import MAX_AMEND_TRIES
from chalicelib.services.orders.cancel import MAX_CANCEL_TRIES
from orderengine.testing.fakes.open_orders import FakeOpenOrderIndex
from orderengine.testing.fakes.orders import FakeOrderStore
from orderengine.testing.fakes.rate_limit import FakeRateLimitSlots
from tests.support.callers import ANYONE
from tests.support.open_orders import a_limit, accept, push
from tests.support.specs import a_spec
from tests.support.workbench import Workbench, a_workbench


class ContendedOrderStore(FakeOrderStore):
    """A rival writer amends the order ``contended`` right before each write to it, ``races`` times."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        super().__init__(now_ms)
        self.contended = ""
        self.races = 0
        self.tries = 0

    def write(
        self,
        before: StoredOrder,
        after: Order,
        *,
        lease: Lease | None,
        deadline_ms: int | None,
        over_lease: bool = False,
    ) -> StoredOrder:
        if after.order_id == self.contended:
            self.tries += 1
            if self.tries <= self.races:
                self._amend_first(after)
        return super().write(before, after, lease=lease, deadline_ms=deadline_ms, over_lease=over_lease)

    def _amend_first(self, after: Order) -> None:
        stored = self.get(after.order_id)
        assert stored is not None
        rival = stored.order.after(Amended(OpenTerms(), Amendment(slippage_bps=self.tries)), after.events[-1].at)
        super().write(stored, rival, lease=None, deadline_ms=stored.deadline_ms)


class ContendedSlots(FakeRateLimitSlots):
    """Other writers win every race for a slot while ``contended`` is set."""

    def __init__(self, slots: int) -> None:
        super().__init__(slots)
        self.contended = False

    def reserve(self, now_ms: int, latest_ms: int | None = None) -> SlotReservation:
        self._race()
        return super().reserve(now_ms, latest_ms)

    def reserve_ahead(self, now_ms: int, spare_due: bool = False) -> SlotReservation:
        self._race()
        return super().reserve_ahead(now_ms, spare_due)

    def _race(self) -> None:
        if self.contended:
            raise ContendedError("rate limit slots")


def with_adapters(bench: Workbench, **adapters: Any) -> Workbench:
    """The workbench with other adapters under its engine."""
    changed = replace(bench, **adapters)
    runtime = Runtime(bench.clock.now, bench.clock.sleep)
    return replace(changed, engine=build_engine(bench.engine.settings, changed.adapters, runtime))


def assert_unavailable(error: ContendedError) -> None:
    """The client receives 503 and may try again."""
    problem = problem_of(error)
    assert (problem.status, problem.code, problem.retry_after) == (503, "UNAVAILABLE", 5)
    response = problem_response(problem, "request")
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")


# --- cancel and amend --------------------------------------------------------------------------------------


@dataclass
class Contention:
    """A workbench with an open limit order for which a rival writer competes."""

    bench: Workbench
    store: ContendedOrderStore
    order_id: str

    def start(self, races: int) -> None:
        self.store.contended, self.store.races, self.store.tries = self.order_id, races, 0

    def cancel(self) -> Order:
        return self.bench.engine.cancel(ANYONE, self.order_id)

    def amend(self, seq: int | None = None) -> Order:
        seqs = None if seq is None else {seq}
        return self.bench.engine.amend(ANYONE, self.order_id, Amendment(limit_price=Decimal(130)), seqs)


@pytest.fixture
def contention() -> Contention:
    bench = a_workbench()
    store = ContendedOrderStore(bench.clock.now_ms)
    bench = with_adapters(bench, orders=store, open_order_index=FakeOpenOrderIndex(store))
    push(bench, 100)
    order_id = bench.engine.submit(ANYONE, a_limit(110), subscriber=Subscriber("me")).order_id
    return Contention(bench, store, order_id)


@pytest.mark.parametrize(("change", "max_tries"), [("cancel", MAX_CANCEL_TRIES), ("amend", MAX_AMEND_TRIES)])
def test_a_change_that_loses_every_race_gives_up_after_its_maximum_of_tries(
    contention: Contention, change: str, max_tries: int
) -> None:
    contention.start(races=10 * max_tries)
    with pytest.raises(ContendedError) as caught:
        getattr(contention, change)()
    assert contention.store.tries == max_tries
    assert_unavailable(caught.value)
    order = contention.bench.order(contention.order_id)
    assert (order.status, order.spec.limit_price) == (Status.OPEN, Decimal(110))
    assert order.seq == 2 + max_tries, "the order has the rival's events only"
    assert contention.bench.sockets.updates("me") == [(1, "pending"), (2, "open")]


@pytest.mark.parametrize(("change", "max_tries"), [("cancel", MAX_CANCEL_TRIES), ("amend", MAX_AMEND_TRIES)])
def test_a_change_may_win_with_its_last_try(contention: Contention, change: str, max_tries: int) -> None:
    contention.start(races=max_tries - 1)
    changed = getattr(contention, change)()
    assert contention.store.tries == max_tries
    order = contention.bench.order(contention.order_id)
    assert order == changed
    assert order.seq == 2 + max_tries
    assert (order.status, order.spec.limit_price) == (
        (Status.CANCELLED, Decimal(110)) if change == "cancel" else (Status.OPEN, Decimal(130))
    )
    assert order.spec.slippage_bps == max_tries - 1, "the rival's changes are kept"
    assert contention.bench.sockets.updates("me") == [
        (event.seq, event.status.value) for event in contention.bench.order(contention.order_id).events
    ]


def test_a_change_after_the_contention_succeeds(contention: Contention) -> None:
    contention.start(races=10 * MAX_CANCEL_TRIES)
    for change in (contention.cancel, contention.amend):
        with pytest.raises(ContendedError):
            change()
    contention.start(races=0)
    assert contention.amend().spec.limit_price == Decimal(130)
    assert contention.cancel().status is Status.CANCELLED


def test_cancelling_all_orders_skips_a_contended_order(contention: Contention) -> None:
    other = accept(contention.bench, a_limit(120))
    contention.start(races=10 * MAX_CANCEL_TRIES)
    result = contention.bench.engine.cancel.all_of(ANYONE, "tester")
    assert [order.order_id for order in result.cancelled] == [other]
    assert (result.too_late, contention.bench.order(contention.order_id).status) == ([], Status.OPEN)
    assert result.more


# --- the slots of the rate limit ---------------------------------------------------------------------------


def limited() -> tuple[Workbench, ContendedSlots]:
    bench = a_workbench(rate_limit_per_minute=2)
    slots = ContendedSlots(2)
    return with_adapters(bench, rate_limit_slots=slots), slots


def deliver(bench: Workbench) -> list[str]:
    """Invoke the processor with the first message of the orders queue; the ids that SQS must deliver again."""
    record = {
        "messageId": "m",
        "receiptHandle": "r",
        "body": bench.order_queue.bodies[0],
        "attributes": {
            "SentTimestamp": "1000",
            "ApproximateFirstReceiveTimestamp": "1000",
            "ApproximateReceiveCount": "1",
        },
    }
    return [
        failed["itemIdentifier"]
        for failed in process_orders(bench.engine, {"Records": [record]})["batchItemFailures"]
    ]


def test_a_new_order_that_finds_the_slots_contended_is_refused_and_its_key_stays_free() -> None:
    bench, slots = limited()
    slots.contended = True
    with pytest.raises(ContendedError) as caught:
        bench.engine.submit(ANYONE, a_spec(), idempotency_key="k")
    assert_unavailable(caught.value)
    assert (bench.orders.writes, bench.order_queue.bodies) == (0, [])
    slots.contended = False
    submission = bench.engine.submit(ANYONE, a_spec(), idempotency_key="k")
    assert not submission.replayed
    bench.process_all()
    assert bench.order(submission.order_id).status is Status.CONFIRMED


@pytest.mark.parametrize("kind", ["high-priority order", "triggered limit order"])
def test_the_processor_asks_for_redelivery_while_the_slots_are_contended_and_loses_nothing(kind: str) -> None:
    """A worker reserves the slot of either kind of order right before it starts the order."""
    bench, slots = limited()
    push(bench, 100)
    spec = a_spec(priority=Priority.HIGH) if kind == "high-priority order" else a_limit(110)
    order_id = bench.engine.submit(ANYONE, spec, subscriber=Subscriber("me")).order_id
    push(bench, 130)
    # The second message of a high-priority order would start it first.
    bench.high_priority_queue.bodies.clear()
    before = bench.orders.get(order_id)
    slots.contended = True
    lease_seconds = bench.engine.settings.lease_seconds
    assert deliver(bench) == ["m"]
    assert bench.order_queue.held[-1] == ("r", lease_seconds)
    assert bench.process() == lease_seconds
    assert bench.orders.get(order_id) == before, "status, deadline and lease are unchanged"
    assert bench.ledger.swaps_of(order_id) == []

    slots.contended = False
    bench.clock.sleep(lease_seconds)
    bench.process_all()
    order = bench.order(order_id)
    assert (order.status, order.attempts) == (Status.CONFIRMED, 1)
    assert len(bench.ledger.swaps_of(order_id)) == 1
    assert bench.sockets.updates("me") == [(event.seq, event.status.value) for event in order.events]


def test_an_order_whose_delayed_slot_is_contended_keeps_its_reservation() -> None:
    """A slot that is delayed too long makes the order reserve again, which fails here."""
    bench, slots = limited()
    order_id = bench.submit()
    before = bench.orders.get(order_id)
    assert before is not None
    assert before.reservation is not None
    # Other orders use both slots right before the message arrives, so the reservation must be made again.
    bench.clock.sleep(31)
    for number in range(2):
        assert slots.start(SlotReservation(number, 0, ahead=True), "other", bench.clock.now_ms())
    slots.contended = True
    assert bench.process() == bench.engine.settings.lease_seconds
    assert bench.orders.get(order_id) == before
    slots.contended = False
    bench.process_all()
    assert bench.order(order_id).status is Status.CONFIRMED
