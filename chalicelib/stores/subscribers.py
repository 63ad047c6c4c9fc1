"""A subscriber as one string of a DynamoDB string set: ``<how>:<connection id>``, or ``<how><after seq>:…``.

Releases that do not know ``l`` (awaits the live frame) read it as ``o`` (subscribed to the order).
"""

from collections.abc import Iterable

from chalicelib.ports.streams import Subscriber


def to_text(subscriber: Subscriber) -> str:
    via = "l" if subscriber.awaits_live else "u" if subscriber.via_user else "o"
    grain = "c" if subscriber.coarse else "f"
    position = "" if subscriber.after_seq is None else subscriber.after_seq
    return f"{via}{grain}{position}:{subscriber.connection_id}"


def from_text(text: str) -> Subscriber:
    how, _, connection_id = text.partition(":")
    return Subscriber(
        connection_id,
        coarse=how[1] == "c",
        via_user=how[0] == "u",
        after_seq=int(how[2:]) if how[2:] else None,
        awaits_live=True if how[0] == "l" else None,
    )


def to_set(subscribers: Iterable[Subscriber]) -> set[str]:
    return {to_text(subscriber) for subscriber in subscribers}


def from_set(texts: Iterable[str] | None) -> frozenset[Subscriber]:
    return frozenset(from_text(text) for text in texts or ())
