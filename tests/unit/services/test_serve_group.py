"""The service of a group while leases end, queues fail, and subscribers are dropped and come back."""

from typing import Any

import pytest

from chalicelib.codec.groups import group_message
from chalicelib.consumers.fan_out import fan_out
from chalicelib.domain.errors import ContendedError
from chalicelib.ports.fan_out import SubscriberGroup
from chalicelib.ports.streams import Connection, RetrySocket, Subscriber
from chalicelib.services.streams.fan_out import FIRST_GROUP
from orderengine.testing.inline import InlineExecutor
from tests.support.callers import ANYONE
from tests.support.open_orders import a_limit
from tests.support.workbench import Workbench, a_workbench

CROWD = [Subscriber(f"socket-{number}") for number in range(20)]
STATUSES = ["pending", "routing", "routing", "building", "submitted", "confirmed"]
EVERYTHING = list(enumerate(STATUSES, start=1))


@pytest.fixture
def bench() -> Workbench:
    return a_workbench()


@pytest.fixture
def order_id(bench: Workbench) -> str:
    """An order whose crowd has its first event and lacks the second."""
    order_id = bench.submit()
    for one in CROWD:
        bench.engine.subscriptions.join_order(ANYONE, one, order_id)
    serve(bench, order_id)
    assert bench.lease("lost")
    return order_id


def group(bench: Workbench, order_id: str) -> SubscriberGroup | None:
    return bench.subscriber_groups.get(order_id, FIRST_GROUP)


def members(bench: Workbench, order_id: str) -> list[Subscriber]:
    found = group(bench, order_id)
    assert found
    return sorted(found.members, key=lambda one: one.connection_id)


def serve(bench: Workbench, order_id: str, owner: str = "me") -> None:
    bench.engine.serve_group(order_id, FIRST_GROUP, owner)


def rejoin(bench: Workbench) -> None:
    """Rejoin the slow sockets, as the replay queue does."""
    sent, bench.replay_queue.sent = bench.replay_queue.sent, []
    for retry, _ in sent:
        assert isinstance(retry, RetrySocket)
        bench.engine.subscriptions.rejoin_order(retry)


def groups_of(bench: Workbench, order_id: str) -> frozenset[int]:
    stored = bench.orders.get(order_id)
    assert stored
    return stored.groups


def record(order_id: str) -> dict[str, Any]:
    body = group_message(order_id, FIRST_GROUP)
    attributes = {"ApproximateReceiveCount": "1"}
    return {"messageId": "1", "receiptHandle": "1", "body": body, "attributes": attributes}


def test_a_dropped_socket_that_another_worker_serves_again_stays_in_its_group(
    bench: Workbench, order_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = members(bench, order_id)[0]
    replace_group = bench.subscriber_groups.replace

    def replace_too_late(*args: Any) -> bool:
        monkeypatch.setattr(bench.subscriber_groups, "replace", replace_group)
        bench.sockets.slow.clear()
        bench.clock.sleep(bench.engine.settings.lease_seconds + 1)
        serve(bench, order_id, "other")
        return replace_group(*args)

    monkeypatch.setattr(bench.subscriber_groups, "replace", replace_too_late)
    bench.sockets.slow.add(slow.connection_id)
    serve(bench, order_id)
    assert slow in members(bench, order_id)


def test_a_dropped_socket_stays_in_its_group_if_it_is_back_before_a_lost_answer_is_known(
    bench: Workbench, order_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = members(bench, order_id)[0]
    replace_group = bench.subscriber_groups.replace

    def replace_without_answer(*args: Any) -> bool:
        monkeypatch.setattr(bench.subscriber_groups, "replace", replace_group)
        assert replace_group(*args)
        bench.sockets.slow.clear()
        rejoin(bench)
        serve(bench, order_id, "other")
        return False

    monkeypatch.setattr(bench.subscriber_groups, "replace", replace_without_answer)
    bench.sockets.slow.add(slow.connection_id)
    serve(bench, order_id)
    assert slow in members(bench, order_id)


def test_a_socket_is_dropped_once_however_often_its_group_changes_under_the_same_lease(
    bench: Workbench, order_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, *others = members(bench, order_id)
    replace_group = bench.subscriber_groups.replace

    def replace_a_changed_group(*args: Any) -> bool:
        monkeypatch.setattr(bench.subscriber_groups, "replace", replace_group)
        bench.subscriber_groups.add(order_id, FIRST_GROUP, [Subscriber("new", after_seq=0)], expires_at=0)
        return replace_group(*args)

    monkeypatch.setattr(bench.subscriber_groups, "replace", replace_a_changed_group)
    bench.sockets.slow.add(slow.connection_id)
    serve(bench, order_id)
    assert bench.replay_queue.sent == [
        (RetrySocket(slow, order_id, after_seq=1, tries=1, late_since_ms=bench.clock.now_ms()), 2)
    ]
    assert members(bench, order_id) == [Subscriber("new"), *others]
    assert bench.sockets.updates(others[0].connection_id) == EVERYTHING[:2]


def test_a_dropped_socket_that_subscribes_again_under_the_same_lease_is_served(
    bench: Workbench, order_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = members(bench, order_id)[0]
    replace_group = bench.subscriber_groups.replace

    def replace_after_a_new_subscription(*args: Any) -> bool:
        monkeypatch.setattr(bench.subscriber_groups, "replace", replace_group)
        bench.sockets.slow.clear()
        bench.engine.subscriptions.join_order(ANYONE, slow, order_id)
        return replace_group(*args)

    monkeypatch.setattr(bench.subscriber_groups, "replace", replace_after_a_new_subscription)
    bench.sockets.slow.add(slow.connection_id)
    serve(bench, order_id)
    assert slow in members(bench, order_id)
    assert bench.sockets.updates(slow.connection_id) == [EVERYTHING[0], *EVERYTHING[:2]]


def test_a_replay_queue_that_is_down_keeps_neither_the_lease_nor_a_frame(bench: Workbench, order_id: str) -> None:
    slow, *others = members(bench, order_id)
    bench.sockets.slow.add(slow.connection_id)
    bench.replay_queue.down = True
    with pytest.raises(ConnectionError):
        serve(bench, order_id)
    assert bench.sockets.updates(others[0].connection_id) == EVERYTHING[:2]
    bench.sockets.slow.clear()
    serve(bench, order_id, "the next delivery of the message")
    for one in [slow, *others]:
        assert bench.sockets.updates(one.connection_id) == EVERYTHING[:2]
    assert members(bench, order_id) == [slow, *others]


def test_followers_that_cannot_be_removed_do_not_keep_a_group_leased(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = followed_by_a_crowd(bench)
    here = Subscriber("socket-0", via_user=True)
    bench.sockets.gone |= {one.connection_id for one in CROWD} - {here.connection_id}

    def throttled(*_: object) -> None:
        raise ConnectionError

    monkeypatch.setattr(bench.streams, "remove_followers", throttled)
    bench.serve_groups()
    assert members(bench, order_id) == [here]


def followed_by_a_crowd(bench: Workbench) -> str:
    for one in CROWD:
        bench.streams.connect(Connection(one.connection_id, coarse=False, expires_at=0))
        bench.engine.user_streams.follow(ANYONE, one, "alice")
    order_id = bench.submit(user_id="alice")
    bench.notify_followers()
    return order_id


def test_followers_that_vanish_together_are_removed_by_one_write(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    followed_by_a_crowd(bench)
    remove, writes = bench.streams.remove_followers, []

    def count(*args: Any) -> None:
        writes.append(args)
        remove(*args)

    monkeypatch.setattr(bench.streams, "remove_followers", count)
    bench.sockets.gone |= {one.connection_id for one in CROWD}
    bench.serve_groups()
    assert len(writes) == 1
    assert bench.streams.followers("alice") == frozenset()


@pytest.fixture
def emptied(bench: Workbench) -> str:
    """An open order whose group turned empty."""
    order_id = bench.engine.submit(ANYONE, a_limit(500)).order_id
    for one in CROWD:
        bench.engine.subscriptions.join_order(ANYONE, one, order_id)
    for one in CROWD:
        bench.engine.subscriptions.leave_order(ANYONE, one, order_id)
    serve(bench, order_id)
    assert group(bench, order_id) is None
    return order_id


def test_an_order_stops_naming_a_group_that_turned_empty(bench: Workbench, emptied: str) -> None:
    serve(bench, emptied)
    assert groups_of(bench, emptied) == frozenset()


def join_again(bench: Workbench, order_id: str) -> None:
    """Join the crowd with a copy of the order that was read before its group's number was removed."""
    stored = bench.orders.get(order_id)
    assert stored
    bench.engine.subscriptions.fan_out.join(stored, dict.fromkeys(CROWD, stored.order.seq))


@pytest.mark.parametrize("moment", ["lease", "remove_group"])
def test_a_join_while_the_number_of_an_absent_group_is_removed_misses_nothing(
    bench: Workbench, emptied: str, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    port: Any = bench.subscriber_groups if moment == "lease" else bench.orders
    function = getattr(port, moment)

    def join_meanwhile(*args: Any) -> Any:
        monkeypatch.undo()
        if moment == "lease":
            found = function(*args)
            join_again(bench, emptied)
            return found
        stored = bench.orders.get(emptied)
        assert stored
        function(*args)
        bench.engine.subscriptions.fan_out.join(stored, dict.fromkeys(CROWD, stored.order.seq))
        return None

    monkeypatch.setattr(port, moment, join_meanwhile)
    serve(bench, emptied)
    assert groups_of(bench, emptied) == {FIRST_GROUP}
    bench.engine.cancel(ANYONE, emptied)
    bench.serve_groups()
    for one in CROWD:
        assert bench.sockets.updates(one.connection_id)[-1] == (3, "cancelled")


def test_a_worker_that_found_a_group_absent_and_died_leaves_no_subscriber_behind(
    bench: Workbench, emptied: str
) -> None:
    join_again(bench, emptied)
    bench.orders.remove_group(emptied, FIRST_GROUP)
    serve(bench, emptied, "the next delivery of its message")
    assert groups_of(bench, emptied) == {FIRST_GROUP}


def test_a_message_whose_group_no_worker_could_mark_is_delivered_again(
    bench: Workbench, order_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def contended(*_: object) -> None:
        raise ContendedError("group")

    monkeypatch.setattr(bench.subscriber_groups, "lease", contended)
    assert fan_out(bench.engine, {"Records": [record(order_id)]})["batchItemFailures"]


def test_a_subscriber_that_leaves_while_a_worker_settles_its_entry_is_gone(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = bench.submit()
    for one in CROWD:
        bench.engine.subscriptions.join_order(ANYONE, one, order_id)
    leaving = CROWD[-1]
    remove = bench.subscriber_groups.remove

    def remove_after_the_service(*args: Any) -> None:
        monkeypatch.undo()
        serve(bench, order_id)
        assert leaving in members(bench, order_id), "the entry that the leave found had a position of its own"
        remove(*args)

    monkeypatch.setattr(bench.subscriber_groups, "remove", remove_after_the_service)
    bench.engine.subscriptions.leave_order(ANYONE, leaving, order_id)
    assert leaving not in members(bench, order_id)


def test_a_push_that_fails_in_an_unforeseen_way_is_retried_by_the_replay_queue(
    bench: Workbench, order_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, *others = members(bench, order_id)
    push = bench.sockets.push

    def break_down(connection_id: str, text: str) -> None:
        if connection_id == broken.connection_id:
            raise RuntimeError("unforeseen")
        push(connection_id, text)

    monkeypatch.setattr(bench.sockets, "push", break_down)
    serve(bench, order_id)
    assert bench.replay_queue.sent == [
        (RetrySocket(broken, order_id, after_seq=1, tries=1, late_since_ms=bench.clock.now_ms()), 2)
    ]
    assert members(bench, order_id) == others


def lives(bench: Workbench, one: Subscriber) -> int:
    return [frame["type"] for frame in bench.sockets.frames[one.connection_id]].count("live")


@pytest.fixture
def awaiting(bench: Workbench, order_id: str) -> list[Subscriber]:
    """Members that have every event and await their live frames."""
    serve(bench, order_id)
    bench.fan_out_queue.sent.clear()
    found = members(bench, order_id)[:6]
    for one in found:
        bench.sockets.frames[one.connection_id].clear()
        bench.engine.subscriptions.join_order(ANYONE, one, order_id, after_seq=2)
    return found


def test_live_frames_are_pushed_within_the_time_of_a_service(
    bench: Workbench, order_id: str, awaiting: list[Subscriber], monkeypatch: pytest.MonkeyPatch
) -> None:
    deliverer, push = bench.engine.serve_group.deliverer, bench.sockets.push
    clock = [0.0]

    def push_slowly(connection_id: str, text: str) -> None:
        clock[0] += bench.engine.settings.fan_out_seconds + 1
        push(connection_id, text)

    monkeypatch.setattr(deliverer, "monotonic", lambda: clock[0])
    monkeypatch.setattr(deliverer, "_executor", InlineExecutor())
    monkeypatch.setattr(bench.sockets, "push", push_slowly)
    serve(bench, order_id)
    assert sum(lives(bench, one) for one in awaiting) == 1
    assert bench.fan_out_queue.sent, "a further message serves the others"
    monkeypatch.setattr(bench.sockets, "push", push)
    serve(bench, order_id)
    assert [lives(bench, one) for one in awaiting] == [1] * len(awaiting)


def test_a_live_frame_that_neither_socket_nor_replay_queue_took_is_pushed_by_the_next_message(
    bench: Workbench, order_id: str, awaiting: list[Subscriber]
) -> None:
    slow = awaiting[0]
    bench.sockets.slow.add(slow.connection_id)
    bench.replay_queue.down = True
    with pytest.raises(ConnectionError):
        serve(bench, order_id)
    bench.sockets.slow.clear()
    serve(bench, order_id, "the next delivery of the message")
    assert [lives(bench, one) for one in awaiting] == [1] * len(awaiting)
    assert set(awaiting) <= set(members(bench, order_id))
