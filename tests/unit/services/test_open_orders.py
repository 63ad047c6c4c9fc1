"""What follows an open order's moves: its user is told, its history is recorded, and what failed is made good."""

from datetime import timedelta
from decimal import Decimal

import pytest

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
    return [(one["status"], one["seq"]) for one in bench.history.page(OrderFilter(), 10, None).orders]


def attention_ms(bench: Workbench, order_id: str) -> int | None:
    stored = bench.orders.get(order_id)
    assert stored is not None
    return stored.deadline_ms


# --- the history -------------------------------------------------------------------------------------------


def test_an_open_order_is_listed_at_once_and_with_each_of_its_moves(bench: Workbench) -> None:
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


def test_nobody_comes_back_to_an_open_order_before_it_expires(bench: Workbench) -> None:
    order_id = accept(bench, a_limit(110))
    expires_at = bench.order(order_id).expires_at
    assert expires_at is not None
    assert attention_ms(bench, order_id) == to_ms(expires_at)
    bench.clock.sleep(86_400)
    assert bench.engine.watchdog() == 0


@pytest.mark.parametrize("move", ["accepted", "amended", "refused", "rearmed"])
def test_what_happened_while_postgres_was_away_is_recorded_when_it_is_back(bench: Workbench, move: str) -> None:
    sniper = move == "refused"
    if move == "accepted":
        bench.history.down = True
    order_id = accept(bench, a_sniper(venue="meteora") if sniper else a_limit(110))
    bench.history.down = True
    if move == "amended":
        bench.engine.amend(ANYONE, order_id, Amendment(limit_price=Decimal(115)))
    elif move == "refused":
        bench.engine.market.announce_launch(ANYONE, a_launch(bench))
    elif move == "rearmed":
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
    assert attention_ms(bench, order_id) == to_ms(order.expires_at)


def test_orders_expire_in_time_although_many_others_wait_for_postgres() -> None:
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


def test_what_is_lost_is_sent_again_although_many_others_wait_for_postgres() -> None:
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


@pytest.mark.parametrize("over", [False, True])
def test_an_order_that_postgres_would_never_take_keeps_the_watchdog_from_no_other(
    bench: Workbench, over: bool
) -> None:
    bench.history.down = True
    orders = [accept(bench, a_limit(110)) for _ in range(5)]
    if over:
        for order_id in orders:
            bench.engine.cancel(ANYONE, order_id)
    bench.history.down = False
    bench.history.refused = {orders[0], orders[3]}
    bench.clock.sleep(bench.engine.settings.deadline_grace_seconds)
    bench.engine.watchdog()
    assert set(bench.history.events) == {orders[1], orders[2], orders[4]}
    assert attention_ms(bench, orders[0]) is not None, "it is not forgotten"


def test_while_postgres_is_away_nobody_is_told_the_same_again_and_again(bench: Workbench) -> None:
    bench.history.down = True
    order_id = bench.engine.submit(ANYONE, a_limit(110), subscriber=Subscriber("me")).order_id
    for _ in range(720):
        bench.clock.sleep(5)
        bench.engine.market.look()
    assert bench.sockets.updates("me") == list(enumerate(bench.statuses(order_id), start=1))


@pytest.mark.parametrize("broken", [TypeError, ConnectionError, UnreadableOrderError])
def test_an_order_that_nobody_can_move_on_keeps_the_watchdog_from_no_other(
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


def test_of_what_is_overdue_the_lost_come_before_the_unrecorded(bench: Workbench) -> None:
    bench.history.down = True
    for _ in range(3):
        bench.engine.cancel(ANYONE, accept(bench, a_limit(110)))
    bench.clock.sleep(60)
    bench.order_queue.down = True
    lost = bench.submit()
    bench.clock.sleep(3600)
    assert bench.orders.due(bench.clock.now_ms(), 10)[0] == lost


# --- followers ---------------------------------------------------------------------------------------------


def test_a_user_sees_each_move_of_an_open_order_once_and_in_order(bench: Workbench) -> None:
    bench.streams.connect(Connection("me", coarse=False, expires_at=2**40))
    bench.engine.subscriptions.follow_user(ANYONE, Subscriber("me"), "tester")
    order_id = accept(bench, a_limit(110))
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


def test_a_user_sees_why_a_launch_was_not_taken_and_that_another_was(bench: Workbench) -> None:
    bench.streams.connect(Connection("me", coarse=False, expires_at=2**40))
    bench.engine.subscriptions.follow_user(ANYONE, Subscriber("me"), "tester")
    order_id = accept(bench, a_sniper(venue="meteora"))
    bench.engine.market.announce_launch(ANYONE, a_launch(bench, "one"))
    bench.engine.market.announce_launch(ANYONE, a_launch(bench, "two", venue="meteora"))
    bench.process_all()
    assert bench.sockets.updates("me") == list(enumerate(bench.statuses(order_id), start=1))
    assert bench.sockets.frames["me"][2]["meta"]["reason"] == "launched on raydium, not on meteora"


@pytest.mark.parametrize("rate_limit", [0, 100])
@pytest.mark.parametrize("kind", ["market", "limit", "sniper"])
def test_every_frame_comes_once(kind: str, rate_limit: int) -> None:
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


def test_who_begins_to_follow_a_user_is_shown_what_is_open(bench: Workbench) -> None:
    order_id = accept(bench, a_limit(110))
    bench.engine.amend(ANYONE, order_id, Amendment(limit_price=Decimal(115)))
    bench.streams.connect(Connection("me", coarse=False, expires_at=2**40))
    bench.engine.subscriptions.follow_user(ANYONE, Subscriber("me"), "tester")
    bench.engine.subscriptions.look(Subscriber("me"), "tester")
    assert bench.sockets.updates("me") == [(3, "open")]
    push(bench, 130)
    assert bench.sockets.updates("me") == [(3, "open"), (4, "triggered")]


@pytest.mark.parametrize("move", ["triggered", "refused", "amended", "expired"])
def test_followers_are_told_of_an_order_that_moves_on_after_who_accepted_it_died(
    bench: Workbench, move: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = left_by_a_dead_acceptor(bench, monkeypatch, sniper=move == "refused")
    # Sockets hold no order up, and neither does the queue for those that are late.
    bench.replay_queue.down = True
    if move == "triggered":
        push(bench, 130)
    elif move == "refused":
        bench.engine.market.announce_launch(ANYONE, a_launch(bench))
    elif move == "amended":
        bench.engine.amend(ANYONE, order_id, Amendment(limit_price=Decimal(115)))
    else:
        bench.clock.sleep(31 * 86_400)
        bench.engine.market.look()
    assert bench.statuses(order_id)[2] in (move, "open")
    assert bench.sockets.updates("me") == list(enumerate(bench.statuses(order_id), start=1))


def test_followers_are_brought_an_order_that_is_cancelled_after_who_accepted_it_died(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = left_by_a_dead_acceptor(bench, monkeypatch)
    bench.engine.cancel(ANYONE, order_id)
    assert [replay.wanted for replay, _ in bench.replay_queue.sent] == [{"orderId": order_id}]


def left_by_a_dead_acceptor(bench: Workbench, monkeypatch: pytest.MonkeyPatch, *, sniper: bool = False) -> str:
    """An order that was kept, and of which the user's follower was not told."""

    def dies(*args: object) -> None:
        raise SystemExit

    bench.streams.connect(Connection("me", coarse=False, expires_at=2**40))
    bench.engine.subscriptions.follow_user(ANYONE, Subscriber("me"), "tester")
    with monkeypatch.context() as dying:
        dying.setattr(SubmitOrder, "_dispatch", dies)
        with pytest.raises(SystemExit):
            accept(bench, a_sniper(venue="meteora") if sniper else a_limit(110))
    [order_id] = bench.orders.unfinished_of("tester")
    return order_id


def test_nothing_more_is_sent_for_an_order_whose_followers_were_told(bench: Workbench) -> None:
    order_id = accept(bench, a_limit(110))
    bench.engine.amend(ANYONE, order_id, Amendment(limit_price=Decimal(115)))
    push(bench, 130)
    assert bench.order(order_id).status is Status.TRIGGERED
    assert bench.replay_queue.sent == []


# --- cancelling --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("triggered", [False, True])
def test_an_order_that_has_not_been_sent_can_be_cancelled(bench: Workbench, triggered: bool) -> None:
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
    assert attention_ms(bench, order_id) is None
    assert listed(bench) == [("cancelled", order.seq)]


def test_an_order_that_waits_again_can_be_cancelled(bench: Workbench) -> None:
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


def test_an_order_that_has_filled_cannot(bench: Workbench) -> None:
    order_id = accept(bench, a_limit(110))
    push(bench, 130)
    bench.process_all()
    with pytest.raises(CancelTooLateError):
        bench.engine.cancel(ANYONE, order_id)


def test_all_of_a_users_orders_are_cancelled_open_or_not(bench: Workbench) -> None:
    orders = [accept(bench, a_limit(110)), accept(bench, a_sniper()), bench.submit()]
    other = accept(bench, a_limit(110, user_id="bob"))
    done, too_late, more = bench.engine.cancel.all_of(ANYONE, "tester")
    assert ({order.order_id for order in done}, too_late, more) == (set(orders), [], False)
    assert bench.order(other).status is Status.OPEN
