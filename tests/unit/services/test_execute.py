"""Execution of market orders on fakes: frames, ledger and history, also after faults and crashes."""

import pytest

from chalicelib.api.meta import meta_of
from chalicelib.api.quotes import route_body
from chalicelib.codec.messages import order_message, read_order_message
from chalicelib.consumers.orders import close_dead_letters
from chalicelib.domain.events import AttemptStarted, Failed, VenueAnswer
from chalicelib.domain.failures import FATAL, Failure, FailureCode
from chalicelib.domain.status import Status
from chalicelib.domain.swaps import Fill
from chalicelib.ports.history import OrderFilter
from chalicelib.ports.orders import StoredOrder
from chalicelib.ports.streams import Connection, Subscriber
from tests.support.open_orders import a_limit, accept, push
from tests.support.order_builders import pending
from tests.support.workbench import Workbench, a_workbench

CONFIRMED = ["pending", "routing", "routing", "building", "submitted", "confirmed"]


class CrashError(Exception):
    """Ends a worker process."""


def crash(*_: object) -> None:
    raise CrashError


def listed(bench: Workbench) -> list[str]:
    return [order.order_id for order in bench.history.page(OrderFilter(), 10, None).orders]


@pytest.fixture
def bench() -> Workbench:
    return a_workbench()


def test_a_market_order_confirms_with_one_swap_and_its_history(bench: Workbench) -> None:
    order_id = bench.submit()
    bench.process_all()
    order = bench.order(order_id)
    assert bench.statuses(order_id) == CONFIRMED
    assert [fill.signature for fill in bench.ledger.swaps_of(order_id)] == [order.tx_hash]
    assert order.amount_out is not None
    assert order.min_amount_out is not None
    assert order.amount_out >= order.min_amount_out
    assert listed(bench) == [order_id]


def test_the_connection_that_sent_the_order_receives_every_event_once_and_in_order(bench: Workbench) -> None:
    bench.submit(Subscriber("me"))
    bench.process_all()
    assert bench.sockets.updates("me") == list(enumerate(CONFIRMED, start=1))


def test_a_recorded_terminal_order_has_neither_lease_nor_deadline(bench: Workbench) -> None:
    order_id = bench.submit()
    bench.process_all()
    stored = bench.orders.get(order_id)
    assert stored is not None
    assert stored.lease is None
    assert stored.deadline_ms is None


@pytest.mark.parametrize("fault", ["network_error:1", "venue_timeout:1", "stale_quote:2", "tx_dropped:2"])
def test_a_transient_failure_is_retried_and_each_retry_names_it(bench: Workbench, fault: str) -> None:
    order_id = bench.submit(simulate=fault)
    bench.process_all()
    order = bench.order(order_id)
    failures = int(fault[-1])
    assert order.status is Status.CONFIRMED
    assert order.attempts == failures + 1
    assert len(bench.ledger.swaps_of(order_id)) == 1
    causes = [
        event.data.last_failure
        for event in order.events
        if isinstance(event.data, AttemptStarted) and event.data.last_failure
    ]
    assert [cause.code.value for cause in causes] == [fault[:-2].upper()] * failures
    metas = [meta_of(order.spec, event) for event in order.events]
    shown = [meta["lastError"]["code"] for meta in metas if "lastError" in meta]
    assert shown == [fault[:-2].upper()] * failures


def test_an_order_fails_after_three_attempts(bench: Workbench) -> None:
    order_id = bench.submit(simulate="network_error:9")
    bench.process_all()
    order = bench.order(order_id)
    assert (order.status, order.attempts, order.fail_code) == (Status.FAILED, 3, "NETWORK_ERROR")
    failed = order.events[-1].data
    assert isinstance(failed, Failed)
    assert failed.failure.code not in FATAL
    assert meta_of(order.spec, order.events[-1])["retryable"] is True
    assert bench.ledger.swaps_of(order_id) == []


def test_a_fatal_failure_ends_the_order_at_once(bench: Workbench) -> None:
    order_id = bench.submit(simulate="no_liquidity")
    bench.process_all()
    order = bench.order(order_id)
    assert (order.status, order.attempts, order.fail_code) == (Status.FAILED, 1, "NO_LIQUIDITY")


def test_a_swap_whose_answer_is_lost_is_found_in_the_ledger_and_not_sent_again(bench: Workbench) -> None:
    order_id = bench.submit(simulate="landed_reply_lost:3")
    bench.process_all()
    assert bench.statuses(order_id) == CONFIRMED
    assert len(bench.ledger.swaps_of(order_id)) == 1


def test_a_retry_keeps_the_minimum_output_of_the_first_attempt(bench: Workbench) -> None:
    order_id = bench.submit(simulate="slippage:1")
    bench.process()
    minimum = bench.order(order_id).min_amount_out
    bench.process_all()
    assert bench.order(order_id).min_amount_out == minimum


def test_the_router_goes_around_a_venue_that_is_down_and_the_quotes_show_it(bench: Workbench) -> None:
    order_id = bench.submit(simulate="venue_down:raydium")
    bench.process_all()
    order = bench.order(order_id)
    assert order.status is Status.CONFIRMED
    assert order.venue == "meteora"
    assert order.quotes is not None
    assert order.quotes.is_degraded
    down = Failure(FailureCode.VENUE_UNAVAILABLE, "raydium is down", at_ms=bench.clock.now_ms())
    assert order.quotes.answers[0] == VenueAnswer("raydium", failure=down)
    body = route_body(order.quotes, order.spec.token_in, order.spec.token_out)
    assert body["degraded"] is True
    assert body["rQuote"] is None
    assert body["errors"]["raydium"]["code"] == "VENUE_UNAVAILABLE"


def test_a_duplicate_message_makes_no_second_swap(bench: Workbench) -> None:
    order_id = bench.submit()
    bench.order_queue.bodies.append(bench.order_queue.bodies[0])
    bench.process_all()
    assert bench.statuses(order_id) == CONFIRMED
    assert len(bench.ledger.swaps_of(order_id)) == 1


def test_in_the_last_millisecond_of_a_lease_the_next_worker_waits_for_one_millisecond_only(bench: Workbench) -> None:
    bench.submit()
    message = bench.order_queue.bodies[0]
    assert bench.lease("lost")
    bench.order_queue.bodies.append(message)
    bench.clock.sleep(bench.engine.settings.lease_seconds)
    assert bench.engine.execute(bench.order_queue.take(), "next", lambda seconds: None) == pytest.approx(0.001)


def test_a_second_worker_waits_for_the_lease_of_the_first(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    order_id = bench.submit()
    duplicate = bench.order_queue.bodies[0]
    pauses: list[float | None] = []
    land = bench.ledger.land

    def land_while_another_worker_tries(fill: Fill) -> Fill:
        bench.order_queue.bodies.append(duplicate)
        pauses.append(bench.process("other"))
        bench.order_queue.bodies.clear()
        return land(fill)

    monkeypatch.setattr(bench.ledger, "land", land_while_another_worker_tries)
    bench.process("first")
    assert pauses[0] == pytest.approx(bench.engine.settings.lease_seconds)
    assert bench.statuses(order_id) == CONFIRMED


def test_if_a_worker_dies_after_sending_the_next_one_confirms_its_swap(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = bench.submit(Subscriber("me"))
    body = bench.order_queue.bodies[0]
    land = bench.ledger.land

    def land_and_die(fill: Fill) -> Fill:
        land(fill)
        raise CrashError

    monkeypatch.setattr(bench.ledger, "land", land_and_die)
    with pytest.raises(CrashError):
        bench.process("first")
    monkeypatch.undo()
    bench.order_queue.bodies.append(body)
    bench.clock.sleep(bench.engine.settings.lease_seconds + 1)
    bench.process("second")
    assert bench.statuses(order_id) == CONFIRMED
    assert len(bench.ledger.swaps_of(order_id)) == 1
    seqs = [seq for seq, _ in bench.sockets.updates("me")]
    # The frames that the dead worker may or may not have pushed arrive again; none comes before its predecessor.
    assert list(dict.fromkeys(seqs)) == [1, 2, 3, 4, 5, 6]


def test_if_a_worker_dies_before_sending_its_signature_can_no_longer_land(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = bench.submit()
    body = bench.order_queue.bodies[0]
    monkeypatch.setattr(bench.ledger, "land", crash)
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


def test_without_postgres_the_order_trades_and_its_history_follows_later(bench: Workbench) -> None:
    bench.history.down = True
    order_id = bench.submit()
    bench.process_all()
    assert bench.statuses(order_id) == CONFIRMED
    bench.history.down = False
    bench.clock.sleep(60)
    assert bench.engine.watchdog() == 1
    bench.process_all()
    assert listed(bench) == [order_id]
    assert bench.orders.due(bench.clock.now_ms() + 10**9, 10) == []


def test_without_postgres_the_watchdog_repeats_no_frame_and_records_the_history_later(bench: Workbench) -> None:
    bench.history.down = True
    for _ in range(3):
        bench.submit(Subscriber("me"))
    bench.process_all()
    pushed = len(bench.sockets.frames["me"])
    for _ in range(3):
        bench.clock.sleep(60)
        bench.engine.watchdog()
    bench.history.down = False
    bench.clock.sleep(60)
    assert bench.engine.watchdog() == 3
    assert len(listed(bench)) == 3
    assert len(bench.sockets.frames["me"]) == pushed
    assert bench.order_queue.bodies == []


@pytest.mark.parametrize("triggered", [False, True])
def test_an_order_whose_workers_are_killed_one_after_another_is_queued_again(
    bench: Workbench, triggered: bool
) -> None:
    """Five receives may pass within two minutes, which is no reason to fail an order."""
    push(bench, 100)
    order_id = accept(bench, a_limit(110)) if triggered else bench.submit()
    if triggered:
        bench.clock.sleep(86_400)
        push(bench, 120)
    bench.clock.sleep(bench.engine.settings.min_exhaustion_seconds - 1)
    assert bench.engine.close_dead_letter(bench.order_queue.take()) is None
    bench.process_all()
    assert bench.order(order_id).status is Status.CONFIRMED


def test_a_dead_letter_waits_for_the_deadline_of_its_order(bench: Workbench) -> None:
    order_id = bench.submit()
    letter = bench.order_queue.take()
    bench.clock.sleep(bench.engine.settings.min_exhaustion_seconds)
    # The watchdog sends the order again, which moves its deadline.
    bench.engine.watchdog()
    left = bench.engine.close_dead_letter(letter)
    assert left == pytest.approx(bench.engine.settings.min_exhaustion_seconds)
    bench.clock.sleep(bench.engine.settings.min_exhaustion_seconds)
    assert bench.engine.close_dead_letter(letter) is None
    order = bench.order(order_id)
    assert (order.status, order.fail_code) == (Status.FAILED, "QUEUE_EXHAUSTED")


def test_a_watchdog_that_sends_an_order_again_and_again_does_not_keep_it_from_its_end(bench: Workbench) -> None:
    order_id = bench.submit()
    letter = bench.order_queue.take()
    until = bench.clock.now_ms() + 2 * bench.engine.settings.min_exhaustion_seconds * 1000
    while bench.clock.now_ms() < until:
        bench.clock.sleep(10)
        bench.engine.watchdog()
    assert bench.engine.close_dead_letter(letter) is None
    assert bench.order(order_id).fail_code == "QUEUE_EXHAUSTED"


def test_a_dead_letter_waits_for_the_worker_that_holds_the_order(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = bench.submit()
    letter = bench.order_queue.bodies[0]
    bench.clock.sleep(2 * bench.engine.settings.min_exhaustion_seconds)
    monkeypatch.setattr(bench.ledger, "land", crash)
    with pytest.raises(CrashError):
        bench.process()
    left = bench.engine.close_dead_letter(read_order_message(letter))
    assert left is not None
    assert left >= bench.engine.settings.lease_seconds
    assert not bench.order(order_id).is_terminal


def test_a_dead_letter_confirms_an_order_whose_swap_landed(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    order_id = bench.submit()
    letter = bench.order_queue.bodies[0]
    land = bench.ledger.land

    def land_and_die(fill: Fill) -> Fill:
        land(fill)
        raise CrashError

    monkeypatch.setattr(bench.ledger, "land", land_and_die)
    with pytest.raises(CrashError):
        bench.process()
    bench.order_queue.bodies.append(letter)
    bench.clock.sleep(bench.engine.settings.min_exhaustion_seconds)
    assert bench.engine.close_dead_letter(bench.order_queue.take()) is None
    assert bench.order(order_id).status is Status.CONFIRMED


@pytest.mark.parametrize("ended_by", ["the letter", "its worker"])
def test_the_watchdog_finalizes_an_order_whose_last_dead_letter_delivery_crashed(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch, ended_by: str
) -> None:
    order_id = bench.submit()
    letter = read_order_message(bench.order_queue.bodies[0])
    with monkeypatch.context() as broken:
        broken.setattr(bench.history, "record", crash)
        if ended_by == "its worker":
            with pytest.raises(CrashError):
                bench.process()
        bench.clock.sleep(bench.engine.settings.min_exhaustion_seconds)
        with pytest.raises(CrashError):
            bench.engine.close_dead_letter(letter)
    assert bench.order(order_id).is_terminal
    bench.clock.sleep(bench.engine.settings.deadline_grace_seconds)
    assert bench.engine.watchdog() == 1
    assert listed(bench) == [order_id]
    assert bench.orders.due(bench.clock.now_ms() + 10**9, 10) == []


@pytest.mark.parametrize("body", ["not JSON", order_message(StoredOrder(pending()))])
def test_a_dead_letter_that_closes_no_order_moves_to_the_unprocessable_queue(bench: Workbench, body: str) -> None:
    record = {"messageId": "m", "receiptHandle": "r", "body": body, "attributes": {"ApproximateReceiveCount": "1"}}
    assert close_dead_letters(bench.engine, {"Records": [record]}) == {"batchItemFailures": []}
    assert bench.dead_letter_queue.kept == [body]


def test_a_dead_letter_keeps_what_awaits_the_followers(bench: Workbench) -> None:
    bench.streams.connect(Connection("me", coarse=False, expires_at=0))
    bench.streams.follow("tester", Subscriber("me", via_user=True))
    bench.replay_queue.down = True
    order_id = bench.submit(user_id="tester")
    bench.replay_queue.down = False
    bench.clock.sleep(bench.engine.settings.min_exhaustion_seconds + 3600)
    bench.engine.close_dead_letter(bench.order_queue.take())
    assert bench.order(order_id).status is Status.FAILED
    bench.notify_followers()
    assert [seq for seq, _ in bench.sockets.updates("me")] == [1, 2]
