"""A market order's life on fakes: what clients see, what the ledger holds, and what a crash leaves behind."""

import pytest

from chalicelib.codec.messages import order_message, read_order_message
from chalicelib.consumers.orders import close_dead_letters
from chalicelib.domain.status import Status
from chalicelib.ports.history import OrderFilter
from chalicelib.ports.orders import StoredOrder
from chalicelib.ports.streams import Subscriber
from tests.support.order_builders import pending
from tests.support.workbench import Workbench, a_workbench

HAPPY = ["pending", "routing", "routing", "building", "submitted", "confirmed"]


class CrashError(Exception):
    """A worker that dies at this line."""


def crash(*_: object) -> None:
    raise CrashError


@pytest.fixture
def bench() -> Workbench:
    return a_workbench()


def test_a_market_order_confirms_with_one_swap_and_its_history(bench: Workbench) -> None:
    order_id = bench.submit()
    bench.process_all()
    order = bench.order(order_id)
    assert bench.statuses(order_id) == HAPPY
    assert [fill.signature for fill in bench.ledger.swaps_of(order_id)] == [order.tx_hash]
    assert order.amount_out is not None
    assert order.min_amount_out is not None
    assert order.amount_out >= order.min_amount_out
    assert [row["orderId"] for row in bench.history.page(OrderFilter(), 10, None).orders] == [order_id]


def test_every_event_reaches_the_socket_that_sent_the_order_once_and_in_order(bench: Workbench) -> None:
    bench.submit(Subscriber("me"))
    bench.process_all()
    assert bench.sockets.updates("me") == list(enumerate(HAPPY, start=1))


def test_a_finished_order_needs_nobody_any_more(bench: Workbench) -> None:
    order_id = bench.submit()
    bench.process_all()
    stored = bench.orders.get(order_id)
    assert stored is not None
    assert stored.lease is None
    assert stored.deadline_ms is None


@pytest.mark.parametrize("fault", ["network_error:1", "venue_timeout:1", "stale_quote:2", "tx_dropped:2"])
def test_a_passing_fault_is_retried_with_the_last_error_told(bench: Workbench, fault: str) -> None:
    order_id = bench.submit(simulate=fault)
    bench.process_all()
    order = bench.order(order_id)
    failures = int(fault[-1])
    assert order.status is Status.CONFIRMED
    assert order.attempts == failures + 1
    assert len(bench.ledger.swaps_of(order_id)) == 1
    told = [event.meta["lastError"]["code"] for event in order.events if "lastError" in event.meta]
    assert told == [fault[:-2].upper()] * failures


def test_three_failed_attempts_are_the_end(bench: Workbench) -> None:
    order_id = bench.submit(simulate="network_error:9")
    bench.process_all()
    order = bench.order(order_id)
    assert (order.status, order.attempts, order.fail_code) == (Status.FAILED, 3, "NETWORK_ERROR")
    assert order.events[-1].meta["retryable"] is True
    assert bench.ledger.swaps_of(order_id) == []


def test_a_fatal_fault_fails_at_once(bench: Workbench) -> None:
    order_id = bench.submit(simulate="no_liquidity")
    bench.process_all()
    order = bench.order(order_id)
    assert (order.status, order.attempts, order.fail_code) == (Status.FAILED, 1, "NO_LIQUIDITY")


def test_a_swap_whose_answer_was_lost_is_found_on_the_ledger_and_not_sent_again(bench: Workbench) -> None:
    order_id = bench.submit(simulate="landed_reply_lost:3")
    bench.process_all()
    assert bench.statuses(order_id) == HAPPY
    assert len(bench.ledger.swaps_of(order_id)) == 1


def test_a_retry_keeps_the_minimum_that_was_promised_first(bench: Workbench) -> None:
    order_id = bench.submit(simulate="slippage:1")
    bench.process()
    promised = bench.order(order_id).min_amount_out
    bench.process_all()
    assert bench.order(order_id).min_amount_out == promised


def test_one_venue_down_is_routed_around_and_said(bench: Workbench) -> None:
    order_id = bench.submit(simulate="venue_down:raydium")
    bench.process_all()
    order = bench.order(order_id)
    assert order.status is Status.CONFIRMED
    assert order.venue == "meteora"
    assert order.quotes is not None
    assert order.quotes["degraded"] is True
    assert order.quotes["rQuote"] is None
    assert order.quotes["errors"]["raydium"]["code"] == "VENUE_UNAVAILABLE"


def test_the_same_message_twice_swaps_once(bench: Workbench) -> None:
    order_id = bench.submit()
    bench.order_queue.bodies.append(bench.order_queue.bodies[0])
    bench.process_all()
    assert bench.statuses(order_id) == HAPPY
    assert len(bench.ledger.swaps_of(order_id)) == 1


def test_in_a_leases_last_millisecond_the_next_worker_waits_for_that_and_not_for_another_lease(
    bench: Workbench,
) -> None:
    bench.submit()
    message = bench.order_queue.take()
    assert bench.engine.execute.lease(message, "lost") is not None
    bench.clock.sleep(bench.engine.settings.lease_seconds)
    assert bench.engine.execute(message, "next", lambda seconds: None) == pytest.approx(0.001)


def test_a_second_worker_waits_for_the_lease_of_the_first(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    order_id = bench.submit()
    duplicate = bench.order_queue.bodies[0]
    asked: list[float | None] = []
    land = bench.ledger.land

    def land_while_another_looks(*args: object) -> object:
        bench.order_queue.bodies.append(duplicate)
        asked.append(bench.process("other"))
        bench.order_queue.bodies.clear()
        return land(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(bench.ledger, "land", land_while_another_looks)
    bench.process("first")
    assert asked[0] == pytest.approx(bench.engine.settings.lease_seconds)
    assert bench.statuses(order_id) == HAPPY


def test_a_worker_lost_after_sending_leaves_one_swap_that_the_next_one_confirms(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = bench.submit(Subscriber("me"))
    body = bench.order_queue.bodies[0]
    land = bench.ledger.land

    def land_and_die(*args: object) -> object:
        land(*args)  # type: ignore[arg-type]
        raise CrashError

    monkeypatch.setattr(bench.ledger, "land", land_and_die)
    with pytest.raises(CrashError):
        bench.process("first")
    monkeypatch.undo()
    bench.order_queue.bodies.append(body)
    bench.clock.sleep(bench.engine.settings.lease_seconds + 1)
    bench.process("second")
    assert bench.statuses(order_id) == HAPPY
    assert len(bench.ledger.swaps_of(order_id)) == 1
    told = [seq for seq, _ in bench.sockets.updates("me")]
    # The frame that the lost worker may or may not have pushed comes again; nothing is missing or late.
    assert told == sorted(told)
    assert set(told) == {1, 2, 3, 4, 5, 6}


def test_a_worker_lost_before_sending_leaves_a_signature_that_can_no_longer_land(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = bench.submit()
    body = bench.order_queue.bodies[0]

    def die(*args: object) -> object:
        raise CrashError

    monkeypatch.setattr(bench.ledger, "land", die)
    with pytest.raises(CrashError):
        bench.process("first")
    monkeypatch.undo()
    first_signature = bench.order(order_id).tx_hash
    bench.order_queue.bodies.append(body)
    bench.clock.sleep(bench.engine.settings.lease_seconds + 1)
    bench.process_all()
    order = bench.order(order_id)
    assert order.status is Status.CONFIRMED
    assert order.attempts == 2
    assert order.tx_hash != first_signature
    assert bench.ledger.is_void(first_signature or "")
    assert len(bench.ledger.swaps_of(order_id)) == 1


def test_postgres_being_away_delays_history_and_not_the_trade(bench: Workbench) -> None:
    bench.history.down = True
    order_id = bench.submit()
    bench.process_all()
    assert bench.statuses(order_id) == HAPPY
    bench.history.down = False
    bench.clock.sleep(60)
    assert bench.engine.watchdog() == 1
    bench.process_all()
    assert [row["orderId"] for row in bench.history.page(OrderFilter(), 10, None).orders] == [order_id]
    assert bench.orders.due(bench.clock.now_ms() + 10**9, 10) == []


def test_while_postgres_is_away_the_watchdog_repeats_no_frame_and_makes_it_good_afterwards(bench: Workbench) -> None:
    bench.history.down = True
    for _ in range(3):
        bench.submit(Subscriber("me"))
    bench.process_all()
    told = len(bench.sockets.frames["me"])
    for _ in range(3):
        bench.clock.sleep(60)
        bench.engine.watchdog()
    bench.history.down = False
    bench.clock.sleep(60)
    assert bench.engine.watchdog() == 3
    assert len(bench.history.page(OrderFilter(), 10, None).orders) == 3
    assert len(bench.sockets.frames["me"]) == told
    assert bench.order_queue.bodies == []


def test_a_dead_letter_of_an_order_that_somebody_works_on_waits(bench: Workbench) -> None:
    order_id = bench.submit()
    letter = bench.order_queue.take()
    assert bench.engine.close_dead_letter(letter) == pytest.approx(bench.engine.settings.pending_deadline_seconds)
    bench.clock.sleep(bench.engine.settings.pending_deadline_seconds)
    assert bench.engine.close_dead_letter(letter) is None
    order = bench.order(order_id)
    assert (order.status, order.fail_code) == (Status.FAILED, "QUEUE_EXHAUSTED")


def test_a_dead_letter_of_an_order_whose_swap_landed_confirms_it(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = bench.submit()
    letter = bench.order_queue.bodies[0]
    land = bench.ledger.land

    def land_and_die(*args: object) -> object:
        land(*args)  # type: ignore[arg-type]
        raise CrashError

    monkeypatch.setattr(bench.ledger, "land", land_and_die)
    with pytest.raises(CrashError):
        bench.process()
    bench.order_queue.bodies.append(letter)
    bench.clock.sleep(120)
    assert bench.engine.close_dead_letter(bench.order_queue.take()) is None
    assert bench.order(order_id).status is Status.CONFIRMED


@pytest.mark.parametrize("ended_by", ["the letter", "its worker"])
def test_what_the_last_delivery_of_a_dead_letter_leaves_undone_is_the_watchdogs(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch, ended_by: str
) -> None:
    order_id = bench.submit()
    letter = read_order_message(bench.order_queue.bodies[0])
    with monkeypatch.context() as broken:
        broken.setattr(bench.history, "record", crash)
        if ended_by == "its worker":
            with pytest.raises(CrashError):
                bench.process()
        bench.clock.sleep(bench.engine.settings.pending_deadline_seconds)
        with pytest.raises(CrashError):
            bench.engine.close_dead_letter(letter)
    assert bench.order(order_id).is_terminal
    bench.clock.sleep(bench.engine.settings.deadline_grace_seconds)
    assert bench.engine.watchdog() == 1
    assert [row["orderId"] for row in bench.history.page(OrderFilter(), 10, None).orders] == [order_id]
    assert bench.orders.due(bench.clock.now_ms() + 10**9, 10) == []


@pytest.mark.parametrize("body", ["not JSON", order_message(StoredOrder(pending()))])
def test_a_dead_letter_that_no_order_can_be_closed_by_is_kept(bench: Workbench, body: str) -> None:
    record = {"messageId": "m", "receiptHandle": "r", "body": body, "attributes": {"ApproximateReceiveCount": "1"}}
    assert close_dead_letters(bench.engine, {"Records": [record]}) == {"batchItemFailures": []}
    assert bench.dead_letter_queue.kept == [body]
