"""The queues of unhandled messages, and the redrive to the original queues of the messages."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from chalicelib.codec.groups import read_group_message
from chalicelib.codec.messages import PoisonMessageError, read_order_message
from chalicelib.codec.replays import read_replay_message
from chalicelib.codec.times import from_ms
from chalicelib.ports.streams import (
    CheckSocket,
    CloseSockets,
    FollowUser,
    NotifyFollowers,
    OpenStream,
    RetrySocket,
    StreamReplay,
)
from infra.ops.deployment import Deployment

#: The original queue of the messages in each queue of dead letters.
TARGETS = {
    "UnprocessableQueue": "OrdersQueue",
    "ReplayDeadLettersQueue": "ReplayQueue",
    "FanOutDeadLettersQueue": "FanOutQueue",
}
#: Dead letters become visible again after this long if the command that inspects them is killed.
_INSPECTION_SECONDS = 60
#: The characters and the length that SQS accepts for the id of a message group.
_GROUP = re.compile(r"[!-~]{1,128}")
#: The group of messages that name no user.
_NO_USER = "unreadable"


@dataclass(frozen=True)
class DeadLetter:
    """A message in a queue of dead letters. ``receipt`` is valid while the command inspects the message."""

    id: str
    queue: str
    body: str
    sent_at: datetime
    receives: int
    receipt: str

    @property
    def order_id(self) -> str | None:
        """The id of the message's order, or ``None`` if the message is damaged: the engine's ids are UUIDs."""
        try:
            match self.queue:
                case "UnprocessableQueue":
                    order_id = read_order_message(self.body).order.order_id
                case "FanOutDeadLettersQueue":
                    order_id = read_group_message(self.body).order_id
                case _:
                    order_id = _order_of(read_replay_message(self.body))
            return order_id if str(UUID(order_id)) == order_id else None
        except (PoisonMessageError, ValueError, TypeError, AttributeError):
            return None

    @property
    def group(self) -> str:
        """The message group by which the orders queue is fair: the user."""
        try:
            user_id = read_order_message(self.body).order.spec.user_id
        except PoisonMessageError:
            return _NO_USER
        return user_id if _GROUP.fullmatch(user_id) else _NO_USER


class DeadLetterStore:
    """The dead letters of a deployment."""

    def __init__(self, deployment: Deployment) -> None:
        self._sqs = deployment.client("sqs")
        self._urls = {queue: deployment.output(f"{queue}Url") for pair in TARGETS.items() for queue in pair}

    @contextmanager
    def inspected(self) -> Iterator[list[DeadLetter]]:
        """Receive all dead letters, oldest first, and make those that are left visible again at the end."""
        letters: dict[str, DeadLetter] = {}

        def collect(queue: str) -> None:
            while fresh := {one.id: one for one in self._receive(queue) if one.id not in letters}:
                letters.update(fresh)

        try:
            with ThreadPoolExecutor() as threads:
                list(threads.map(collect, TARGETS))
            yield sorted(letters.values(), key=lambda one: one.sent_at)
        finally:
            for letter in letters.values():
                self._show(letter)

    def redrive(self, letter: DeadLetter) -> None:
        """Send a dead letter to its original queue, and delete it from this queue only after that."""
        queue = TARGETS[letter.queue]
        group = {"MessageGroupId": letter.group} if queue == "OrdersQueue" else {}
        self._sqs.send_message(QueueUrl=self._urls[queue], MessageBody=letter.body, **group)
        self._sqs.delete_message(QueueUrl=self._urls[letter.queue], ReceiptHandle=letter.receipt)

    def _receive(self, queue: str) -> list[DeadLetter]:
        answer = self._sqs.receive_message(
            QueueUrl=self._urls[queue],
            MaxNumberOfMessages=10,
            # Long polling queries every server of the queue; short polling only some.
            WaitTimeSeconds=1,
            VisibilityTimeout=_INSPECTION_SECONDS,
            MessageSystemAttributeNames=["SentTimestamp", "ApproximateReceiveCount"],
        )
        return [_dead_letter(queue, message) for message in answer.get("Messages", ())]

    def _show(self, letter: DeadLetter) -> None:
        try:
            self._sqs.change_message_visibility(
                QueueUrl=self._urls[letter.queue], ReceiptHandle=letter.receipt, VisibilityTimeout=0
            )
        except self._sqs.exceptions.ClientError:
            # The letter was redriven, or is visible already, or will be within the inspection's minute.
            return


def _dead_letter(queue: str, message: Any) -> DeadLetter:
    attributes = message["Attributes"]
    return DeadLetter(
        id=message["MessageId"],
        queue=queue,
        body=message["Body"],
        sent_at=from_ms(int(attributes["SentTimestamp"])),
        receives=int(attributes["ApproximateReceiveCount"]),
        receipt=message["ReceiptHandle"],
    )


def _order_of(replay: StreamReplay) -> str:
    """Return the id of the order that a replay is about, or an empty text if it is about no order."""
    match replay:
        case OpenStream(query=query):
            order_ids = query.get("orderId", "")
            return order_ids if isinstance(order_ids, str) else ", ".join(order_ids)
        case RetrySocket(order_id=order_id) | NotifyFollowers(order_id=order_id):
            return order_id
        case FollowUser() | CheckSocket() | CloseSockets():
            return ""
