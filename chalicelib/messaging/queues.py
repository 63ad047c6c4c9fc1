"""Sending to the queues, and holding a received message back."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from chalicelib.messaging.messages import order_message, replay_message
from chalicelib.ports import Replay, Tracked

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

#: The most entries SQS takes in one call.
_BATCH = 10
#: SQS takes 12 hours at most, counted from when the message was received; in seconds.
_MAX_HOLD = 43_000


class _Queue:
    def __init__(self, client: "SQSClient", queue_url: str) -> None:
        self._client = client
        self._url = queue_url

    def hold(self, receipt: str, seconds: int) -> None:
        """Keep a received message from being delivered again for this long, counted from now."""
        self._client.change_message_visibility(
            QueueUrl=self._url, ReceiptHandle=receipt, VisibilityTimeout=min(max(seconds, 0), _MAX_HOLD)
        )


class SqsOrderQueue(_Queue):
    """``OrderQueue`` on SQS."""

    def send(self, tracked: Tracked) -> None:
        self._client.send_message(QueueUrl=self._url, MessageBody=order_message(tracked))

    def ping(self) -> None:
        self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])


class SqsReplayQueue(_Queue):
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
