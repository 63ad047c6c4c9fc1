"""What the queues promise, on the fakes and on SQS."""

from datetime import UTC, datetime

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import ANY, Stubber

from chalicelib.codec.messages import read_order_message
from chalicelib.codec.replays import read_replay_message
from chalicelib.domain.orders import Order
from chalicelib.domain.spec import Priority
from chalicelib.messaging.queues import SqsHighPriorityQueue, SqsReplayQueue
from chalicelib.ports.orders import StoredOrder
from chalicelib.ports.streams import Replay, Subscriber
from tests.contract.messaging.conftest import Queued, Sqs
from tests.contract.stores.aws import settings
from tests.support.order_builders import pending, retried, routed
from tests.support.specs import a_spec

AT = datetime(2026, 1, 1, tzinfo=UTC)
REPLAY = Replay("abc=:#é", {"orderId": "order-1", "afterSeq": 3}, coarse=True, via_user=True, look=1)


@pytest.mark.parametrize("order", [pending(), routed(pending()), retried(routed(pending()))])
def test_the_processor_reads_the_order_that_was_sent(order_queue: Queued, order: object) -> None:
    stored = StoredOrder(order, frozenset({Subscriber("one")}), published=1)  # type: ignore[arg-type]
    order_queue.queue.send(stored)
    [body] = order_queue.bodies()
    assert read_order_message(body) == StoredOrder(stored.order, published=1)


def test_a_stream_is_brought_as_it_was_asked_for(replay_queue: Queued) -> None:
    replay_queue.queue.send([REPLAY])
    [body] = replay_queue.bodies()
    assert read_replay_message(body) == REPLAY


@pytest.mark.parametrize("number", [0, 1, 10, 11, 25])
def test_every_stream_of_many_is_queued_once(replay_queue: Queued, number: int) -> None:
    wanted = [Replay(f"connection-{index}", {"userId": "alice"}) for index in range(number)]
    replay_queue.queue.send(wanted)
    got = [read_replay_message(body) for body in replay_queue.bodies()]
    assert sorted(got, key=str) == sorted(wanted, key=str)


def test_a_working_queue_answers_a_ping(order_queue: Queued) -> None:
    order_queue.queue.ping()
    assert order_queue.bodies() == []


def test_a_queue_that_is_not_there_does_not_answer(sqs_orders: Sqs) -> None:
    sqs_orders.client.delete_queue(QueueUrl=sqs_orders.url)
    with pytest.raises(ClientError):
        sqs_orders.queue.ping()


def test_a_delayed_replay_is_not_delivered_at_once(sqs_replays: Sqs) -> None:
    sqs_replays.queue.send([REPLAY], delay_seconds=5)
    assert sqs_replays.receive() == []


def test_a_message_in_work_is_not_delivered_to_another_worker(sqs_orders: Sqs) -> None:
    sqs_orders.queue.send(StoredOrder(pending()))
    [message] = sqs_orders.receive()
    sqs_orders.queue.hold(message["ReceiptHandle"], 15)
    assert sqs_orders.receive() == []


@pytest.mark.parametrize("seconds", [0, -1])
def test_a_message_that_is_held_no_longer_is_delivered_at_once(sqs_orders: Sqs, seconds: int) -> None:
    sqs_orders.queue.send(StoredOrder(pending()))
    [message] = sqs_orders.receive()
    sqs_orders.queue.hold(message["ReceiptHandle"], seconds)
    assert [again["Body"] for again in sqs_orders.receive()] == [message["Body"]]


def test_a_hold_is_never_longer_than_sqs_takes(sqs_orders: Sqs) -> None:
    """SQS counts its twelve hours from the moment when the message was received."""
    sqs_orders.queue.send(StoredOrder(pending()))
    [message] = sqs_orders.receive()
    sqs_orders.queue.hold(message["ReceiptHandle"], 10**6)
    assert sqs_orders.receive() == []


def test_a_batch_that_is_taken_in_part_is_an_error(sqs_replays: Sqs) -> None:
    client = boto3.client("sqs", "us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
    refused = {"Id": "1", "SenderFault": False, "Code": "InternalError"}
    with Stubber(client) as stubber:
        stubber.add_response("send_message_batch", {"Successful": [], "Failed": [refused]})
        with pytest.raises(RuntimeError, match="1 replays were not queued: InternalError"):
            SqsReplayQueue(client, sqs_replays.url).send([REPLAY, REPLAY])


def test_an_urgent_order_is_in_both_queues_and_another_in_one(sqs_orders: Sqs, sqs_urgent: Sqs) -> None:
    high_priority = Order.accepted("order-1", a_spec(priority=Priority.HIGH), AT)
    sqs_orders.queue.send(StoredOrder(high_priority))
    sqs_orders.queue.send(StoredOrder(pending()))
    assert len(sqs_orders.bodies()) == 2
    taken = sqs_urgent.queue.take()
    assert read_order_message(taken["body"]).order == high_priority
    assert sqs_urgent.queue.take() is None
    sqs_urgent.queue.hold(taken["receiptHandle"], 0)
    again = sqs_urgent.queue.take()
    assert (again["messageId"], again["attributes"]["ApproximateReceiveCount"]) == (taken["messageId"], "2")
    sqs_urgent.queue.delete(again["receiptHandle"])
    assert sqs_urgent.bodies() == []


def test_orders_are_grouped_by_user_so_that_the_queue_is_fair(sqs_orders: Sqs) -> None:
    with Stubber(sqs_orders.client) as stub:
        wanted = {"QueueUrl": sqs_orders.url, "MessageBody": ANY, "DelaySeconds": 7, "MessageGroupId": "tester"}
        stub.add_response("send_message", {}, wanted)
        sqs_orders.queue.send(StoredOrder(Order.accepted("order-1", a_spec(user_id="tester"), AT)), delay_seconds=7)


def test_a_delayed_order_is_not_delivered_at_once(sqs_orders: Sqs) -> None:
    sqs_orders.queue.send(StoredOrder(pending()), delay_seconds=900)
    assert sqs_orders.bodies() == []


def test_a_queue_that_was_empty_just_now_is_not_asked_again(sqs_orders: Sqs) -> None:
    now = 1000.0
    high_priority = SqsHighPriorityQueue(
        sqs_orders.client, settings().high_priority_queue_url, seconds=15, monotonic=lambda: now
    )
    assert high_priority.take() is None
    sqs_orders.queue.send(StoredOrder(Order.accepted("order-1", a_spec(priority=Priority.HIGH), AT)))
    assert high_priority.take() is None
    now += 1
    assert high_priority.take() is not None
