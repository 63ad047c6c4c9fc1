"""The queues on SQS: sending messages, and holding received ones."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from chalicelib.codec.groups import group_message
from chalicelib.codec.looks import look_message
from chalicelib.codec.messages import order_message
from chalicelib.codec.replays import replay_message
from chalicelib.domain.orders import Order
from chalicelib.domain.spec import Priority
from chalicelib.ports.orders import StoredOrder
from chalicelib.ports.queues import DelayedLook, LooksFromNow, QueueDepth
from chalicelib.ports.streams import StreamReplay

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

#: Entries that SQS accepts in one call.
_MAX_BATCH = 10
#: SQS holds a message for at most 12 hours after its receipt.
_MAX_HOLD_SECONDS = 43_000
_MAX_DELAY_SECONDS = 900
_WAITING: Literal["ApproximateNumberOfMessages"] = "ApproximateNumberOfMessages"
_IN_FLIGHT: Literal["ApproximateNumberOfMessagesNotVisible"] = "ApproximateNumberOfMessagesNotVisible"
#: Poll an empty high-priority queue at most twice a second.
_EMPTY_POLL_SECONDS = 0.5


class SqsQueue:
    """``MessageQueue`` on SQS."""

    def __init__(self, client: "SQSClient", queue_url: str) -> None:
        self._client = client
        self._url = queue_url

    def depth(self) -> QueueDepth:
        return self._depth_of(self._url)

    def _depth_of(self, url: str) -> QueueDepth:
        answer = self._client.get_queue_attributes(QueueUrl=url, AttributeNames=[_WAITING, _IN_FLIGHT])
        return QueueDepth(int(answer["Attributes"][_WAITING]), int(answer["Attributes"][_IN_FLIGHT]))

    def hold(self, receipt: str, seconds: int) -> None:
        """Keep a received message from being delivered again for this long, counted from now."""
        self._client.change_message_visibility(
            QueueUrl=self._url, ReceiptHandle=receipt, VisibilityTimeout=min(max(seconds, 0), _MAX_HOLD_SECONDS)
        )

    def _send_all(self, bodies: Sequence[str], **options: Any) -> None:
        self._send_entries([{"MessageBody": body, **options} for body in bodies])

    def _send_entries(self, messages: Sequence[Mapping[str, Any]]) -> None:
        for start in range(0, len(messages), _MAX_BATCH):
            batch = messages[start : start + _MAX_BATCH]
            entries: list[Any] = [{"Id": str(number), **message} for number, message in enumerate(batch)]
            answer = self._client.send_message_batch(QueueUrl=self._url, Entries=entries)
            # SQS may accept a part of a batch, which the SDK does not report as an error.
            if failed := answer.get("Failed"):
                raise RuntimeError(f"{len(failed)} messages were not queued: {failed[0].get('Code')}")


class SqsOrderQueue(SqsQueue):
    """``OrderQueue`` on SQS."""

    def __init__(self, client: "SQSClient", queue_url: str, high_priority_queue_url: str) -> None:
        super().__init__(client, queue_url)
        self._high_priority_url = high_priority_queue_url

    def send(self, stored: StoredOrder, delay_seconds: int = 0) -> None:
        spec, body = stored.order.spec, order_message(stored)
        # The high-priority message goes first: the message in the orders queue makes a worker look for it.
        if spec.priority is Priority.HIGH:
            self._client.send_message(QueueUrl=self._high_priority_url, MessageBody=body)
        # SQS delivers a standard queue with message groups fairly: users with few messages in flight go first.
        self._client.send_message(
            QueueUrl=self._url,
            MessageBody=body,
            DelaySeconds=min(delay_seconds, _MAX_DELAY_SECONDS),
            MessageGroupId=spec.user_id,
        )

    def has_waiting(self) -> bool:
        return self.depth().waiting > 0

    def ping(self) -> None:
        self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])


class SqsDeadLetterQueue(SqsQueue):
    """``DeadLetterQueue`` on SQS."""

    def __init__(self, client: "SQSClient", queue_url: str, unprocessable_queue_url: str) -> None:
        super().__init__(client, queue_url)
        self._unprocessable_url = unprocessable_queue_url

    def keep(self, body: str) -> None:
        self._client.send_message(QueueUrl=self._unprocessable_url, MessageBody=body)

    def unprocessable_depth(self) -> QueueDepth:
        return self._depth_of(self._unprocessable_url)


class SqsHighPriorityQueue(SqsQueue):
    """``HighPriorityQueue`` on SQS. The queue delivers a taken message again after ``seconds``: a worker that takes
    one executes its order without another call that hides it.
    """

    def __init__(
        self, client: "SQSClient", queue_url: str, seconds: int, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(client, queue_url)
        self._seconds = seconds
        self._monotonic = monotonic
        self._next_poll_at = 0.0

    def take(self) -> Mapping[str, Any] | None:
        if self._monotonic() < self._next_poll_at:
            return None
        answer = self._client.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=1,
            WaitTimeSeconds=0,
            VisibilityTimeout=self._seconds,
            MessageSystemAttributeNames=["ApproximateReceiveCount"],
        )
        for message in answer.get("Messages", ()):
            return {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": message["Attributes"],
            }
        self._next_poll_at = self._monotonic() + _EMPTY_POLL_SECONDS
        return None

    def delete(self, receipt: str) -> None:
        self._client.delete_message(QueueUrl=self._url, ReceiptHandle=receipt)


class SqsReplayQueue(SqsQueue):
    """``ReplayQueue`` on SQS."""

    def send(self, replays: Sequence[StreamReplay], delay_seconds: int = 0) -> None:
        self._send_all([replay_message(replay) for replay in replays], DelaySeconds=delay_seconds)


class SqsLookQueue(SqsQueue):
    """``LookQueue`` on SQS. Requests wait for ``wake``, so the client that does it makes one attempt."""

    def __init__(self, client: "SQSClient", once: "SQSClient", queue_url: str) -> None:
        super().__init__(client, queue_url)
        self._once = once

    def send(self, looks: Sequence[DelayedLook]) -> None:
        self._send_entries([{"MessageBody": look_message(look), "DelaySeconds": delay} for look, delay in looks])

    def wake(self) -> None:
        self._once.send_message(QueueUrl=self._url, MessageBody=look_message(LooksFromNow()))


class SqsFanOutQueue(SqsQueue):
    """``FanOutQueue`` on SQS."""

    def send(self, order: Order, numbers: Collection[int]) -> None:
        # As with the orders queue, the followers of users with few orders go first.
        bodies = [group_message(order.order_id, number) for number in numbers]
        self._send_all(bodies, MessageGroupId=order.spec.user_id)
