"""Looks as messages of the looks queue."""

from typing import get_args

from chalicelib.codec.messages import VERSION, PoisonMessageError, read_message
from chalicelib.codec.orders import UNREADABLE
from chalicelib.codec.tagged import TaggedUnion
from chalicelib.ports.queues import Look, LooksFromNow, LooksOfMinute

LookMessage = Look | LooksOfMinute | LooksFromNow

_LOOKS: TaggedUnion[LookMessage] = TaggedUnion({kind.__name__: kind for kind in get_args(LookMessage)})
_FIELDS = {"v", "kind", "look"}


def look_message(look: LookMessage) -> str:
    return f'{{"v":{VERSION},"kind":"{_LOOKS.name_of(look)}","look":{_LOOKS.to_json(look)}}}'


def read_look_message(body: str) -> LookMessage:
    """:raises PoisonMessageError: if the body is not a look of a version that this code reads."""
    data = read_message(body)
    try:
        if data.keys() != _FIELDS:
            raise PoisonMessageError("not a look")
        return _LOOKS.from_data(data["kind"], data["look"])
    except UNREADABLE as error:
        raise PoisonMessageError("not a look") from error
