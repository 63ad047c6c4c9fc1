"""Status streams on fakes: joins at any moment, gone and slow sockets, and streams of a user's orders."""

from dataclasses import replace
from datetime import datetime

import pytest

from chalicelib.codec.replays import read_replay_message, replay_message
from chalicelib.codec.times import to_text
from chalicelib.domain.errors import OrderNotFoundError
from chalicelib.domain.events import AttemptStarted
from chalicelib.ports.streams import CheckSocket, Connection, FollowUser, RetrySocket, Subscriber
from chalicelib.services.streams.dropped_sockets import MAX_LAG_SECONDS
from tests.support.callers import ANYONE
from tests.support.open_orders import a_limit
from tests.support.workbench import Workbench, a_workbench

STATUSES = ["pending", "routing", "routing", "building", "submitted", "confirmed"]


@pytest.fixture
def bench() -> Workbench:
    bench = a_workbench()
    bench.streams.connect(Connection("me", coarse=False, expires_at=0))
    return bench


def looks(bench: Workbench) -> list[int]:
    """Do the queued looks of follows, each after its delay; returns the delays."""
    delays = []
    while found := [sent for sent in bench.replay_queue.sent if isinstance(sent[0], FollowUser)]:
        replay, delay = found[0]
        bench.replay_queue.sent.remove(found[0])
        bench.clock.sleep(delay)
        delays.append(delay)
        assert isinstance(replay, FollowUser)
        bench.engine.user_streams.looks.look(replay)
    return delays


def follow(bench: Workbench, user_id: str, since: datetime | None = None) -> None:
    """Subscribe the connection to a user's stream, as the replay queue does for its address."""
    if first := bench.engine.user_streams.follow(ANYONE, Subscriber("me"), user_id, since):
        bench.engine.user_streams.looks.look(first)


@pytest.mark.parametrize("step", range(1, 7))
def test_a_subscriber_that_joins_at_any_moment_receives_every_event_in_order(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """The subscriber joins right after write number ``step``, before the engine pushes the frames of that write."""
    order_id = bench.submit()
    write = bench.orders.write

    def write_and_join(*args: object, **kwargs: object) -> object:
        written = write(*args, **kwargs)  # type: ignore[arg-type]
        if written.order.seq >= step and not bench.sockets.frames["late"]:
            bench.engine.subscriptions.join_order(ANYONE, Subscriber("late"), order_id)
        return written

    monkeypatch.setattr(bench.orders, "write", write_and_join)
    bench.process_all()
    assert bench.sockets.updates("late") == list(enumerate(STATUSES, start=1))


def test_an_event_between_the_replay_and_the_join_is_not_missed(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = bench.submit()
    join = bench.orders.join
    raced: list[str] = []

    def join_too_late(*args: object) -> bool:
        if not raced:
            raced.append("yes")
            bench.process_all()
        return join(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(bench.orders, "join", join_too_late)
    bench.engine.subscriptions.join_order(ANYONE, Subscriber("racer"), order_id)
    assert bench.sockets.updates("racer") == list(enumerate(STATUSES, start=1))


@pytest.mark.parametrize("after_seq", range(8))
def test_a_stream_resumes_after_any_seq_even_of_a_terminal_order(bench: Workbench, after_seq: int) -> None:
    order_id = bench.submit()
    bench.process_all()
    bench.engine.subscriptions.join_order(ANYONE, Subscriber("back"), order_id, after_seq)
    assert bench.sockets.updates("back") == list(enumerate(STATUSES, start=1))[after_seq:]


@pytest.mark.parametrize("after_seq", range(1, 8))
def test_a_stream_ahead_of_its_order_starts_when_the_order_gets_there(bench: Workbench, after_seq: int) -> None:
    order_id = bench.submit()
    bench.engine.subscriptions.join_order(ANYONE, Subscriber("ahead"), order_id, after_seq)
    bench.process_all()
    assert bench.sockets.updates("ahead") == list(enumerate(STATUSES, start=1))[after_seq:]


def test_a_connection_that_also_follows_the_user_misses_nothing_of_an_order_that_it_is_ahead_of(
    bench: Workbench,
) -> None:
    order_id = bench.submit(user_id="alice")
    follow(bench, "alice")
    bench.engine.subscriptions.join_order(ANYONE, Subscriber("me"), order_id, 5)
    bench.process_all()
    assert bench.sockets.updates("me") == list(enumerate(STATUSES, start=1))


def test_a_new_subscription_replaces_the_position_of_the_one_before(bench: Workbench) -> None:
    order_id = bench.submit()
    for after_seq in (5, 1, 3):
        bench.engine.subscriptions.join_order(ANYONE, Subscriber("me"), order_id, after_seq)
    bench.process_all()
    assert bench.sockets.updates("me") == list(enumerate(STATUSES, start=1))[3:]


def test_a_connection_may_leave_an_order_that_it_has_left_or_that_does_not_exist(bench: Workbench) -> None:
    order_id = bench.submit(Subscriber("me"))
    for one in (order_id, order_id, "00000000-0000-0000-0000-000000000000"):
        bench.engine.subscriptions.leave_order(ANYONE, Subscriber("me"), one)
    bench.process_all()
    assert bench.sockets.updates("me") == [(1, "pending")]


def test_a_connection_that_is_ahead_can_leave(bench: Workbench) -> None:
    order_id = bench.submit()
    bench.engine.subscriptions.join_order(ANYONE, Subscriber("me"), order_id, 3)
    bench.engine.subscriptions.leave_order(ANYONE, Subscriber("me"), order_id)
    bench.process_all()
    assert bench.sockets.updates("me") == []


def test_a_slow_connection_that_is_ahead_keeps_its_position(bench: Workbench) -> None:
    order_id = bench.submit()
    bench.engine.subscriptions.join_order(ANYONE, Subscriber("me"), order_id, 4)
    bench.sockets.slow.add("me")
    bench.process_all()
    bench.sockets.slow.clear()
    for replay in [sent for sent, _ in bench.replay_queue.sent if isinstance(sent, RetrySocket)]:
        bench.engine.subscriptions.rejoin_order(replay)
    # A frame may come twice: the write that ends the order can name a socket that is being removed.
    assert list(dict.fromkeys(bench.sockets.updates("me"))) == list(enumerate(STATUSES, start=1))[4:]


def test_a_retry_that_is_ahead_leaves_a_newer_subscription_its_events(bench: Workbench) -> None:
    order_id = bench.submit()
    bench.engine.subscriptions.join_order(ANYONE, Subscriber("me"), order_id)
    bench.engine.subscriptions.rejoin_order(RetrySocket(Subscriber("me", after_seq=5), order_id, 1, tries=1))
    bench.process_all()
    assert bench.sockets.updates("me") == list(enumerate(STATUSES, start=1))


@pytest.mark.parametrize(("after_seq", "frames"), [(0, ["ORDER_UPDATE", "live"]), (1, ["live"]), (5, ["live"])])
def test_a_stream_is_live_once_it_is_joined_and_everything_is_told(
    bench: Workbench, after_seq: int, frames: list[str]
) -> None:
    order_id = bench.submit()
    bench.engine.subscriptions.join_order(ANYONE, Subscriber("me"), order_id, after_seq)
    assert [frame["type"] for frame in bench.sockets.frames["me"]] == frames
    assert bench.sockets.frames["me"][-1] == {"type": "live", "orderId": order_id, "seq": 1}
    stored = bench.orders.get(order_id)
    assert stored
    assert {one.connection_id for one in stored.subscribers} == {"me"}


def test_the_stream_of_an_order_that_is_over_is_live_with_its_last_seq(bench: Workbench) -> None:
    order_id = bench.submit()
    bench.process_all()
    bench.engine.subscriptions.join_order(ANYONE, Subscriber("me"), order_id, 4)
    assert [frame["seq"] for frame in bench.sockets.frames["me"]] == [5, 6, 6]
    assert bench.sockets.frames["me"][-1]["type"] == "live"


def test_a_slow_socket_is_told_that_its_stream_is_live_once_it_is_caught_up(bench: Workbench) -> None:
    order_id = bench.submit()
    bench.sockets.slow.add("me")
    bench.engine.subscriptions.join_order(ANYONE, Subscriber("me"), order_id)
    [(replay, _)] = bench.replay_queue.sent
    assert isinstance(replay, RetrySocket)
    replay = read_replay_message(replay_message(replay))
    assert isinstance(replay, RetrySocket)
    bench.sockets.slow.clear()
    bench.engine.subscriptions.rejoin_order(replay)
    assert [frame["type"] for frame in bench.sockets.frames["me"]] == ["ORDER_UPDATE", "live"]
    bench.process_all()
    assert [frame["type"] for frame in bench.sockets.frames["me"]].count("live") == 1


def test_a_subscription_to_an_unknown_order_is_refused(bench: Workbench) -> None:
    with pytest.raises(OrderNotFoundError):
        bench.engine.subscriptions.join_order(ANYONE, Subscriber("me"), "00000000-0000-0000-0000-000000000000")


def test_coarse_subscribers_receive_phases_with_the_status_as_detail(bench: Workbench) -> None:
    bench.submit(Subscriber("me", coarse=True))
    bench.process_all()
    frames = bench.sockets.frames["me"]
    assert [frame["status"] for frame in frames] == [
        "queued",
        "processing",
        "processing",
        "processing",
        "processing",
        "completed",
    ]
    assert [frame["detailedStatus"] for frame in frames] == STATUSES


def test_a_gone_socket_is_dropped_and_delays_nothing(bench: Workbench) -> None:
    order_id = bench.submit(Subscriber("gone"))
    bench.engine.subscriptions.join_order(ANYONE, Subscriber("here"), order_id)
    bench.sockets.gone.add("gone")
    bench.process_all()
    assert bench.sockets.updates("here")[-1] == (6, "confirmed")
    stored = bench.orders.get(order_id)
    assert stored is not None
    assert Subscriber("gone") not in stored.subscribers
    assert bench.replay_queue.sent == []


def test_a_slow_socket_is_handed_to_the_replay_queue_with_its_position(bench: Workbench) -> None:
    order_id = bench.submit(Subscriber("slow"))
    bench.sockets.slow.add("slow")
    bench.process_all()
    [(replay, _)] = bench.replay_queue.sent
    assert isinstance(replay, RetrySocket)
    assert (replay.order_id, replay.after_seq) == (order_id, 1)
    bench.sockets.slow.clear()
    bench.engine.subscriptions.rejoin_order(replay)
    assert bench.sockets.updates("slow") == list(enumerate(STATUSES, start=1))


def test_a_user_stream_starts_with_the_last_event_of_each_unfinished_order_and_continues(
    bench: Workbench,
) -> None:
    finished = bench.submit(user_id="alice")
    bench.process_all()
    bench.clock.sleep(1)
    first = bench.submit(user_id="alice")
    bench.submit(user_id="bob")
    follow(bench, "alice")
    second = bench.submit(user_id="alice")
    bench.process_all()
    bench.notify_followers()
    frames = bench.sockets.frames["me"]
    assert {frame["orderId"] for frame in frames} == {first, second}
    assert finished not in {frame["orderId"] for frame in frames}
    for order_id in (first, second):
        assert [frame["status"] for frame in frames if frame["orderId"] == order_id] == STATUSES


def test_a_later_look_finds_an_order_that_the_index_showed_late(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = bench.submit(user_id="alice")
    monkeypatch.setattr(bench.orders, "unfinished_of", lambda *args, **_: [])
    follow(bench, "alice")
    monkeypatch.undo()
    [(replay, delay)] = bench.replay_queue.sent
    assert isinstance(replay, FollowUser)
    assert (replay.look, delay) == (1, 1)
    bench.engine.user_streams.looks.look(replay)
    bench.process_all()
    assert [seq for seq, _ in bench.sockets.updates("me")] == [1, 2, 3, 4, 5, 6]
    assert {frame["orderId"] for frame in bench.sockets.frames["me"]} == {order_id}


def test_the_last_look_queues_no_further_one_and_tells_that_the_stream_is_live(bench: Workbench) -> None:
    follow(bench, "alice")
    followed_at = bench.clock.now()
    assert looks(bench) == [1, 4]
    assert bench.sockets.frames["me"] == [{"type": "live", "userId": "alice", "at": to_text(followed_at)}]


def test_a_queued_look_does_not_undo_an_unsubscribe(bench: Workbench) -> None:
    bench.submit(user_id="alice")
    follow(bench, "alice")
    bench.engine.user_streams.unfollow(ANYONE, Subscriber("me"), "alice")
    bench.engine.user_streams.looks.look(FollowUser(Subscriber("me"), "alice", 1))
    pushed = len(bench.sockets.frames["me"])
    bench.process_all()
    assert len(bench.sockets.frames["me"]) == pushed


def test_a_subscriber_that_joins_again_receives_a_new_replay_that_no_event_overtakes(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = bench.submit(Subscriber("me"))
    push = bench.sockets.push
    raced: list[str] = []

    def push_while_the_order_goes_on(connection_id: str, text: str) -> None:
        push(connection_id, text)
        if not raced:
            raced.append("yes")
            bench.process_all()

    monkeypatch.setattr(bench.sockets, "push", push_while_the_order_goes_on)
    bench.engine.subscriptions.join_order(ANYONE, Subscriber("me"), order_id)
    assert [seq for seq, _ in bench.sockets.updates("me")] == [1, 1, 2, 3, 4, 5, 6]


def test_a_socket_that_stays_slow_is_retried_at_growing_intervals_and_closed(bench: Workbench) -> None:
    bench.submit(Subscriber("slow"))
    bench.sockets.slow.add("slow")
    bench.process_all()
    delays = []
    while bench.replay_queue.sent:
        [(replay, delay)] = bench.replay_queue.sent
        bench.replay_queue.sent.clear()
        delays.append(delay)
        if isinstance(replay, CheckSocket):
            break
        assert isinstance(replay, RetrySocket)
        bench.engine.subscriptions.rejoin_order(replace(replay, after_seq=1))
    assert isinstance(replay, CheckSocket)
    assert delays == [2, 4, 8, 16, 15]
    assert sum(delays[:4]) < MAX_LAG_SECONDS
    bench.sockets.slow.clear()
    bench.engine.ended_credentials.check(replay)
    assert bench.sockets.closed == ["slow"]


def test_a_replay_queue_that_is_down_does_not_stop_a_trade(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    order_id = bench.submit(Subscriber("slow"))
    bench.sockets.slow.add("slow")

    def down(*args: object, **kwargs: object) -> None:
        raise ConnectionError

    monkeypatch.setattr(bench.replay_queue, "send", down)
    bench.process_all()
    assert bench.order(order_id).attempts == 1
    bench.sockets.slow.clear()
    bench.engine.subscriptions.join_order(ANYONE, Subscriber("slow"), order_id, 1)
    assert bench.sockets.updates("slow") == list(enumerate(STATUSES, start=1))


def test_the_watchdog_pushes_the_last_frames_if_neither_socket_nor_replay_queue_took_them(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = bench.submit(Subscriber("slow"))
    bench.sockets.slow.add("slow")

    def down(*args: object, **kwargs: object) -> None:
        raise ConnectionError

    monkeypatch.setattr(bench.replay_queue, "send", down)
    bench.process_all()
    monkeypatch.undo()
    bench.sockets.slow.clear()
    bench.clock.sleep(bench.engine.settings.deadline_grace_seconds)
    bench.engine.watchdog()
    assert bench.sockets.updates("slow") == list(enumerate(STATUSES, start=1))
    stored = bench.orders.get(order_id)
    assert stored is not None
    assert stored.deadline_ms is None


def test_a_slow_socket_that_rejoins_before_its_removal_is_queued_again(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = bench.submit(Subscriber("late"))
    leave, publisher, stored = bench.orders.leave, bench.engine.subscriptions.publisher, bench.orders.get(order_id)
    assert stored is not None

    def leave_late(*args: object) -> None:
        monkeypatch.setattr(bench.orders, "leave", leave)
        bench.sockets.slow.clear()
        bench.clock.sleep(3)
        [(replay, _)] = bench.replay_queue.sent
        assert isinstance(replay, RetrySocket)
        bench.engine.subscriptions.rejoin_order(replay)
        leave(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(bench.orders, "leave", leave_late)
    monkeypatch.setattr(publisher.deliverer, "monotonic", lambda: bench.clock.now_ms() / 1000)
    bench.sockets.slow.add("late")
    publisher.publish(replace(stored, published=0))
    retries = [replay for replay, _ in bench.replay_queue.sent if isinstance(replay, RetrySocket)]
    assert [retry.after_seq for retry in retries] == [0, 0]
    assert len(bench.replay_queue.sent) == 2


def test_a_connection_that_left_receives_nothing_more(bench: Workbench) -> None:
    order_id = bench.submit(Subscriber("me"), user_id="alice")
    follow(bench, "alice")
    bench.engine.subscriptions.leave_order(ANYONE, Subscriber("me"), order_id)
    bench.engine.user_streams.unfollow(ANYONE, Subscriber("me"), "alice")
    pushed = len(bench.sockets.frames["me"])
    bench.process_all()
    bench.submit(user_id="alice")
    assert len(bench.sockets.frames["me"]) == pushed


def test_a_gone_follower_is_removed(bench: Workbench) -> None:
    follow(bench, "alice")
    bench.sockets.gone.add("me")
    bench.submit(user_id="alice")
    bench.notify_followers()
    assert bench.streams.followers("alice") == frozenset()


def test_a_closed_connection_does_not_become_a_follower(bench: Workbench) -> None:
    bench.streams.disconnect("me")
    follow(bench, "alice")
    assert bench.streams.followers("alice") == frozenset()
    assert bench.replay_queue.sent == []


def late_look(bench: Workbench) -> FollowUser:
    """The look that a slow socket ended, as it is queued again."""
    bench.replay_queue.sent.clear()
    bench.engine.user_streams.looks.look(FollowUser(Subscriber("me"), "alice", 1, bench.clock.now_ms()))
    [again] = [replay for replay, _ in bench.replay_queue.sent if isinstance(replay, FollowUser)]
    return again


def test_a_look_ends_at_the_first_late_push_and_is_queued_again(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert bench.engine.user_streams.follow(ANYONE, Subscriber("me"), "alice")
    orders = [bench.engine.submit(ANYONE, a_limit(500, user_id="alice")).order_id for _ in range(5)]
    bench.replay_queue.sent.clear()
    for order_id in orders:
        bench.orders.leave(order_id, [Subscriber("me", via_user=True)])
    bench.clock.sleep(10)
    bench.sockets.slow.add("me")
    again = late_look(bench)
    me = Subscriber("me", via_user=True)
    retries = [replay for replay, _ in bench.replay_queue.sent if isinstance(replay, RetrySocket)]
    assert [retry.order_id for retry in retries] == orders[:1], "the others do not wait for the slow socket"
    assert (again.subscriber, again.look, again.tries) == (me, 1, 1)
    bench.sockets.slow.clear()
    bench.replay_queue.sent.clear()
    bench.engine.user_streams.looks.look(again)
    assert [frame["orderId"] for frame in bench.sockets.frames["me"]] == orders
    [(following, _)] = bench.replay_queue.sent
    assert isinstance(following, FollowUser)
    assert (following.look, following.tries) == (2, None)


def test_the_looks_of_a_socket_that_stays_slow_come_to_an_end(bench: Workbench) -> None:
    bench.submit(user_id="alice")
    bench.clock.sleep(10)
    assert bench.engine.user_streams.follow(ANYONE, Subscriber("me"), "alice")
    bench.sockets.slow.add("me")
    tries: int | None = None
    delays = []
    while True:
        bench.replay_queue.sent.clear()
        bench.engine.user_streams.looks.look(FollowUser(Subscriber("me"), "alice", 1, bench.clock.now_ms(), tries))
        found = [(replay, delay) for replay, delay in bench.replay_queue.sent if isinstance(replay, FollowUser)]
        if not found:
            break
        [(again, delay)] = found
        delays.append(delay)
        tries = again.tries
    assert delays == [2, 4, 8, 16]
    assert bench.streams.connection("me") is None


def test_a_follow_first_brings_what_a_subscribed_connection_lacks(bench: Workbench) -> None:
    order_id = bench.submit(Subscriber("me"), user_id="alice")
    # A worker writes two events and dies before it pushes them.
    stored = bench.orders.get(order_id)
    assert stored
    order = stored.order
    for _ in range(2):
        order = order.after(AttemptStarted(), bench.clock.now(), next_attempt=order.attempts == 0)
    bench.orders.write(replace(stored, published=1), order, lease=None, deadline_ms=None)
    bench.clock.sleep(1)
    follow(bench, "alice")
    assert [seq for seq, _ in bench.sockets.updates("me")] == [1, 2, 3]
