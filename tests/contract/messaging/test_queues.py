"""The contract of the queues, on the fakes and on SQS."""

from datetime import UTC, datetime

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import ANY, Stubber

from chalicelib.codec.looks import read_look_message
from chalicelib.codec.messages import read_order_message
from chalicelib.codec.replays import read_replay_message
from chalicelib.domain.orders import Order
from chalicelib.domain.spec import Priority
from chalicelib.messaging.queues import SqsDeadLetterQueue, SqsHighPriorityQueue, SqsReplayQueue
from chalicelib.ports.orders import StoredOrder
from chalicelib.ports.queues import DelayedLook, LooksFromNow, MarketLook, QueueDepth, WatchdogLook
from chalicelib.ports.streams import FollowUser, NotifyFollowers, OpenStream, RetrySocket, StreamReplay, Subscriber
from tests.contract.messaging.conftest import Queued, Sqs
from tests.contract.stores.aws import Aws, settings
from tests.support.order_builders import pending, retried, routed
from tests.support.specs import a_spec

AT = datetime(2026, 1, 1, tzinfo=UTC)
SUBSCRIBER = Subscriber("abc=:#é", coarse=True, via_user=True)
REPLAY = RetrySocket(SUBSCRIBER, "order-1", after_seq=3, tries=1)
REPLAYS = [
    REPLAY,
    OpenStream("abc=:#é", {"orderId": "order-1", "afterSeq": "3"}, coarse=True),
    OpenStream("abc", {"orderId": ["order-1", "order-2"], "foo": [""]}),
    FollowUser(SUBSCRIBER, "alice", look=1),
    NotifyFollowers("order-1"),
]


@pytest.mark.parametrize("order", [pending(), routed(pending()), retried(routed(pending()))])
def test_the_processor_reads_the_order_that_was_sent(order_queue: Queued, order: Order) -> None:
    stored = StoredOrder(order, frozenset({Subscriber("one")}), published=1)
    order_queue.queue.send(stored)
    [body] = order_queue.bodies()
    assert read_order_message(body) == StoredOrder(stored.order, published=1)


@pytest.mark.parametrize("replay", REPLAYS, ids=lambda replay: type(replay).__name__)
def test_a_replay_is_delivered_as_it_was_sent(replay_queue: Queued, replay: StreamReplay) -> None:
    replay_queue.queue.send([replay])
    [body] = replay_queue.bodies()
    assert read_replay_message(body) == replay


@pytest.mark.parametrize("number", [0, 1, 10, 11, 25])
def test_each_of_many_replays_is_queued_once(replay_queue: Queued, number: int) -> None:
    sent = [OpenStream(f"connection-{index}", {"userId": "alice"}) for index in range(number)]
    replay_queue.queue.send(sent)
    received = [read_replay_message(body) for body in replay_queue.bodies()]
    assert sorted(received, key=str) == sorted(sent, key=str)


def test_a_message_that_waits_is_seen_and_one_that_is_delayed_or_in_flight_is_not(sqs_orders: Sqs) -> None:
    assert not sqs_orders.queue.has_waiting()
    sqs_orders.queue.send(StoredOrder(pending()), delay_seconds=60)
    assert not sqs_orders.queue.has_waiting()
    sqs_orders.queue.send(StoredOrder(pending()))
    assert sqs_orders.queue.has_waiting()
    assert len(sqs_orders.receive()) == 1
    assert not sqs_orders.queue.has_waiting()


def test_each_look_is_delivered_after_its_delay(sqs_looks: Sqs) -> None:
    due: list[DelayedLook] = [(kind(number), 0) for number in range(8) for kind in (MarketLook, WatchdogLook)]
    later: list[DelayedLook] = [(kind(number), 55) for number in range(8) for kind in (MarketLook, WatchdogLook)]
    sqs_looks.queue.send([*due[:9], *later, *due[9:]])
    received = [read_look_message(body) for body in sqs_looks.bodies()]
    assert sorted(received, key=str) == sorted((look for look, _ in due), key=str)


def test_looks_are_asked_for_by_a_message(sqs_looks: Sqs) -> None:
    sqs_looks.queue.wake()
    assert [read_look_message(body) for body in sqs_looks.bodies()] == [LooksFromNow()]


def test_a_working_queue_answers_a_ping(order_queue: Queued) -> None:
    order_queue.queue.ping()
    assert order_queue.bodies() == []


def test_a_missing_queue_does_not_answer(sqs_orders: Sqs) -> None:
    sqs_orders.client.delete_queue(QueueUrl=sqs_orders.url)
    with pytest.raises(ClientError):
        sqs_orders.queue.ping()


def test_a_delayed_replay_is_not_delivered_at_once(sqs_replays: Sqs) -> None:
    sqs_replays.queue.send([REPLAY], delay_seconds=5)
    assert sqs_replays.receive() == []


def test_a_held_message_is_not_delivered_to_another_worker(sqs_orders: Sqs) -> None:
    sqs_orders.queue.send(StoredOrder(pending()))
    [message] = sqs_orders.receive()
    sqs_orders.queue.hold(message["ReceiptHandle"], 15)
    assert sqs_orders.receive() == []


@pytest.mark.parametrize("seconds", [0, -1])
def test_a_message_that_is_released_is_delivered_at_once(sqs_orders: Sqs, seconds: int) -> None:
    sqs_orders.queue.send(StoredOrder(pending()))
    [message] = sqs_orders.receive()
    sqs_orders.queue.hold(message["ReceiptHandle"], seconds)
    assert [again["Body"] for again in sqs_orders.receive()] == [message["Body"]]


def test_a_hold_is_never_longer_than_sqs_accepts(sqs_orders: Sqs) -> None:
    """SQS accepts at most twelve hours, counted from the receipt of the message."""
    sqs_orders.queue.send(StoredOrder(pending()))
    [message] = sqs_orders.receive()
    sqs_orders.queue.hold(message["ReceiptHandle"], 10**6)
    assert sqs_orders.receive() == []


def test_a_partly_accepted_batch_is_an_error(sqs_replays: Sqs) -> None:
    client = boto3.client("sqs", "us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
    refused = {"Id": "1", "SenderFault": False, "Code": "InternalError"}
    with Stubber(client) as stubber:
        stubber.add_response("send_message_batch", {"Successful": [], "Failed": [refused]})
        with pytest.raises(RuntimeError, match="1 messages were not queued: InternalError"):
            SqsReplayQueue(client, sqs_replays.url).send([REPLAY, REPLAY])


def test_a_high_priority_order_is_in_both_queues_and_another_in_one(sqs_orders: Sqs, sqs_high_priority: Sqs) -> None:
    high_priority = Order.accepted("order-1", a_spec(priority=Priority.HIGH), AT)
    sqs_orders.queue.send(StoredOrder(high_priority))
    sqs_orders.queue.send(StoredOrder(pending()))
    assert len(sqs_orders.bodies()) == 2
    taken = sqs_high_priority.queue.take()
    assert read_order_message(taken["body"]).order == high_priority
    assert sqs_high_priority.queue.take() is None
    sqs_high_priority.queue.hold(taken["receiptHandle"], 0)
    again = sqs_high_priority.queue.take()
    assert (again["messageId"], again["attributes"]["ApproximateReceiveCount"]) == (taken["messageId"], "2")
    sqs_high_priority.queue.delete(again["receiptHandle"])
    assert sqs_high_priority.bodies() == []


def test_orders_are_grouped_by_user_so_that_the_queue_is_fair(sqs_orders: Sqs) -> None:
    with Stubber(sqs_orders.client) as stub:
        wanted = {"QueueUrl": sqs_orders.url, "MessageBody": ANY, "DelaySeconds": 7, "MessageGroupId": "tester"}
        stub.add_response("send_message", {}, wanted)
        sqs_orders.queue.send(StoredOrder(Order.accepted("order-1", a_spec(user_id="tester"), AT)), delay_seconds=7)


def test_a_delayed_order_is_not_delivered_at_once(sqs_orders: Sqs) -> None:
    sqs_orders.queue.send(StoredOrder(pending()), delay_seconds=900)
    assert sqs_orders.bodies() == []


def test_an_empty_queue_is_not_polled_again_at_once(sqs_orders: Sqs) -> None:
    now = 1000.0
    high_priority = SqsHighPriorityQueue(
        sqs_orders.client, settings().high_priority_queue_url, seconds=15, monotonic=lambda: now
    )
    assert high_priority.take() is None
    sqs_orders.queue.send(StoredOrder(Order.accepted("order-1", a_spec(priority=Priority.HIGH), AT)))
    assert high_priority.take() is None
    now += 1
    assert high_priority.take() is not None


def test_the_depth_tells_what_waits_from_what_is_in_flight(sqs_orders: Sqs) -> None:
    queue = sqs_orders.queue
    assert queue.depth() == QueueDepth()
    queue.send(StoredOrder(pending()), delay_seconds=60)
    for _ in range(3):
        queue.send(StoredOrder(pending()))
    sqs_orders.client.receive_message(QueueUrl=sqs_orders.url, MaxNumberOfMessages=1)
    assert queue.depth() == QueueDepth(waiting=2, in_flight=1)
    assert queue.depth().total == 3


def test_the_depth_of_the_unprocessable_queue_is_that_of_the_letters_kept(module_aws: Aws) -> None:
    module_aws.start_over()
    knobs = settings()
    queue = SqsDeadLetterQueue(module_aws.sqs, knobs.dead_letters_queue_url, knobs.unprocessable_queue_url)
    queue.keep("no order")
    assert (queue.depth(), queue.unprocessable_depth()) == (QueueDepth(), QueueDepth(waiting=1))
