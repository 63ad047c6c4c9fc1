"""Sending to the queues, and holding a received message back."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from chalicelib.codec.messages import order_message, replay_message
from chalicelib.domain.orders import Priority
from chalicelib.ports.orders import StoredOrder
from chalicelib.ports.streams import Replay

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

#: The most entries SQS takes in one call.
_BATCH = 10
#: SQS takes 12 hours at most, counted from when the message was received; in seconds.
_MAX_HOLD = 43_000
_MAX_DELAY = 900
#: Orders that take no time need not each ask a queue that was empty just now.
_EMPTY_SECONDS = 0.5


class SqsQueue:
    """``MessageQueue`` on SQS."""

    def __init__(self, client: "SQSClient", queue_url: str) -> None:
        self._client = client
        self._url = queue_url

    def hold(self, receipt: str, seconds: int) -> None:
        """Keep a received message from being delivered again for this long, counted from now."""
        self._client.change_message_visibility(
            QueueUrl=self._url, ReceiptHandle=receipt, VisibilityTimeout=min(max(seconds, 0), _MAX_HOLD)
        )


class SqsOrderQueue(SqsQueue):
    """``OrderQueue`` on SQS."""

    def __init__(self, client: "SQSClient", queue_url: str, high_priority_queue_url: str) -> None:
        super().__init__(client, queue_url)
        self._urgent_url = high_priority_queue_url

    def send(self, stored: StoredOrder, delay_seconds: int = 0) -> None:
        spec, body = stored.order.spec, order_message(stored)
        # The copy first: the message in the orders queue is what has somebody look for it.
        if spec.priority is Priority.HIGH:
            self._client.send_message(QueueUrl=self._urgent_url, MessageBody=body)
        # A standard queue with groups is a fair one: who has much in flight waits for those who have little.
        self._client.send_message(
            QueueUrl=self._url,
            MessageBody=body,
            DelaySeconds=min(delay_seconds, _MAX_DELAY),
            MessageGroupId=spec.user_id,
        )

    def ping(self) -> None:
        self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])


class SqsDeadLetterQueue(SqsQueue):
    """``DeadLetterQueue`` on SQS."""

    def __init__(self, client: "SQSClient", queue_url: str, kept_queue_url: str) -> None:
        super().__init__(client, queue_url)
        self._kept_url = kept_queue_url

    def keep(self, body: str) -> None:
        self._client.send_message(QueueUrl=self._kept_url, MessageBody=body)


class SqsHighPriorityQueue(SqsQueue):
    """``HighPriorityQueue`` on SQS. A message taken comes back after ``seconds``."""

    def __init__(
        self, client: "SQSClient", queue_url: str, seconds: int, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(client, queue_url)
        self._seconds = seconds
        self._monotonic = monotonic
        self._ask_again_at = 0.0

    def take(self) -> Mapping[str, Any] | None:
        if self._monotonic() < self._ask_again_at:
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
        self._ask_again_at = self._monotonic() + _EMPTY_SECONDS
        return None

    def delete(self, receipt: str) -> None:
        self._client.delete_message(QueueUrl=self._url, ReceiptHandle=receipt)


class SqsReplayQueue(SqsQueue):
    """``ReplayQueue`` on SQS."""

    def send(self, replays: Sequence[Replay], delay_seconds: int = 0) -> None:
        for start in range(0, len(replays), _BATCH):
            answer = self._client.send_message_batch(
                QueueUrl=self._url,
                Entries=[
                    {"Id": str(number), "MessageBody": replay_message(replay), "DelaySeconds": delay_seconds}
                    for number, replay in enumerate(replays[start : start + _BATCH])
                ],
            )
            # A batch may be taken in part, which is no error to the SDK.
            if failed := answer.get("Failed"):
                raise RuntimeError(f"{len(failed)} replays were not queued: {failed[0].get('Code')}")
