"""The letters that two queues keep because nobody could handle them, and the way back to where they were for."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from chalicelib.codec.messages import PoisonMessageError, read_order_message
from chalicelib.codec.replays import read_replay_message
from chalicelib.codec.times import from_ms
from chalicelib.ports.streams import FollowUser, OpenStream, StreamReplay
from infra.deployed import Deployment

#: The queue that keeps letters, and the one they were for.
KEPT = {"UnprocessableQueue": "OrdersQueue", "ReplayDeadLettersQueue": "ReplayQueue"}
#: How long letters are out of sight should the command that looks be killed.
_LOOK_SECONDS = 60
#: What SQS takes as the id of a group.
_GROUP = re.compile(r"[!-~]{1,128}")
#: Any group does for what names no user.
_NO_USER = "unreadable"


@dataclass(frozen=True)
class Letter:
    """A message that is kept. ``receipt`` holds while it is looked at."""

    id: str
    queue: str
    body: str
    sent_at: datetime
    receives: int
    receipt: str

    @property
    def order_id(self) -> str | None:
        """The order it is about, where that can be read; the engine has no other ids than UUIDs."""
        try:
            if self.queue == "UnprocessableQueue":
                order_id = read_order_message(self.body).order.order_id
            else:
                order_id = _order_of(read_replay_message(self.body))
            return order_id if str(UUID(order_id)) == order_id else None
        except (PoisonMessageError, ValueError, TypeError, AttributeError):
            return None

    @property
    def group(self) -> str:
        """Whose turn in the orders queue it takes."""
        try:
            user_id = read_order_message(self.body).order.spec.user_id
        except PoisonMessageError:
            return _NO_USER
        return user_id if _GROUP.fullmatch(user_id) else _NO_USER


class DeadLetters:
    """The letters that a deployment keeps."""

    def __init__(self, deployed: Deployment) -> None:
        self._sqs = deployed.client("sqs")
        self._urls = {queue: deployed.output(f"{queue}Url") for pair in KEPT.items() for queue in pair}

    @contextmanager
    def looked_at(self) -> Iterator[list[Letter]]:
        """All letters, the oldest first; whatever is still there afterwards is visible again at once."""
        letters: dict[str, Letter] = {}

        def collect(queue: str) -> None:
            while fresh := {one.id: one for one in self._receive(queue) if one.id not in letters}:
                letters.update(fresh)

        try:
            with ThreadPoolExecutor() as threads:
                list(threads.map(collect, KEPT))
            yield sorted(letters.values(), key=lambda one: one.sent_at)
        finally:
            for letter in letters.values():
                self._show(letter)

    def redrive(self, letter: Letter) -> None:
        """Send a letter to the queue that it was for; only once it is there it is taken away here."""
        queue = KEPT[letter.queue]
        group = {"MessageGroupId": letter.group} if queue == "OrdersQueue" else {}
        self._sqs.send_message(QueueUrl=self._urls[queue], MessageBody=letter.body, **group)
        self._sqs.delete_message(QueueUrl=self._urls[letter.queue], ReceiptHandle=letter.receipt)

    def _receive(self, queue: str) -> list[Letter]:
        answer = self._sqs.receive_message(
            QueueUrl=self._urls[queue],
            MaxNumberOfMessages=10,
            # Waiting asks every server of the queue.
            WaitTimeSeconds=1,
            VisibilityTimeout=_LOOK_SECONDS,
            MessageSystemAttributeNames=["SentTimestamp", "ApproximateReceiveCount"],
        )
        return [_letter(queue, message) for message in answer.get("Messages", ())]

    def _show(self, letter: Letter) -> None:
        try:
            self._sqs.change_message_visibility(
                QueueUrl=self._urls[letter.queue], ReceiptHandle=letter.receipt, VisibilityTimeout=0
            )
        except self._sqs.exceptions.ClientError:
            # It was redriven, or is visible again, or will be within the minute.
            return


def _order_of(replay: StreamReplay) -> str:
    if isinstance(replay, OpenStream):
        return replay.query.get("orderId", "")
    return "" if isinstance(replay, FollowUser) else replay.order_id


def _letter(queue: str, message: Any) -> Letter:
    attributes = message["Attributes"]
    return Letter(
        id=message["MessageId"],
        queue=queue,
        body=message["Body"],
        sent_at=from_ms(int(attributes["SentTimestamp"])),
        receives=int(attributes["ApproximateReceiveCount"]),
        receipt=message["ReceiptHandle"],
    )
