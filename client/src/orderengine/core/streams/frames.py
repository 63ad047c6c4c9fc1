"""The frames of a status stream. A kind that this client does not know is no error: the contract may grow."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeAlias

from orderengine.core.exact_json import loads
from orderengine.core.streams.pacing import clamped
from orderengine.core.transience import is_transient
from orderengine.models.orders import Update
from orderengine.models.reading import Unreadable
from orderengine.times import read_time


class BadFrame(Exception):
    """A message that is no frame of the contract."""


@dataclass(frozen=True, slots=True)
class Live:
    """The stream is up to date: that of an order up to ``seq``, that of a user up to ``at``."""

    order_id: str = ""
    seq: int = 0
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error frame: the fields of a problem, and the id of the message that it answers. Times are in seconds."""

    status: int
    code: str
    detail: str
    retry_after: float
    request_id: str

    @property
    def is_final(self) -> bool:
        """Whether the engine would refuse the same request again."""
        return 400 <= self.status < 500 and not is_transient(self.status, self.code)


@dataclass(frozen=True, slots=True)
class Notice:
    """A frame that brings no event: ``pong``, ``ack``, or a kind that this client does not know."""

    kind: str


Frame: TypeAlias = Update | Live | Refusal | Notice


def read_frame(text: str) -> Frame:
    """:raises BadFrame: if the message is not JSON, or lacks what its kind needs."""
    try:
        body = loads(text)
    except ValueError:
        raise BadFrame("a message is not JSON") from None
    if not isinstance(body, dict) or not isinstance(body.get("type"), str):
        raise BadFrame("a message is not a frame")
    try:
        return _READERS.get(body["type"], _notice)(body)
    except (KeyError, TypeError, ValueError, ArithmeticError, Unreadable) as error:
        raise BadFrame(f"a frame {body['type'][:40]!r} is not what the contract says: {error}") from None


def _update(body: Mapping[str, Any]) -> Update:
    update = Update.read(body)
    if update.seq < 1 or not update.order_id:
        raise ValueError(f"seq {update.seq} of order {update.order_id!r}")
    # In a coarse frame the status is the phase.
    detailed = body.get("detailedStatus")
    return replace(update, status=detailed) if isinstance(detailed, str) else update


def _live(body: Mapping[str, Any]) -> Live:
    if "orderId" in body:
        if type(body["seq"]) is not int:
            raise ValueError("seq is not a whole number")
        return Live(order_id=str(body["orderId"]), seq=body["seq"])
    return Live(at=read_time(body["at"]))


def _refusal(body: Mapping[str, Any]) -> Refusal:
    status, retry_after = body.get("status"), body.get("retryAfter")
    return Refusal(
        status if type(status) is int else 500,
        str(body.get("code", "")),
        str(body.get("detail") or body.get("title") or ""),
        clamped(retry_after) if type(retry_after) is int else 0.0,
        str(body.get("requestId", "")),
    )


def _notice(body: Mapping[str, Any]) -> Notice:
    return Notice(body["type"])


_READERS: Mapping[str, Callable[[Mapping[str, Any]], Frame]] = {
    "ORDER_UPDATE": _update,
    "live": _live,
    "error": _refusal,
}
