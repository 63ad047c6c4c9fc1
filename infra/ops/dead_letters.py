"""``python -m infra.ops.dead_letters list | show ID | redrive ID | redrive --all [--stage prod]``

Two queues hold unhandled messages: ``UnprocessableQueue`` dead letters that name no order to close, and
``ReplayDeadLettersQueue`` stream replays that failed five times. ``list`` and ``show`` leave the messages there, and
visible. ``redrive`` sends messages to their original queue, and deletes only the messages that it has sent.
"""

import sys

from chalicelib.codec.times import to_text
from chalicelib.domain.events import Event
from chalicelib.domain.status import TERMINAL
from infra.command import run
from infra.errors import InfraError
from infra.ops.dead_letter_store import TARGETS, DeadLetter, DeadLetterStore
from infra.ops.deployment import ACCESS_ERRORS, Deployment, find_deployment, stage_parser
from infra.ops.evidence import EvidenceReader
from infra.ops.items import Item, data_of, evidence_of

_SHOWN_CHARACTERS = 80
_MAX_EXHAUSTED_SHOWN = 20


def listing(deployment: Deployment) -> str:
    """Return the dead letters, and the newest orders that failed as QUEUE_EXHAUSTED."""
    reader = EvidenceReader(deployment)
    try:
        with DeadLetterStore(deployment).inspected() as letters:
            rows = [_row(reader, letter) for letter in letters]
        exhausted = [
            f"  {to_text(at)}  {order_id}  of {user}" for order_id, user, at in reader.exhausted(_MAX_EXHAUSTED_SHOWN)
        ]
    finally:
        reader.close()
    missing = [f"  not checked: {reader.history_missing}"] if reader.history_missing else ["  none"]
    return "\n".join(
        [
            f"{len(letters)} dead letters in {deployment.location}",
            *rows,
            "",
            f"The newest orders that failed as QUEUE_EXHAUSTED (at most {_MAX_EXHAUSTED_SHOWN})",
            *(exhausted or missing),
        ]
    )


def _row(reader: EvidenceReader, letter: DeadLetter) -> str:
    if order_id := letter.order_id:
        subject = _order(order_id, reader.item(order_id))
    else:
        subject = repr(letter.body[:_SHOWN_CHARACTERS])
    return (
        f"  {letter.id}  {letter.queue}  sent {to_text(letter.sent_at)}  received {letter.receives} times  {subject}"
    )


def show(deployment: Deployment, letter_id: str) -> str:
    """Return a dead letter in full, and the events of its order.

    :raises InfraError: if there is no such dead letter.
    """
    with DeadLetterStore(deployment).inspected() as letters:
        letter = _named(letters, letter_id)
    lines = [
        f"{letter.id} in {letter.queue}, meant for {TARGETS[letter.queue]}, sent {to_text(letter.sent_at)}",
        letter.body,
    ]
    if order_id := letter.order_id:
        item = EvidenceReader(deployment).item(order_id)
        events = evidence_of(item, {}, None).events if item else ()
        lines += ["", _order(order_id, item), *map(_event, events)]
    return "\n".join(lines)


def _order(order_id: str, item: Item | None) -> str:
    return f"order {order_id}, {item.get('status') if item else 'which does not exist'}"


def _event(event: Event | str) -> str:
    if isinstance(event, str):
        return f"  {event}"
    return f"  {event.seq}  {event.status}  attempt {event.attempt}  {to_text(event.at)}  {data_of(event)}"


def redrive(deployment: Deployment, letter_id: str | None) -> str:
    """Send one dead letter, or all of them, back to their original queues.

    :raises InfraError: if there is no such dead letter.
    """
    store, reader = DeadLetterStore(deployment), EvidenceReader(deployment)
    done = []
    with store.inspected() as letters:
        for letter in letters if letter_id is None else [_named(letters, letter_id)]:
            remark = _terminal_remark(reader, letter)
            store.redrive(letter)
            done.append(f"{letter.id} is in {TARGETS[letter.queue]} again{remark}")
    return "\n".join(done) or "There are no dead letters."


def _terminal_remark(reader: EvidenceReader, letter: DeadLetter) -> str:
    """Say that a dead letter's order is terminal: another delivery only publishes and records it, without a trade."""
    item = reader.item(letter.order_id) if letter.order_id else None
    status = str(item.get("status")) if item else ""
    return f", though its order is already {status}" if status in TERMINAL else ""


def _named(letters: list[DeadLetter], letter_id: str) -> DeadLetter:
    for letter in letters:
        if letter.id == letter_id:
            return letter
    raise InfraError(f"There is no dead letter {letter_id}.")


def main() -> int:
    """Run the command and return the exit code."""
    parser = stage_parser(__doc__)
    parser.add_argument("command", choices=("list", "show", "redrive"))
    parser.add_argument("id", nargs="?", help="of a dead letter")
    parser.add_argument("--all", action="store_true", help="redrive every dead letter")
    asked = parser.parse_args()
    wants_id = asked.command == "show" or (asked.command == "redrive" and not asked.all)
    if (asked.id is not None) != wants_id or (asked.all and asked.command != "redrive"):
        parser.error("list takes no id, show takes one, redrive takes one or --all")
    try:
        deployment = find_deployment(asked.stage)
        if asked.command == "list":
            print(listing(deployment))
        elif asked.command == "show":
            print(show(deployment, asked.id))
        else:
            print(redrive(deployment, asked.id))
    except ACCESS_ERRORS as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
