"""Streams of a user: everything since a time, also of orders that have ended, and when such a stream is live."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from chalicelib.codec.times import to_text
from chalicelib.domain.conditions import Amendment
from chalicelib.domain.events import Cancelled
from chalicelib.ports.streams import Connection, FollowUser, RetrySocket, Subscriber
from chalicelib.services.orders.finalize import FinalizeOrder
from chalicelib.services.streams import user_looks
from chalicelib.services.streams.dropped_sockets import MAX_LAG_SECONDS, RESUME_MARGIN_SECONDS
from chalicelib.services.streams.publisher import Publisher
from chalicelib.services.streams.user_streams import REPLAY_PAUSE_SECONDS
from tests.support.callers import ANYONE
from tests.support.open_orders import a_limit
from tests.support.workbench import Workbench, a_workbench

ALL = [1, 2, 3, 4, 5, 6]
MARGIN = timedelta(seconds=RESUME_MARGIN_SECONDS)


@pytest.fixture
def bench() -> Workbench:
    bench = a_workbench()
    for name in ("me", "other"):
        bench.streams.connect(Connection(name, coarse=False, expires_at=2**40))
    return bench


def an_order_that_ended(bench: Workbench, user_id: str = "alice") -> str:
    order_id = bench.submit(user_id=user_id)
    bench.process_all()
    bench.replay_queue.sent.clear()
    return order_id


def follow(bench: Workbench, since: datetime | None = None, name: str = "me") -> FollowUser:
    first = bench.engine.user_streams.follow(ANYONE, Subscriber(name), "alice", since)
    assert first
    return first


def look(bench: Workbench, follow: FollowUser) -> None:
    """Do a look, and all that it queues."""
    assert bench.engine.user_streams.looks.look(follow)
    while bench.replay_queue.sent:
        replay, delay = bench.replay_queue.sent.pop(0)
        bench.clock.sleep(delay)
        if isinstance(replay, FollowUser):
            assert bench.engine.user_streams.looks.look(replay)


def seqs(bench: Workbench, order_id: str, name: str = "me") -> list[int]:
    """The events of an order that a connection has, without doubles."""
    frames = bench.sockets.frames[name]
    return sorted({frame["seq"] for frame in frames if frame.get("orderId") == order_id})


def test_a_client_that_comes_back_is_told_of_the_orders_that_ended_while_it_was_away(bench: Workbench) -> None:
    left_at = bench.clock.now()
    order_id = an_order_that_ended(bench)
    an_order_that_ended(bench, "bob")
    bench.clock.sleep(3600)
    bench.history.down = True
    look(bench, follow(bench, left_at))
    assert seqs(bench, order_id) == ALL
    assert {frame["orderId"] for frame in bench.sockets.frames["me"][:-1]} == {order_id}


def test_the_replay_begins_before_the_last_frame_because_other_orders_may_be_behind_it(bench: Workbench) -> None:
    order_id = an_order_that_ended(bench)
    ended_at = bench.order(order_id).events[-1].at
    bench.clock.sleep(3600)
    look(bench, follow(bench, ended_at + MARGIN))
    assert seqs(bench, order_id) == ALL
    look(bench, follow(bench, ended_at + MARGIN + timedelta(seconds=1), "other"))
    assert seqs(bench, order_id, "other") == []


def test_a_stream_without_a_time_brings_no_order_that_had_ended(bench: Workbench) -> None:
    an_order_that_ended(bench)
    bench.clock.sleep(1)
    look(bench, follow(bench))
    assert [frame["type"] for frame in bench.sockets.frames["me"]] == ["live"]


def test_an_order_that_ends_between_the_follow_and_its_look_is_told_to_its_end(bench: Workbench) -> None:
    order_id = bench.submit(user_id="alice")
    bench.clock.sleep(1)
    first = follow(bench)
    bench.process_all()
    look(bench, first)
    assert seqs(bench, order_id) == [2, 3, 4, 5, 6]


def test_an_order_that_ends_between_the_handshake_and_the_follow_is_told_to_its_end(bench: Workbench) -> None:
    opened_at_ms = bench.clock.now_ms()
    bench.clock.sleep(1)
    order_id = an_order_that_ended(bench)
    bench.clock.sleep(1)
    first = bench.engine.user_streams.follow(ANYONE, Subscriber("me"), "alice", None, opened_at_ms)
    assert first
    look(bench, first)
    assert seqs(bench, order_id) == ALL


def test_an_unfinished_order_is_told_from_the_time_on_and_a_quiet_one_by_its_latest_frame(bench: Workbench) -> None:
    quiet, busy = (bench.engine.submit(ANYONE, a_limit(500, user_id="alice")).order_id for _ in range(2))
    bench.clock.sleep(3600)
    left_at = bench.clock.now() + MARGIN
    for bps in (200, 300):
        bench.engine.amend(ANYONE, busy, Amendment(slippage_bps=bps))
    bench.clock.sleep(3600)
    look(bench, follow(bench, left_at))
    assert (seqs(bench, quiet), seqs(bench, busy)) == ([2], [3, 4])


def test_a_second_subscription_of_a_connection_is_told_what_the_first_one_was_not(bench: Workbench) -> None:
    began_at = bench.clock.now()
    order_id = bench.engine.submit(ANYONE, a_limit(500, user_id="alice")).order_id
    bench.clock.sleep(600)
    look(bench, follow(bench))
    assert seqs(bench, order_id) == [2]
    look(bench, follow(bench, began_at))
    assert seqs(bench, order_id) == [1, 2]
    bench.engine.amend(ANYONE, order_id, Amendment(slippage_bps=200))
    assert seqs(bench, order_id) == [1, 2, 3]


@pytest.mark.parametrize("lag_ms", [500, 4500])
def test_a_later_look_finds_an_ended_order_that_the_index_shows_late(bench: Workbench, lag_ms: int) -> None:
    left_at = bench.clock.now()
    order_id = an_order_that_ended(bench)
    bench.orders.index_lag_ms = lag_ms
    look(bench, follow(bench, left_at))
    assert seqs(bench, order_id) == ALL
    assert bench.sockets.frames["me"][-1]["type"] == "live"


def test_the_live_frame_has_the_time_of_the_follow_and_comes_after_everything(bench: Workbench) -> None:
    left_at = bench.clock.now()
    an_order_that_ended(bench)
    bench.clock.sleep(30)
    followed_at = bench.clock.now()
    look(bench, follow(bench, left_at))
    *_, last = bench.sockets.frames["me"]
    assert last == {"type": "live", "userId": "alice", "at": to_text(followed_at)}
    assert [frame["type"] for frame in bench.sockets.frames["me"]].count("live") == 1


def test_a_long_replay_is_done_in_parts(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    left_at, orders = bench.clock.now(), []
    for _ in range(3):
        # The orders of one time are not parted.
        orders += [an_order_that_ended(bench) for _ in range(2)]
        bench.clock.sleep(1)
    open_order = bench.engine.submit(ANYONE, a_limit(500, user_id="alice")).order_id
    bench.replay_queue.sent.clear()
    bench.clock.sleep(60)
    looks = bench.engine.user_streams.looks
    ticks = iter(range(0, 10**6, user_looks.MAX_PART_SECONDS + 1))
    object.__setattr__(looks, "monotonic", lambda: next(ticks))
    parts, part = [], follow(bench, left_at)
    while part.look == 0:
        before = len(bench.sockets.updates("me"))
        assert looks.look(part)
        parts.append(len(bench.sockets.updates("me")) - before)
        [(queued, _)] = bench.replay_queue.sent
        bench.replay_queue.sent.clear()
        assert isinstance(queued, FollowUser)
        part = queued
    assert parts == [2, 12, 12, 12]
    assert all(seqs(bench, order_id) == ALL for order_id in orders)
    assert seqs(bench, open_order) == [1, 2]


def test_a_look_of_the_earlier_version_tells_of_no_ended_order(bench: Workbench) -> None:
    order_id = an_order_that_ended(bench)
    first = follow(bench)
    look(bench, FollowUser(first.subscriber, "alice", look=1, followed_at_ms=first.followed_at_ms))
    assert seqs(bench, order_id) == []
    assert bench.sockets.frames["me"][-1]["type"] == "live"


def test_a_socket_that_does_not_take_its_live_frame_gets_it_later_or_is_closed(bench: Workbench) -> None:
    last = replace(follow(bench), look=2)
    bench.sockets.slow.add("me")
    assert bench.engine.user_streams.looks.look(last)
    [(again, delay)] = bench.replay_queue.sent
    assert isinstance(again, FollowUser)
    assert (again.tries, delay) == (1, 2)
    bench.sockets.slow.clear()
    bench.replay_queue.sent.clear()
    assert bench.engine.user_streams.looks.look(again)
    assert [frame["type"] for frame in bench.sockets.frames["me"]] == ["live"]


def test_a_very_early_time_brings_everything(bench: Workbench) -> None:
    order_id = an_order_that_ended(bench)
    bench.clock.sleep(90 * 86_400)
    look(bench, follow(bench, datetime.fromisoformat("0001-01-01T00:00:00+00:00")))
    assert seqs(bench, order_id) == ALL


def an_unpushed_event(bench: Workbench, monkeypatch: pytest.MonkeyPatch, action: str) -> str:
    """An open order of which the writer of an amendment or of the cancel died before the push."""
    order_id = bench.engine.submit(ANYONE, a_limit(500, user_id="alice")).order_id
    bench.replay_queue.sent.clear()
    monkeypatch.setattr(Publisher, "publish", lambda self, stored, known=None: stored)
    monkeypatch.setattr(FinalizeOrder, "__call__", lambda self, stored, stream=None: None)
    if action == "cancel":
        bench.engine.cancel(ANYONE, order_id)
    else:
        for bps in (200, 300):
            bench.engine.amend(ANYONE, order_id, Amendment(slippage_bps=bps))
    monkeypatch.undo()
    return order_id


def repair(bench: Workbench, order_id: str) -> None:
    """Move the order on as the engine does after the death of a writer."""
    stored = bench.orders.get(order_id)
    assert stored
    if stored.order.is_terminal:
        bench.engine.watchdog()
    else:
        bench.engine.amend(ANYONE, order_id, Amendment(slippage_bps=400))
    bench.replay_queue.sent.clear()


@pytest.mark.parametrize("repaired_after_seconds", [None, 0, 50])
@pytest.mark.parametrize(("action", "lacking"), [("amend", [3, 4]), ("cancel", [3])])
def test_an_event_that_was_pushed_late_or_never_reaches_a_client_that_returns_with_a_later_time(
    bench: Workbench,
    monkeypatch: pytest.MonkeyPatch,
    action: str,
    lacking: list[int],
    repaired_after_seconds: int | None,
) -> None:
    order_id = an_unpushed_event(bench, monkeypatch, action)
    bench.clock.sleep(3600)
    # The time of a frame of another order.
    last_at = bench.clock.now() - timedelta(seconds=1)
    if repaired_after_seconds is not None:
        bench.clock.sleep(repaired_after_seconds)
        repair(bench, order_id)
    bench.clock.sleep(1)
    look(bench, follow(bench, last_at))
    assert set(lacking) <= set(seqs(bench, order_id))
    assert bench.sockets.frames["me"][-1]["type"] == "live"


def test_the_late_end_of_an_order_reaches_a_follower_that_came_back_before(bench: Workbench) -> None:
    order_id = bench.engine.submit(ANYONE, a_limit(500, user_id="alice")).order_id
    stored = bench.orders.get(order_id)
    assert stored
    bench.orders.mark_followers_subscribed(order_id)
    # A worker dies after the last write, which leaves the order to its message.
    bench.orders.write(stored, stored.order.after(Cancelled(), bench.clock.now()), lease=None, deadline_ms=None)
    bench.clock.sleep(3600)
    look(bench, follow(bench, bench.clock.now()))
    assert seqs(bench, order_id) == []
    ended = bench.orders.get(order_id)
    assert ended
    bench.engine.cancel.finalize(ended)
    bench.notify_followers()
    assert 3 in seqs(bench, order_id)


def test_an_order_that_was_pushed_in_time_gets_no_note_of_a_late_push(bench: Workbench) -> None:
    stored = bench.orders.get(an_order_that_ended(bench))
    assert stored
    assert stored.late_push is None


def test_a_newer_replay_takes_the_place_of_one_that_is_not_live_yet(bench: Workbench) -> None:
    orders = [an_order_that_ended(bench) for _ in range(3)]
    began_at = bench.clock.now()
    bench.clock.sleep(600)
    for since in (began_at, *[bench.clock.now()] * 9):
        bench.engine.user_streams.queue_look(follow(bench, since))
    assert [delay for _, delay in bench.replay_queue.sent] == [0, *[REPLAY_PAUSE_SECONDS] * 9]
    first, _ = bench.replay_queue.sent.pop(0)
    assert isinstance(first, FollowUser)
    look(bench, first)
    assert [frame["type"] for frame in bench.sockets.frames["me"]].count("live") == 1
    assert len(bench.sockets.updates("me")) == len(orders) * len(ALL)
    assert all(seqs(bench, order_id) == ALL for order_id in orders)


def test_a_replay_of_a_live_stream_begins_anew(bench: Workbench) -> None:
    order_id = an_order_that_ended(bench)
    ended_at = bench.clock.now()
    bench.clock.sleep(600)
    look(bench, follow(bench, ended_at))
    bench.sockets.frames["me"].clear()
    look(bench, follow(bench, bench.clock.now()))
    assert seqs(bench, order_id) == []


def test_a_message_that_subscribes_reads_no_order(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.engine.submit(ANYONE, a_limit(500, user_id="alice"))
    look(bench, follow(bench))
    for name in ("get", "leave", "unfinished_of"):
        monkeypatch.setattr(bench.orders, name, pytest.fail)
    bench.engine.user_streams.queue_look(follow(bench, bench.clock.now()))


def test_the_last_look_of_a_subscription_begins_as_late_as_the_indexes_may_lag(bench: Workbench) -> None:
    bench.engine.user_streams.queue_look(follow(bench))
    [(first, _)] = bench.replay_queue.sent
    bench.replay_queue.sent.clear()
    assert isinstance(first, FollowUser)
    began_at = bench.clock.now()
    look(bench, first)
    assert bench.clock.now() - began_at == user_looks.MAX_INDEX_LAG


def test_a_socket_is_closed_once_its_lag_and_the_next_pause_would_be_too_long(bench: Workbench) -> None:
    order_id = bench.submit(Subscriber("me"))
    bench.replay_queue.sent.clear()
    bench.sockets.slow.add("me")
    late_since_ms = bench.clock.now_ms() - (MAX_LAG_SECONDS - 3) * 1000
    bench.engine.subscriptions.rejoin_order(RetrySocket(Subscriber("me"), order_id, 0, 1, late_since_ms))
    assert not [one for one, _ in bench.replay_queue.sent if isinstance(one, RetrySocket)]
    assert bench.streams.connection("me") is None
