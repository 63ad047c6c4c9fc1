"""The messages on the queues: versioned, and readable by the next version of the code."""

from dataclasses import asdict
from typing import Any

from chalicelib.codec.exact_json import dumps, loads
from chalicelib.codec.orders import order_from_dict, order_to_dict
from chalicelib.domain.errors import RefusedError
from chalicelib.ports.orders import StoredOrder
from chalicelib.ports.streams import Replay

VERSION = 1


class PoisonMessageError(Exception):
    """A message that no delivery of it can make sense of."""


def order_message(stored: StoredOrder) -> str:
    """The order as it stands, so that the processor's first write needs no read before it.

    A copy that has become stale is harmless: that write is conditional on ``seq``.
    """
    return dumps({"v": VERSION, "published": stored.published, "order": order_to_dict(stored.order)})


def read_order_message(body: str) -> StoredOrder:
    """:raises PoisonMessageError: if the body is no order message of this version."""
    data = _read(body)
    try:
        return StoredOrder(order_from_dict(data["order"]), published=int(data["published"]))
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, RefusedError) as error:
        raise PoisonMessageError("not an order message") from error


def replay_message(replay: Replay) -> str:
    return dumps({"v": VERSION, **asdict(replay)})


def read_replay_message(body: str) -> Replay:
    """:raises PoisonMessageError: if the body is no replay message of this version."""
    data = _read(body)
    try:
        replay = Replay(**{name: value for name, value in data.items() if name != "v"})
    except TypeError as error:
        raise PoisonMessageError("not a replay message") from error
    if not (isinstance(replay.connection_id, str) and isinstance(replay.wanted, dict)):
        raise PoisonMessageError("not a replay message")
    return replay


def _read(body: str) -> dict[str, Any]:
    try:
        data = loads(body)
    except ValueError as error:
        raise PoisonMessageError("not JSON") from error
    if not isinstance(data, dict) or data.get("v") != VERSION:
        raise PoisonMessageError("not a message of this version")
    return data
