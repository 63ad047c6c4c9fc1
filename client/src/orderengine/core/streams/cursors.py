"""The cursor of a user's stream as text: where another process goes on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from orderengine.core.exact_json import dumps, loads
from orderengine.errors import InvalidArgument
from orderengine.times import read_time, time_text

_VERSION = 1


class Ended(NamedTuple):
    """A terminal order: its last ``seq``, and the position of the stream at its end."""

    seq: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a user's stream: after every update from before ``since``, and after some later ones.

    ``seqs`` and ``ended`` say of which orders later updates are handed out, and up to which ``seq``. Orders that
    ended long before ``since`` are left out. ``began`` takes the place of ``since`` in a stream that has not asked
    for the engine's time yet: it is by the clock of this machine.
    """

    user: str
    since: datetime | None = None
    began: datetime | None = None
    seqs: Mapping[str, int] = field(default_factory=dict)
    ended: Mapping[str, Ended] = field(default_factory=dict)

    @property
    def text(self) -> str:
        ended = {order_id: [one.seq, time_text("ended", one.at)] for order_id, one in self.ended.items()}
        body = {"v": _VERSION, "user": self.user, "since": _text(self.since), "began": _text(self.began)}
        return dumps({**body, "seqs": dict(self.seqs), "ended": ended}).decode()


def read_position(cursor: str) -> Position:
    """:raises InvalidArgument: if the text is not a cursor of ``follow``."""
    try:
        body = loads(cursor)
        if body["v"] != _VERSION or not isinstance(body["user"], str):
            raise ValueError
        seqs = {str(order_id): _seq(seq) for order_id, seq in body["seqs"].items()}
        ended = {str(order_id): Ended(_seq(seq), read_time(at)) for order_id, (seq, at) in body["ended"].items()}
        position = Position(body["user"], _time(body["since"]), _time(body["began"]), seqs, ended)
        if position.since is None and position.began is None:
            raise ValueError
    except (AttributeError, KeyError, TypeError, ValueError):
        raise InvalidArgument(f"cursor is {cursor!r:.80}, and not the cursor of a feed") from None
    return position


def _text(at: datetime | None) -> str | None:
    return None if at is None else time_text("cursor", at)


def _time(text: Any) -> datetime | None:
    return None if text is None else read_time(text)


def _seq(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(value)
    return value
