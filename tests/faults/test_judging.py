"""The checks of the trials detect a broken engine and a broken stream."""

from dataclasses import replace

import pytest

from chalicelib.domain.failures import AttemptFailedError
from chalicelib.domain.orders import Order
from chalicelib.ports.orders import StoredOrder
from chalicelib.services.market.trigger import Trigger, TriggerOrders
from chalicelib.services.orders import attempt
from chalicelib.services.orders.attempt import AttemptEndedError, RunAttempt
from chalicelib.services.streams.publisher import Publisher
from orderengine.testing.invariants import stream_violations
from tests.faults.effort import short_until
from tests.faults.rates import most_in_a_minute, most_in_flight
from tests.faults.result import Result
from tests.faults.trials import races
from tests.faults.trials.virtual import crash_at_every_call, stall_at_every_call
from tests.faults.virtual.injection import Fault
from tests.faults.virtual.open_orders import LIMIT


@pytest.mark.parametrize("seqs", [[1, 2, 3], [1, 1, 2, 3], [1, 2, 1, 2, 3]])
def test_a_frame_may_arrive_twice(seqs: list[int]) -> None:
    assert stream_violations(seqs, 0, 3) == []


@pytest.mark.parametrize("seqs", [[], [1, 2], [1, 3, 2], [2, 3], [1, 2, 3, 4]])
def test_a_gap_a_reordered_frame_and_a_missing_end_are_detected(seqs: list[int]) -> None:
    assert stream_violations(seqs, 0, 3)


def test_the_maximum_number_of_orders_in_flight_is_counted() -> None:
    assert most_in_flight([(0, 10), (5, 15), (9, 11), (10, 12)]) == 3


def test_the_busiest_minute_may_start_at_any_time() -> None:
    assert most_in_a_minute([0, 50_000, 59_999, 60_000, 100_000]) == 4


def test_an_engine_that_does_not_ask_the_ledger_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    def never_asks(self: RunAttempt, stored: StoredOrder, error: AttemptFailedError) -> None:
        raise AttemptEndedError(stored, error) from error

    monkeypatch.setattr(RunAttempt, "_settle", never_asks)
    assert any("I1" in one for one in crash_at_every_call(short_until("I1")).violations)


def test_an_engine_that_ignores_the_limit_price_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempt, "min_acceptable_output", lambda order, quoted: 0)
    monkeypatch.setattr(races, "ACTIONS", (races.price, races.price_leaves))
    assert any("I2" in one for one in races.one_at_every_call_of_the_other(short_until("I2")).violations)


def test_an_engine_that_trades_an_expired_order_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Order, "is_expired", lambda self, at: False)
    result = Result("one race")
    races._race({}, [(0, races.expire), (3, races.price)], 1, result)
    assert any("over since" in one for one in result.violations)


def test_an_engine_that_skips_an_order_in_a_batch_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    fire = TriggerOrders._fire

    def overlooks(self: TriggerOrders, trigger: Trigger) -> bool:
        return trigger[0].order.spec.limit_price != LIMIT + 1 and fire(self, trigger)

    monkeypatch.setattr(TriggerOrders, "_fire", overlooks)
    result = Result("one batch")
    races._batch(races.tick, {1: Fault.CRASH_BEFORE}, 2, result)
    assert any("does not come to rest" in one for one in result.violations)


def test_an_engine_that_does_not_publish_again_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    publish = Publisher.publish

    def only_the_last(self: Publisher, stored: StoredOrder) -> StoredOrder:
        return publish(self, replace(stored, published=stored.order.seq - 1))

    monkeypatch.setattr(Publisher, "publish", only_the_last)
    assert stall_at_every_call(short_until("")).violations
