"""Submission: one write accepts an order, once per key, and the watchdog sends what the queue refused."""

import pytest

from chalicelib.domain.errors import IdempotencyConflictError
from chalicelib.domain.status import Status
from chalicelib.ports.streams import Connection, NotifyFollowers, Subscriber
from tests.support.callers import ANYONE
from tests.support.specs import a_spec
from tests.support.workbench import Workbench, a_workbench


@pytest.fixture
def bench() -> Workbench:
    return a_workbench()


def test_an_order_is_accepted_while_the_queue_is_down_and_executed_later(bench: Workbench) -> None:
    bench.order_queue.down = True
    order_id = bench.submit()
    assert bench.statuses(order_id) == ["pending"]
    bench.order_queue.down = False
    bench.clock.sleep(bench.engine.settings.pending_deadline_seconds)
    assert bench.engine.watchdog() == 1
    bench.process_all()
    assert bench.order(order_id).status is Status.CONFIRMED


def test_the_watchdog_does_not_send_the_same_order_on_every_run(bench: Workbench) -> None:
    bench.submit()
    bench.clock.sleep(bench.engine.settings.pending_deadline_seconds)
    assert [bench.engine.watchdog(), bench.engine.watchdog()] == [1, 0]


def test_one_key_makes_one_order(bench: Workbench) -> None:
    first = bench.engine.submit(ANYONE, a_spec(), idempotency_key="k")
    again = bench.engine.submit(ANYONE, a_spec(), idempotency_key="k")
    assert (again.order_id, again.replayed) == (first.order_id, True)
    assert len(bench.order_queue.bodies) == 1


def test_a_client_order_id_is_an_idempotency_key(bench: Workbench) -> None:
    first = bench.engine.submit(ANYONE, a_spec(client_order_id="mine"))
    assert bench.engine.submit(ANYONE, a_spec(client_order_id="mine")).order_id == first.order_id


def test_a_key_with_another_order_is_refused(bench: Workbench) -> None:
    bench.engine.submit(ANYONE, a_spec(amount_in=1_000_000_000), idempotency_key="k")
    with pytest.raises(IdempotencyConflictError):
        bench.engine.submit(ANYONE, a_spec(amount_in=2_000_000_000), idempotency_key="k")


def test_two_users_may_use_the_same_key(bench: Workbench) -> None:
    first = bench.engine.submit(ANYONE, a_spec(user_id="alice"), idempotency_key="k")
    other = bench.engine.submit(ANYONE, a_spec(user_id="bob"), idempotency_key="k")
    assert first.order_id != other.order_id


def test_a_key_is_free_again_after_a_day(bench: Workbench) -> None:
    first = bench.engine.submit(ANYONE, a_spec(), idempotency_key="k")
    bench.clock.sleep(24 * 3600 + 1)
    assert bench.engine.submit(ANYONE, a_spec(), idempotency_key="k").order_id != first.order_id


def test_the_acknowledgement_comes_before_the_first_frame(bench: Workbench) -> None:
    seen: list[str] = []

    def acknowledge(order_id: str, replayed: bool) -> None:
        seen.extend(["ack", *(status for _, status in bench.sockets.updates("me"))])

    bench.engine.submit(ANYONE, a_spec(), subscriber=Subscriber("me"), acknowledge=acknowledge)
    assert seen == ["ack"]
    assert bench.sockets.updates("me") == [(1, "pending")]


def test_the_watchdog_sends_an_old_order_at_growing_intervals(bench: Workbench) -> None:
    bench.submit()
    sent = []
    for minute in range(1, 17):
        bench.clock.sleep(60)
        if bench.engine.watchdog():
            sent.append(minute)
    assert sent == [1, 2, 4, 8, 16]


def test_the_watchdog_subscribes_followers_that_the_api_handler_did_not_notify(bench: Workbench) -> None:
    bench.streams.connect(Connection("me", coarse=False, expires_at=0))
    order_id = bench.submit(user_id="alice")
    bench.order_queue.bodies.clear()
    bench.streams.follow("alice", Subscriber("me", via_user=True))
    bench.clock.sleep(bench.engine.settings.pending_deadline_seconds)
    bench.engine.watchdog()
    bench.process_all()
    bench.notify_followers()
    assert [seq for seq, _ in bench.sockets.updates("me")] == [1, 2, 3, 4, 5, 6]
    assert bench.order(order_id).status is Status.CONFIRMED


def test_a_notification_of_followers_that_is_lost_is_repeated_at_the_end_of_the_order(bench: Workbench) -> None:
    bench.streams.connect(Connection("me", coarse=False, expires_at=0))
    bench.streams.follow("alice", Subscriber("me", via_user=True))
    bench.replay_queue.down = True
    order_id = bench.submit(user_id="alice")
    bench.replay_queue.down = False
    bench.process_all()
    assert bench.replay_queue.sent == [(NotifyFollowers(order_id), 5)]
    bench.notify_followers()
    bench.notify_followers()
    assert [seq for seq, _ in bench.sockets.updates("me")] == [1, 2, 3, 4, 5, 6]


def test_followers_are_notified_once_if_nothing_fails(bench: Workbench) -> None:
    bench.streams.connect(Connection("me", coarse=False, expires_at=0))
    bench.streams.follow("alice", Subscriber("me", via_user=True))
    bench.submit(user_id="alice")
    bench.notify_followers()
    bench.process_all()
    assert bench.replay_queue.sent == []
    assert [seq for seq, _ in bench.sockets.updates("me")] == [1, 2, 3, 4, 5, 6]


def test_a_user_whose_followers_left_costs_one_more_notification(bench: Workbench) -> None:
    bench.streams.connect(Connection("me", coarse=False, expires_at=0))
    me = Subscriber("me", via_user=True)
    bench.streams.follow("alice", me)
    bench.streams.unfollow("alice", me)
    bench.submit(user_id="alice")
    assert len(bench.replay_queue.sent) == 1
    bench.notify_followers()
    bench.submit(user_id="alice")
    assert bench.replay_queue.sent == []
