"""``python -m infra.dead_letters list | show ID | redrive ID | redrive --all [--stage prod]``

Two queues keep what nobody could handle: ``KeptLettersQueue`` dead letters that no order could be closed by, and
``StreamDeadLettersQueue`` streams that could not be brought to their sockets. Looking leaves them there, and visible.
``redrive`` sends letters to the queue that they were for, and takes away only what was sent.
"""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.encoding.times import from_ms, to_text
from chalicelib.messaging.messages import PoisonMessageError, read_order_message, read_replay_message
from infra.deployed import CANNOT_LOOK, Deployment, find, with_stage
from infra.errors import InfraError
from infra.stored import Stored

#: The queue that keeps letters, and the one they were for.
_KEPT = {"KeptLettersQueue": "OrdersQueue", "StreamDeadLettersQueue": "StreamQueue"}
#: How long letters are out of sight should this command be killed while it looks.
_LOOK_SECONDS = 60
_FIRST_CHARACTERS = 80
_GIVEN_UP_SHOWN = 20
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
        try:
            if self.queue == "KeptLettersQueue":
                return read_order_message(self.body).order.order_id
            order_id = read_replay_message(self.body).wanted.get("orderId")
        except PoisonMessageError:
            return None
        return order_id if isinstance(order_id, str) else None

    @property
    def group(self) -> str:
        """Whose turn in the orders queue it takes."""
        try:
            return read_order_message(self.body).order.spec.user_id
        except PoisonMessageError:
            return _NO_USER


class DeadLetters:
    """The letters that a deployment keeps."""

    def __init__(self, deployed: Deployment) -> None:
        self._sqs = deployed.client("sqs")
        self._urls = {queue: deployed.output(f"{queue}Url") for pair in _KEPT.items() for queue in pair}

    @contextmanager
    def looked_at(self) -> Iterator[list[Letter]]:
        """All letters, the oldest first; whatever is still there afterwards is visible again at once."""
        letters: dict[str, Letter] = {}

        def collect(queue: str) -> None:
            while fresh := {one.id: one for one in self._receive(queue) if one.id not in letters}:
                letters.update(fresh)

        try:
            with ThreadPoolExecutor() as threads:
                list(threads.map(collect, _KEPT))
            yield sorted(letters.values(), key=lambda one: one.sent_at)
        finally:
            for letter in letters.values():
                self._show(letter)

    def redrive(self, letter: Letter) -> None:
        """Send a letter to the queue that it was for; only once it is there it is taken away here."""
        queue = _KEPT[letter.queue]
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


def listing(deployed: Deployment) -> str:
    """The letters, and the orders that the queue gave up last."""
    stored = Stored(deployed)
    try:
        with DeadLetters(deployed).looked_at() as letters:
            rows = [_row(stored, letter) for letter in letters]
        given_up = [
            f"  {to_text(at)}  {order_id}  of {user}" for order_id, user, at in stored.given_up(_GIVEN_UP_SHOWN)
        ]
    finally:
        stored.close()
    missing = [f"  not looked at: {stored.history_missing}"] if stored.history_missing else ["  none"]
    return "\n".join(
        [
            f"{len(letters)} letters kept by {deployed.where}",
            *rows,
            "",
            f"The newest orders closed as QUEUE_EXHAUSTED (at most {_GIVEN_UP_SHOWN})",
            *(given_up or missing),
        ]
    )


def _row(stored: Stored, letter: Letter) -> str:
    about = repr(letter.body[:_FIRST_CHARACTERS])
    if order_id := letter.order_id:
        item = stored.item(order_id)
        about = f"order {order_id}, {item['status'] if item else 'which is not there'}"
    return f"  {letter.id}  {letter.queue}  sent {to_text(letter.sent_at)}  received {letter.receives} times  {about}"


def show(deployed: Deployment, letter_id: str) -> str:
    """A letter in full.

    :raises InfraError: if it is not kept.
    """
    with DeadLetters(deployed).looked_at() as letters:
        letter = _named(letters, letter_id)
    return f"{letter.id} in {letter.queue}, for {_KEPT[letter.queue]}, sent {to_text(letter.sent_at)}\n{letter.body}"


def redrive(deployed: Deployment, letter_id: str | None) -> str:
    """Send one letter, or all, back to where they were for.

    :raises InfraError: if the one is not kept.
    """
    dead_letters = DeadLetters(deployed)
    with dead_letters.looked_at() as letters:
        wanted = letters if letter_id is None else [_named(letters, letter_id)]
        for letter in wanted:
            dead_letters.redrive(letter)
    return "\n".join(f"{letter.id} is in {_KEPT[letter.queue]} again" for letter in wanted) or "There are no letters."


def _named(letters: list[Letter], letter_id: str) -> Letter:
    for letter in letters:
        if letter.id == letter_id:
            return letter
    raise InfraError(f"There is no letter {letter_id}.")


def main() -> int:
    """The command; returns the exit code."""
    parser = with_stage(__doc__)
    parser.add_argument("command", choices=("list", "show", "redrive"))
    parser.add_argument("id", nargs="?", help="of a letter")
    parser.add_argument("--all", action="store_true", help="redrive every letter")
    asked = parser.parse_args()
    wants_id = asked.command == "show" or (asked.command == "redrive" and not asked.all)
    if (asked.id is not None) != wants_id or (asked.all and asked.command != "redrive"):
        parser.error("list takes no id, show takes one, redrive takes one or --all")
    try:
        deployed = find(asked.stage)
        if asked.command == "list":
            print(listing(deployed))
        elif asked.command == "show":
            print(show(deployed, asked.id))
        else:
            print(redrive(deployed, asked.id))
    except CANNOT_LOOK as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
