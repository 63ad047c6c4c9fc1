"""``python -m infra.dead_letters list | show ID | redrive ID | redrive --all [--stage prod]``

Two queues keep what nobody could handle: ``UnprocessableQueue`` dead letters that no order could be closed by, and
``ReplayDeadLettersQueue`` streams that could not be brought to their sockets. Looking leaves them there, and visible.
``redrive`` sends letters to the queue that they were for, and takes away only what was sent.
"""

import sys

from chalicelib.codec.events import data_to_json
from chalicelib.codec.times import to_text
from chalicelib.domain.events import Event
from chalicelib.domain.status import TERMINAL
from infra.deployed import CANNOT_LOOK, Deployment, find, with_stage
from infra.errors import InfraError
from infra.letters import KEPT, DeadLetters, Letter
from infra.stored import Item, Stored, evidence_of

_FIRST_CHARACTERS = 80
_GIVEN_UP_SHOWN = 20


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
        about = _order(order_id, item)
    return f"  {letter.id}  {letter.queue}  sent {to_text(letter.sent_at)}  received {letter.receives} times  {about}"


def show(deployed: Deployment, letter_id: str) -> str:
    """A letter in full, and what became of its order.

    :raises InfraError: if it is not kept.
    """
    with DeadLetters(deployed).looked_at() as letters:
        letter = _named(letters, letter_id)
    lines = [f"{letter.id} in {letter.queue}, for {KEPT[letter.queue]}, sent {to_text(letter.sent_at)}", letter.body]
    if order_id := letter.order_id:
        item = Stored(deployed).item(order_id)
        events = evidence_of(item, {}, None).events if item else ()
        lines += ["", _order(order_id, item), *map(_event, events)]
    return "\n".join(lines)


def _order(order_id: str, item: Item | None) -> str:
    return f"order {order_id}, {item.get('status') if item else 'which is not there'}"


def _event(event: Event | str) -> str:
    if isinstance(event, str):
        return f"  {event}"
    return f"  {event.seq}  {event.status}  attempt {event.attempt}  {to_text(event.at)}  {data_to_json(event.data)}"


def redrive(deployed: Deployment, letter_id: str | None) -> str:
    """Send one letter, or all, back to where they were for.

    :raises InfraError: if the one is not kept.
    """
    dead_letters, stored = DeadLetters(deployed), Stored(deployed)
    done = []
    with dead_letters.looked_at() as letters:
        for letter in letters if letter_id is None else [_named(letters, letter_id)]:
            over = _over(stored, letter)
            dead_letters.redrive(letter)
            done.append(f"{letter.id} is in {KEPT[letter.queue]} again{over}")
    return "\n".join(done) or "There are no letters."


def _over(stored: Stored, letter: Letter) -> str:
    """What to say of a letter whose order has ended: another delivery trades nothing, it only tells and records."""
    item = stored.item(letter.order_id) if letter.order_id else None
    status = str(item.get("status")) if item else ""
    return f", though its order was over already ({status})" if status in TERMINAL else ""


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
