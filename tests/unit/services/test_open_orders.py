"""The work after each event of an open order: frames, history, and the repetition of work that failed."""

from datetime import timedelta
from decimal import Decimal

import pytest

from chalicelib.api.responses.records import list_body
from chalicelib.codec.times import to_ms
from chalicelib.domain.conditions import Amendment, TimeInForce
from chalicelib.domain.errors import CancelTooLateError
from chalicelib.domain.status import Status
from chalicelib.ports.history import OrderFilter
from chalicelib.ports.orders import StoredOrder, UnreadableOrderError
from chalicelib.ports.streams import Connection, Subscriber
from chalicelib.services.orders.submit import SubmitOrder
from tests.support.callers import ANYONE
from tests.support.open_orders import a_launch, a_limit, a_sniper, accept, push
from tests.support.workbench import Workbench, a_workbench


@pytest.fixture
def bench() -> Workbench:
    bench = a_workbench(retrigger_pause_seconds=1.0)
    push(bench, 100)
    return bench


def listed(bench: Workbench) -> list[tuple[str, int]]:
    return [(one["status"], one["seq"]) for one in list_body(bench.history.page(OrderFilter(), 10, None))["orders"]]


def deadline_ms(bench: Workbench, order_id: str) -> int | None:
    stored = bench.orders.get(order_id)
    assert stored is not None
    return stored.deadline_ms


# --- the history -------------------------------------------------------------------------------------------


def test_the_list_shows_an_open_order_at_once_and_after_each_of_its_events(bench: Workbench) -> None:
    order_id = accept(bench, a_limit(110))
    seen = [listed(bench)]
    bench.engine.amend(ANYONE, order_id, Amendment(limit_price=Decimal(115)))
    seen.append(listed(bench))
    push(bench, 130)
    push(bench, 100)
    bench.process_all()
    seen.append(listed(bench))
    bench.engine.cancel(ANYONE, order_id)
    seen.append(listed(bench))
    assert seen == [[("open", 2)], [("open", 3)], [("open", 7)], [("cancelled", 8)]]
    assert list(bench.history.events[order_id]) == list(range(1, 9))


def test_the_deadline_of_an_open_order_is_its_expiry(bench: Workbench) -> None:
    order_id = accept(bench, a_limit(110))
    expires_at = bench.order(order_id).expires_at
    assert expires_at is not None
    assert deadline_ms(bench, order_id) == to_ms(expires_at)
    bench.clock.sleep(86_400)
    assert bench.engine.watchdog() == 0


@pytest.mark.parametrize("last", ["accepted", "amended", "refused", "missed"])
def test_events_without_postgres_are_recorded_once_it_answers_again(bench: Workbench, last: str) -> None:
    sniper = last == "refused"
    if last == "accepted":
        bench.history.down = True
    order_id = accept(bench, a_sniper(venue="meteora") if sniper else a_limit(110))
    bench.history.down = True
    if last == "amended":
        bench.engine.amend(ANYONE, order_id, Amendment(limit_price=Decimal(115)))
    elif last == "refused":
        bench.engine.market.announce_launch(ANYONE, a_launch(bench))
    elif last == "missed":
        push(bench, 130)
        push(bench, 100)
        bench.process_all()
    order = bench.order(order_id)
    assert order.status is Status.OPEN

    bench.clock.sleep(bench.engine.settings.deadline_grace_seconds)
    bench.engine.watchdog()
    bench.history.down = False
    bench.clock.sleep(bench.engine.settings.deadline_grace_seconds)
    assert bench.engine.watchdog() == 1
    assert listed(bench) == [("open", order.seq)]
    assert order.expires_at is not None
    assert deadline_ms(bench, order_id) == to_ms(order.expires_at)


def test_an_order_expires_in_time_although_the_history_lacks_many_others() -> None:
    bench = a_workbench(watchdog_batch=4)
    bench.history.down = True
    for _ in range(30):
        accept(bench, a_limit(500))
    began = bench.clock.now()
    dated = accept(bench, a_limit(500, time_in_force=TimeInForce.GTD, expires_at=began + timedelta(seconds=600)))
    while bench.clock.now() < began + timedelta(seconds=600):
        bench.clock.sleep(5)
        bench.engine.market.look()
    assert bench.order(dated).status is Status.EXPIRED


def test_the_watchdog_sends_a_lost_order_again_although_the_history_lacks_many_others() -> None:
    bench = a_workbench(watchdog_batch=4)
    bench.history.down = True
    for _ in range(5):
        accept(bench, a_limit(500))
        bench.engine.cancel(ANYONE, accept(bench, a_limit(500)))
    bench.clock.sleep(3600)
    bench.order_queue.down = True
    lost = bench.submit()
    bench.order_queue.down = False
    bench.clock.sleep(bench.engine.settings.pending_deadline_seconds)
    bench.engine.watchdog()
    bench.process_all()
    assert bench.order(lost).status is Status.CONFIRMED


@pytest.mark.parametrize("terminal", [False, True])
def test_an_order_that_postgres_always_refuses_does_not_keep_the_watchdog_from_others(
    bench: Workbench, terminal: bool
) -> None:
    bench.history.down = True
    orders = [accept(bench, a_limit(110)) for _ in range(5)]
    if terminal:
        for order_id in orders:
            bench.engine.cancel(ANYONE, order_id)
    bench.history.down = False
    bench.history.refused = {orders[0], orders[3]}
    bench.clock.sleep(bench.engine.settings.deadline_grace_seconds)
    bench.engine.watchdog()
    assert set(bench.history.events) == {orders[1], orders[2], orders[4]}
    assert deadline_ms(bench, orders[0]) is not None, "it is not forgotten"


def test_without_postgres_no_frame_is_pushed_twice(bench: Workbench) -> None:
    bench.history.down = True
    order_id = bench.engine.submit(ANYONE, a_limit(110), subscriber=Subscriber("me")).order_id
    for _ in range(720):
        bench.clock.sleep(5)
        bench.engine.market.look()
    assert bench.sockets.updates("me") == list(enumerate(bench.statuses(order_id), start=1))


@pytest.mark.parametrize("broken", [TypeError, ConnectionError, UnreadableOrderError])
def test_an_order_that_cannot_be_moved_does_not_keep_the_watchdog_from_others(
    bench: Workbench, broken: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.order_queue.down = True
    bad, lost = bench.submit(), bench.submit()
    bench.order_queue.down = False
    get = bench.orders.get

    def fails(order_id: str) -> StoredOrder | None:
        if order_id == bad:
            raise broken
        return get(order_id)

    monkeypatch.setattr(bench.orders, "get", fails)
    bench.clock.sleep(bench.engine.settings.pending_deadline_seconds)
    assert bench.engine.watchdog() == 1
    bench.process_all()
    assert bench.order(lost).status is Status.CONFIRMED


def test_overdue_active_orders_come_before_unrecorded_terminal_ones(bench: Workbench) -> None:
    bench.history.down = True
    for _ in range(3):
        bench.engine.cancel(ANYONE, accept(bench, a_limit(110)))
    bench.clock.sleep(60)
    bench.order_queue.down = True
    lost = bench.submit()
    bench.clock.sleep(3600)
    assert bench.orders.due(bench.clock.now_ms(), 10)[0] == lost


# --- followers ---------------------------------------------------------------------------------------------


def follow(bench: Workbench) -> None:
    bench.streams.connect(Connection("me", coarse=False, expires_at=2**40))
    first = bench.engine.user_streams.follow(ANYONE, Subscriber("me"), "tester")
    assert first
    bench.engine.user_streams.looks.look(first)


def test_a_follower_receives_each_event_of_an_open_order_once_and_in_order(bench: Workbench) -> None:
    follow(bench)
    order_id = accept(bench, a_limit(110))
    bench.notify_followers()
    bench.engine.amend(ANYONE, order_id, Amendment(limit_price=Decimal(115)))
    push(bench, 130)
    push(bench, 100)
    bench.process_all()
    bench.clock.sleep(1)
    push(bench, 130)
    bench.process_all()
    statuses = bench.statuses(order_id)
    assert statuses[:4] == ["pending", "open", "open", "triggered"]
    assert statuses[-1] == "confirmed"
    assert bench.sockets.updates("me") == list(enumerate(statuses, start=1))


def test_a_follower_receives_the_reason_of_a_refused_launch(bench: Workbench) -> None:
    follow(bench)
    order_id = accept(bench, a_sniper(venue="meteora"))
    bench.notify_followers()
    bench.engine.market.announce_launch(ANYONE, a_launch(bench, "one"))
    bench.engine.market.announce_launch(ANYONE, a_launch(bench, "two", venue="meteora"))
    bench.process_all()
    assert bench.sockets.updates("me") == list(enumerate(bench.statuses(order_id), start=1))
    assert bench.sockets.frames["me"][2]["meta"]["reason"] == "launched on raydium, not on meteora"


@pytest.mark.parametrize("rate_limit", [0, 100])
@pytest.mark.parametrize("kind", ["market", "limit", "sniper"])
def test_a_subscriber_receives_every_frame_once(kind: str, rate_limit: int) -> None:
    bench = a_workbench(rate_limit_per_minute=rate_limit)
    push(bench, 100)
    if kind == "market":
        order_id = bench.submit(subscriber=Subscriber("me"))
    else:
        spec = a_limit(110) if kind == "limit" else a_sniper()
        order_id = bench.engine.submit(ANYONE, spec, subscriber=Subscriber("me")).order_id
        push(bench, 130)
        bench.engine.market.announce_launch(ANYONE, a_launch(bench))
    bench.process_all()
    assert bench.order(order_id).status is Status.CONFIRMED
    assert bench.sockets.updates("me") == list(enumerate(bench.statuses(order_id), start=1))


def test_a_new_follower_receives_the_last_event_of_each_open_order(bench: Workbench) -> None:
    order_id = accept(bench, a_limit(110))
    bench.engine.amend(ANYONE, order_id, Amendment(limit_price=Decimal(115)))
    bench.clock.sleep(1)
    follow(bench)
    assert bench.sockets.updates("me") == [(3, "open")]
    push(bench, 130)
    assert bench.sockets.updates("me") == [(3, "open"), (4, "triggered")]


@pytest.mark.parametrize("next_event", ["triggered", "refused", "amended", "expired"])
def test_if_the_api_handler_dies_the_next_event_brings_the_order_to_the_followers(
    bench: Workbench, next_event: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = accept_and_die(bench, monkeypatch, sniper=next_event == "refused")
    if next_event == "triggered":
        push(bench, 130)
    elif next_event == "refused":
        bench.engine.market.announce_launch(ANYONE, a_launch(bench))
    elif next_event == "amended":
        bench.engine.amend(ANYONE, order_id, Amendment(limit_price=Decimal(115)))
    else:
        bench.clock.sleep(31 * 86_400)
        bench.engine.market.look()
    assert bench.statuses(order_id)[2] in (next_event, "open")
    bench.notify_followers()
    assert bench.sockets.updates("me") == list(enumerate(bench.statuses(order_id), start=1))


@pytest.mark.parametrize("next_event", ["triggered", "amended", "expired"])
def test_a_replay_queue_that_is_down_delays_the_followers_and_not_the_order(
    bench: Workbench, next_event: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = accept_and_die(bench, monkeypatch)
    bench.replay_queue.down = True
    if next_event == "triggered":
        push(bench, 130)
        bench.process_all()
    elif next_event == "amended":
        bench.engine.amend(ANYONE, order_id, Amendment(limit_price=Decimal(115)))
    else:
        bench.clock.sleep(31 * 86_400)
        bench.engine.market.look()
    statuses = bench.statuses(order_id)
    assert len(statuses) > 2
    bench.replay_queue.down = False
    bench.clock.sleep(60)
    bench.engine.market.look()
    bench.engine.watchdog()
    bench.notify_followers()
    # The end of an order that was pushed late comes twice.
    assert sorted(set(bench.sockets.updates("me"))) == list(enumerate(statuses, start=1))


def test_if_the_api_handler_dies_a_cancel_notifies_the_followers(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = accept_and_die(bench, monkeypatch)
    bench.engine.cancel(ANYONE, order_id)
    bench.notify_followers()
    assert bench.sockets.updates("me") == list(enumerate(bench.statuses(order_id), start=1))


def accept_and_die(bench: Workbench, monkeypatch: pytest.MonkeyPatch, *, sniper: bool = False) -> str:
    """Store an order as an API handler that dies before it notifies the user's follower."""

    def dies(*args: object) -> None:
        raise SystemExit

    follow(bench)
    with monkeypatch.context() as dying:
        dying.setattr(SubmitOrder, "_dispatch", dies)
        with pytest.raises(SystemExit):
            accept(bench, a_sniper(venue="meteora") if sniper else a_limit(110))
    [order_id] = bench.orders.unfinished_of("tester")
    return order_id


def test_no_notification_is_queued_for_an_order_whose_followers_have_it(bench: Workbench) -> None:
    order_id = accept(bench, a_limit(110))
    bench.engine.amend(ANYONE, order_id, Amendment(limit_price=Decimal(115)))
    push(bench, 130)
    assert bench.order(order_id).status is Status.TRIGGERED
    assert bench.replay_queue.sent == []


# --- cancellation ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("triggered", [False, True])
def test_an_open_or_triggered_order_can_be_cancelled(bench: Workbench, triggered: bool) -> None:
    order_id = accept(bench, a_limit(110))
    if triggered:
        push(bench, 130)
    assert bench.engine.cancel(ANYONE, order_id).status is Status.CANCELLED
    push(bench, 140)
    bench.process_all()
    bench.engine.market.look()
    order = bench.order(order_id)
    assert order.status is Status.CANCELLED
    assert bench.ledger.swaps_of(order_id) == []
    assert deadline_ms(bench, order_id) is None
    assert listed(bench) == [("cancelled", order.seq)]


def test_an_order_that_is_open_again_after_a_missed_trigger_can_be_cancelled(bench: Workbench) -> None:
    order_id = accept(bench, a_limit(110, simulate="slippage:1"))
    push(bench, 130)
    bench.process_all()
    assert bench.order(order_id).status is Status.OPEN
    bench.engine.cancel(ANYONE, order_id)
    bench.clock.sleep(60)
    bench.engine.market.look()
    bench.process_all()
    assert bench.order(order_id).status is Status.CANCELLED
    assert bench.ledger.swaps_of(order_id) == []


def test_a_filled_order_cannot_be_cancelled(bench: Workbench) -> None:
    order_id = accept(bench, a_limit(110))
    push(bench, 130)
    bench.process_all()
    with pytest.raises(CancelTooLateError):
        bench.engine.cancel(ANYONE, order_id)


def test_cancelling_all_orders_of_a_user_includes_open_ones(bench: Workbench) -> None:
    orders = [accept(bench, a_limit(110)), accept(bench, a_sniper()), bench.submit()]
    other = accept(bench, a_limit(110, user_id="bob"))
    result = bench.engine.cancel.all_of(ANYONE, "tester")
    assert {order.order_id for order in result.cancelled} == set(orders)
    assert (result.too_late, result.more) == ([], False)
    assert bench.order(other).status is Status.OPEN
