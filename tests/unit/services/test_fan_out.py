"""Orders with more subscribers than their item holds: groups of subscribers, each served by one worker at a time."""

from contextlib import suppress
from dataclasses import replace

import pytest

from chalicelib.codec.groups import group_message
from chalicelib.codec.messages import order_message
from chalicelib.consumers.fan_out import fan_out
from chalicelib.domain.orders import Order
from chalicelib.domain.status import Status
from chalicelib.ports.fan_out import GroupLeasedError
from chalicelib.ports.orders import StoredOrder
from chalicelib.ports.streams import MAX_DIRECT_SUBSCRIBERS, Connection, FollowUser, RetrySocket, Subscriber
from chalicelib.services.streams.fan_out import FIRST_GROUP, MAX_FIRST_GROUP
from orderengine.testing.invariants import stream_violations
from tests.support.callers import ANYONE
from tests.support.open_orders import a_limit
from tests.support.workbench import Workbench, a_workbench

CROWD = [Subscriber(f"socket-{number}") for number in range(90)]
STATUSES = ["pending", "routing", "routing", "building", "submitted", "confirmed"]
EVERYTHING = list(enumerate(STATUSES, start=1))


@pytest.fixture
def bench() -> Workbench:
    return a_workbench()


def join(bench: Workbench, order_id: str, subscribers: list[Subscriber] = CROWD, after_seq: int = 0) -> None:
    for subscriber in subscribers:
        bench.engine.subscriptions.join_order(ANYONE, subscriber, order_id, after_seq)


def follow(bench: Workbench, user_id: str, subscribers: list[Subscriber] = CROWD) -> None:
    for subscriber in subscribers:
        bench.streams.connect(Connection(subscriber.connection_id, coarse=False, expires_at=0))
        bench.engine.user_streams.follow(ANYONE, subscriber, user_id)


def received(bench: Workbench) -> set[tuple[tuple[int, str], ...]]:
    return {tuple(bench.sockets.updates(one.connection_id)) for one in CROWD}


def groups_of(bench: Workbench, order_id: str) -> dict[int, list[Subscriber]]:
    """The subscribers of each group of an order."""
    stored = bench.orders.get(order_id)
    assert stored is not None
    found = {number: bench.subscriber_groups.get(order_id, number) for number in stored.groups}
    return {
        number: [replace(one, after_seq=None) for one in group.members | group.joining]
        for number, group in found.items()
        if group
    }


def a_group(bench: Workbench, order_id: str) -> tuple[int, list[Subscriber]]:
    """A group of the order, and its subscribers."""
    return max(groups_of(bench, order_id).items(), key=lambda group: group[0])


def test_a_crowd_receives_every_event_once_and_in_order(bench: Workbench) -> None:
    order_id = bench.submit()
    join(bench, order_id)
    bench.serve_groups()
    bench.process_all()
    bench.serve_groups()
    assert received(bench) == {tuple(EVERYTHING)}


def test_the_item_of_an_order_holds_a_handful_of_subscribers(bench: Workbench) -> None:
    order_id = bench.submit()
    join(bench, order_id)
    stored = bench.orders.get(order_id)
    assert stored is not None
    assert len(stored.subscribers) == MAX_DIRECT_SUBSCRIBERS
    groups = groups_of(bench, order_id)
    assert sorted(map(len, groups.values()))[-1] == len(groups[FIRST_GROUP]) == MAX_FIRST_GROUP
    assert len(stored.subscribers) + sum(map(len, groups.values())) == len(CROWD)


def test_a_small_crowd_is_one_group(bench: Workbench) -> None:
    follow(bench, "alice", CROWD[: MAX_DIRECT_SUBSCRIBERS + 4])
    order_id = bench.submit(user_id="alice")
    bench.notify_followers()
    assert {message.number for message in bench.fan_out_queue.sent} == {FIRST_GROUP}
    bench.process_all()
    bench.serve_groups()
    assert len(groups_of(bench, order_id)) == 0
    for one in CROWD[: MAX_DIRECT_SUBSCRIBERS + 4]:
        assert bench.sockets.updates(one.connection_id) == EVERYTHING


def test_an_order_pushes_to_none_of_its_crowd_itself(bench: Workbench) -> None:
    order_id = bench.submit()
    join(bench, order_id)
    _, members = a_group(bench, order_id)
    bench.process_all()
    assert bench.order(order_id).status is Status.CONFIRMED
    assert [bench.sockets.updates(one.connection_id) for one in members] == [EVERYTHING[:1]] * len(members)
    bench.serve_groups()
    assert received(bench) == {tuple(EVERYTHING)}


def test_the_followers_of_a_crowded_user_receive_every_event_of_each_order(bench: Workbench) -> None:
    follow(bench, "alice")
    orders = [bench.submit(user_id="alice") for _ in range(3)]
    bench.notify_followers()
    bench.process_all()
    bench.serve_groups()
    for one in CROWD:
        frames = bench.sockets.frames[one.connection_id]
        for order_id in orders:
            assert [frame["status"] for frame in frames if frame["orderId"] == order_id] == STATUSES


def test_a_group_of_an_order_that_is_over_is_deleted(bench: Workbench) -> None:
    order_id = bench.submit()
    join(bench, order_id)
    bench.process_all()
    bench.serve_groups()
    assert groups_of(bench, order_id) == {}


def test_a_crowd_that_is_ahead_of_its_order_receives_the_later_events_alone(bench: Workbench) -> None:
    order_id = bench.submit()
    join(bench, order_id, after_seq=4)
    bench.serve_groups()
    bench.process_all()
    bench.serve_groups()
    assert received(bench) == {tuple(EVERYTHING[4:])}


@pytest.mark.parametrize("seq", range(2, 6))
def test_a_subscriber_that_joins_while_its_group_is_served_misses_nothing(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch, seq: int
) -> None:
    order_id = bench.submit()
    join(bench, order_id, CROWD[:-1])
    late = CROWD[-1]
    push = bench.sockets.push

    def push_and_join(connection_id: str, text: str) -> None:
        push(connection_id, text)
        if f'"seq":{seq},' in text and connection_id != late.connection_id and late not in joined:
            joined.append(late)
            join(bench, order_id, [late])

    joined: list[Subscriber] = []
    monkeypatch.setattr(bench.sockets, "push", push_and_join)
    bench.process_all()
    bench.serve_groups()
    assert joined
    assert received(bench) == {tuple(EVERYTHING)}


def test_an_event_that_comes_while_a_group_is_served_is_pushed_by_the_same_worker(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = bench.submit()
    join(bench, order_id)
    number, members = a_group(bench, order_id)
    replace_group = bench.subscriber_groups.replace
    raced: list[str] = []

    def replace_too_late(*args: object) -> bool:
        if not raced:
            raced.append("yes")
            bench.process_all()
            with pytest.raises(GroupLeasedError):
                bench.engine.serve_group(order_id, number, "other")
        return replace_group(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(bench.subscriber_groups, "replace", replace_too_late)
    bench.engine.serve_group(order_id, number, "first")
    assert {tuple(bench.sockets.updates(one.connection_id)) for one in members} == {tuple(EVERYTHING)}


def test_a_worker_that_dies_leaves_its_group_to_the_next_after_its_lease(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = bench.submit()
    join(bench, order_id)
    bench.process_all()
    number, members = a_group(bench, order_id)

    def die(*args: object) -> bool:
        raise SystemExit

    with monkeypatch.context() as dying:
        dying.setattr(bench.subscriber_groups, "replace", die)
        with pytest.raises(SystemExit):
            bench.engine.serve_group(order_id, number, "lost")
    record = {"messageId": "1", "receiptHandle": "1", "body": f'{{"v":2,"orderId":"{order_id}","group":{number}}}'}

    def deliver(receives: int) -> bool:
        attributes = {"ApproximateReceiveCount": str(receives)}
        return bool(fan_out(bench.engine, {"Records": [{**record, "attributes": attributes}]})["batchItemFailures"])

    assert not deliver(1), "a later message ends: the message of the lost worker comes again"
    assert deliver(2), "that message waits for the end of the lease"
    bench.clock.sleep(bench.engine.settings.lease_seconds + 1)
    assert not deliver(3)
    for one in members:
        assert sorted(set(bench.sockets.updates(one.connection_id))) == EVERYTHING


def test_the_messages_of_one_group_in_a_batch_are_served_by_one_round(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = bench.submit()
    join(bench, order_id)
    bench.process_all()
    leases: list[object] = []
    lease = bench.subscriber_groups.lease

    def count(*args: object) -> object:
        leases.append(args)
        return lease(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(bench.subscriber_groups, "lease", count)
    records = [
        {
            "messageId": str(number),
            "receiptHandle": str(number),
            "body": group_message(message.order_id, message.number),
            "attributes": {"ApproximateReceiveCount": "1"},
        }
        for number, message in enumerate(bench.fan_out_queue.sent)
    ]
    assert fan_out(bench.engine, {"Records": records}) == {"batchItemFailures": []}
    assert len(records) > len(leases) == len(set(bench.fan_out_queue.sent))
    assert received(bench) == {tuple(EVERYTHING)}


def test_a_gone_socket_leaves_its_group_and_delays_nobody(bench: Workbench) -> None:
    order_id = bench.submit()
    join(bench, order_id)
    number, members = a_group(bench, order_id)
    bench.sockets.gone.add(members[0].connection_id)
    assert bench.lease("worker")
    bench.serve_groups()
    assert set(groups_of(bench, order_id)[number]) == set(members[1:])
    assert {tuple(bench.sockets.updates(one.connection_id)) for one in members[1:]} == {tuple(EVERYTHING[:2])}


def test_a_slow_socket_of_a_group_is_caught_up_by_the_replay_queue(bench: Workbench) -> None:
    order_id = bench.submit()
    join(bench, order_id)
    bench.serve_groups()
    _, members = a_group(bench, order_id)
    slow = members[0]
    bench.sockets.slow.add(slow.connection_id)
    bench.process_all()
    bench.serve_groups()
    bench.sockets.slow.clear()
    [(retry, delay)] = bench.replay_queue.sent
    assert (retry, delay) == (RetrySocket(slow, order_id, 1, tries=1, late_since_ms=bench.clock.now_ms()), 2)
    assert isinstance(retry, RetrySocket)
    bench.engine.subscriptions.rejoin_order(retry)
    assert received(bench) == {tuple(EVERYTHING)}


def test_a_subscriber_of_a_group_can_leave(bench: Workbench) -> None:
    order_id = bench.submit()
    join(bench, order_id)
    bench.serve_groups()
    _, members = a_group(bench, order_id)
    bench.engine.subscriptions.leave_order(ANYONE, members[0], order_id)
    bench.process_all()
    bench.serve_groups()
    assert bench.sockets.updates(members[0].connection_id) == EVERYTHING[:1]
    assert bench.sockets.updates(members[1].connection_id) == EVERYTHING


def test_a_worker_whose_time_is_up_lets_the_next_message_go_on_where_it_stopped(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = bench.submit()
    join(bench, order_id)
    bench.process_all()
    push, deliverer = bench.sockets.push, bench.engine.serve_group.deliverer

    def push_slowly(connection_id: str, text: str) -> None:
        bench.clock.sleep(3)
        push(connection_id, text)

    monkeypatch.setattr(bench.sockets, "push", push_slowly)
    monkeypatch.setattr(deliverer, "monotonic", lambda: bench.clock.now_ms() / 1000)
    bench.serve_groups()
    assert received(bench) == {tuple(EVERYTHING)}


def test_events_that_the_fan_out_queue_refuses_are_published_with_the_next_one(bench: Workbench) -> None:
    order_id = bench.engine.submit(ANYONE, a_limit(500)).order_id
    join(bench, order_id)
    bench.serve_groups()
    bench.fan_out_queue.down = True
    bench.engine.cancel(ANYONE, order_id)
    bench.fan_out_queue.down = False
    bench.clock.sleep(bench.engine.settings.deadline_grace_seconds + 1)
    bench.engine.watchdog()
    bench.serve_groups()
    for one in CROWD:
        updates = bench.sockets.updates(one.connection_id)
        assert list(dict.fromkeys(updates)) == [(1, "pending"), (2, "open"), (3, "cancelled")]


def test_a_second_subscription_of_a_connection_receives_a_new_replay(bench: Workbench) -> None:
    order_id = bench.submit()
    join(bench, order_id)
    bench.serve_groups()
    _, members = a_group(bench, order_id)
    join(bench, order_id, [members[0]] * 3)
    bench.serve_groups()
    bench.process_all()
    bench.serve_groups()
    assert bench.sockets.updates(members[0].connection_id) == [EVERYTHING[0], *EVERYTHING]


def test_a_connection_that_also_follows_the_user_stays_subscribed_through_the_user_stream(bench: Workbench) -> None:
    follow(bench, "alice")
    order_id = bench.submit(user_id="alice")
    bench.notify_followers()
    bench.serve_groups()
    join(bench, order_id)
    bench.serve_groups()
    for one in CROWD:
        bench.engine.subscriptions.leave_order(ANYONE, one, order_id)
    bench.process_all()
    bench.serve_groups()
    for one in CROWD:
        seqs = [seq for seq, _ in bench.sockets.updates(one.connection_id)]
        assert list(dict.fromkeys(seqs)) == [1, 2, 3, 4, 5, 6]


def test_a_look_leaves_the_orders_that_were_accepted_after_the_follow_to_their_own_notification(
    bench: Workbench,
) -> None:
    follow(bench, "alice")
    followed_at_ms = bench.clock.now_ms()
    bench.clock.sleep(1)
    bench.submit(user_id="alice")
    assert bench.lease("worker")
    assert bench.engine.user_streams.looks.look(FollowUser(CROWD[0], "alice", 1, followed_at_ms))
    assert bench.sockets.updates("socket-0") == []
    bench.notify_followers()
    bench.serve_groups()
    assert received(bench) == {((1, "pending"), (2, "routing"))}


def test_a_follow_first_brings_what_a_member_of_a_group_lacks(bench: Workbench) -> None:
    order_id = bench.submit(user_id="alice")
    join(bench, order_id)
    _, members = a_group(bench, order_id)
    me = members[0]
    bench.process()
    bench.streams.connect(Connection(me.connection_id, coarse=False, expires_at=0))
    stored = bench.orders.get(order_id)
    assert stored
    open_again = replace(stored, order=Order.replayed(order_id, stored.order.spec, stored.order.events[:5]))
    bench.engine.subscriptions.follow_order(open_again, replace(me, via_user=True))
    assert bench.sockets.updates(me.connection_id)[:5] == EVERYTHING[:5]


def test_no_live_frame_comes_between_the_frames_that_a_member_of_a_group_asks_for_again(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    follow(bench, "alice")
    order_id = bench.submit(user_id="alice")
    bench.notify_followers()
    bench.serve_groups()
    assert bench.lease("lost")
    bench.serve_groups()
    _, members = a_group(bench, order_id)
    me = replace(members[0], via_user=False)
    push = bench.sockets.push
    raced: list[str] = []

    def push_while_the_order_goes_on(connection_id: str, text: str) -> None:
        push(connection_id, text)
        if connection_id == me.connection_id and not raced:
            raced.append("yes")
            bench.clock.sleep(bench.engine.settings.lease_seconds + 1)
            bench.order_queue.bodies.append(order_message(StoredOrder(bench.order(order_id))))
            bench.process_all()
            for message in bench.fan_out_queue.sent:
                with suppress(GroupLeasedError):
                    bench.engine.serve_group(message.order_id, message.number, "live")

    bench.sockets.frames[me.connection_id].clear()
    monkeypatch.setattr(bench.sockets, "push", push_while_the_order_goes_on)
    join(bench, order_id, [me])
    bench.serve_groups()
    seqs = [seq for seq, _ in bench.sockets.updates(me.connection_id)]
    assert stream_violations(seqs, 0, bench.order(order_id).seq) == []


def test_a_connection_keeps_its_user_stream_if_it_subscribes_again_to_an_order_with_groups(bench: Workbench) -> None:
    follow(bench, "alice", CROWD[:1])
    order_id = bench.submit(user_id="alice")
    bench.notify_followers()
    join(bench, order_id, CROWD[1:])
    stored, me = bench.orders.get(order_id), CROWD[0]
    assert stored
    assert replace(me, via_user=True) in stored.subscribers
    bench.engine.subscriptions.fan_out.join(stored, {me: 1})
    join(bench, order_id, [me])
    bench.serve_groups()
    bench.engine.subscriptions.leave_order(ANYONE, me, order_id)
    bench.process_all()
    bench.serve_groups()
    assert bench.sockets.updates(me.connection_id)[-1] == EVERYTHING[-1]


def lives(bench: Workbench, subscriber: Subscriber) -> list[int]:
    """The ``seq`` of each live frame of a connection."""
    frames = bench.sockets.frames[subscriber.connection_id]
    return [frame["seq"] for frame in frames if frame["type"] == "live"]


def test_every_socket_of_a_crowd_is_told_once_that_its_stream_is_live(bench: Workbench) -> None:
    order_id = bench.submit()
    join(bench, order_id)
    bench.process_all()
    bench.serve_groups()
    assert {tuple(lives(bench, one)) for one in CROWD} == {(1,)}


@pytest.mark.parametrize("after_seq", [0, 1])
@pytest.mark.parametrize("goes_on", [False, True])
def test_a_connection_of_a_group_that_subscribes_again_is_told_that_it_is_live_after_its_replay(
    bench: Workbench, after_seq: int, goes_on: bool
) -> None:
    order_id = bench.submit()
    join(bench, order_id)
    bench.serve_groups()
    _, members = a_group(bench, order_id)
    me = members[0]
    bench.sockets.frames[me.connection_id].clear()
    join(bench, order_id, [me], after_seq)
    if goes_on:
        bench.process_all()
    bench.serve_groups()
    last = 6 if goes_on else 1
    frames = [(frame["type"], frame["seq"]) for frame in bench.sockets.frames[me.connection_id]]
    assert frames == [*(("ORDER_UPDATE", seq) for seq in range(after_seq + 1, last + 1)), ("live", last)]
    bench.serve_groups()
    assert lives(bench, me) == [last]


def test_a_member_of_a_group_that_is_slow_at_its_live_frame_gets_it_from_the_replay_queue(bench: Workbench) -> None:
    order_id = bench.submit()
    join(bench, order_id)
    bench.serve_groups()
    _, members = a_group(bench, order_id)
    me = members[0]
    bench.sockets.frames[me.connection_id].clear()
    join(bench, order_id, [me], after_seq=1)
    bench.sockets.slow.add(me.connection_id)
    bench.serve_groups()
    bench.sockets.slow.clear()
    for retry, _ in bench.replay_queue.sent:
        assert isinstance(retry, RetrySocket)
        bench.engine.subscriptions.rejoin_order(retry)
    bench.serve_groups()
    assert lives(bench, me) == [1]
