"""The judge of a socket: it must get every event that it has asked for, and no event of a stranger."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chalicelib.codec.exact_json import loads
from chalicelib.domain.identity import Caller, Scope
from orderengine.testing.invariants import gaps, stream_violations


@dataclass
class StreamJudge:
    """``asked`` has the orders and users that the engine has let the socket ask for.

    ``caller`` opened the socket; ``None`` without authentication. A coarse socket misses events on purpose.
    """

    name: str
    asked: set[str]
    coarse: bool
    caller: Caller | None = None
    #: The last event of each order that the socket has got.
    _seqs: dict[str, int] = field(default_factory=dict)
    #: The event after which the client wants those of an order, which may be yet to come.
    _after: dict[str, int] = field(default_factory=dict)
    #: The orders whose streams the engine has acknowledged.
    _joined: set[str] = field(default_factory=set)

    def note_wish(self, order_id: Any, after_seq: Any) -> None:
        """Note after which event the client asks for those of an order, in an address or a message."""
        if isinstance(order_id, str) and str(after_seq).isdecimal():
            self._after[order_id] = int(after_seq)

    def note_message(self, text: str) -> None:
        try:
            fields = loads(text)
        except ValueError:
            return
        if isinstance(fields, dict):
            self.note_wish(fields.get("orderId"), fields.get("afterSeq"))

    def judged(self, frame: Mapping[str, Any]) -> list[str]:
        """Take note of a frame for the socket; return the promises that it breaks."""
        kind, order_id = frame["type"], frame.get("orderId")
        if kind == "ack":
            self._note(frame)
        elif kind == "live" and order_id:
            self._seqs.setdefault(order_id, max(frame["seq"], self._after.get(order_id, 0)))
        elif kind == "ORDER_UPDATE":
            return [*self._strange(frame), *self._gaps(order_id, frame["seq"])]
        return []

    def unfinished(self, seqs: Mapping[str, int]) -> Iterator[str]:
        """Yield each order whose last event has not reached the socket. ``seqs`` has the last ones of all orders."""
        for order_id in () if self.coarse else sorted(self._joined | self._seqs.keys()):
            last = seqs.get(order_id, 0)
            seen = min(self._seqs.get(order_id, 0), last)
            yield from (f"{self.name} {order_id}: {wrong}" for wrong in stream_violations([], seen, last))

    def _note(self, ack: Mapping[str, Any]) -> None:
        """Note an acknowledged message. A stream that is asked for anew may begin at any ``seq``."""
        order_id: str = ack.get("orderId", "")
        if ack["action"] in ("execute_order", "subscribe"):
            self.asked.add(order_id or ack["userId"])
            self._joined |= {order_id} if order_id else set()
        elif ack["action"] == "unsubscribe":
            self._joined.discard(order_id)
        else:
            return
        begun_anew = {order_id} if order_id else self._seqs.keys() - self._joined
        for one in begun_anew:
            self._seqs.pop(one, None)

    def _strange(self, frame: Mapping[str, Any]) -> Iterator[str]:
        order_id, user_id, caller = frame["orderId"], frame["userId"], self.caller
        # The engine's own rule may be what is wrong.
        may_see = caller is None or user_id == caller.user_id or Scope.OPERATE in caller.scopes
        if not may_see or self.asked.isdisjoint((order_id, user_id)):
            yield f"I7 {self.name} received an event of {order_id} of {user_id}"

    def _gaps(self, order_id: Any, seq: int) -> Iterator[str]:
        if not self.coarse:
            after_seq = self._seqs.get(order_id, seq - 1)
            self._seqs[order_id] = max(after_seq, seq)
            yield from (f"{self.name} {order_id}: {wrong}" for wrong in gaps([seq], after_seq))


def judge_of(name: str, query: Mapping[str, Sequence[str]], caller: Caller | None) -> StreamJudge:
    """The judge of a socket whose handshake, with this query, the engine has accepted."""
    asked = {value for parameter in ("orderId", "userId") for value in query.get(parameter, ())}
    judge = StreamJudge(name, asked, query.get("statuses") == ["coarse"], caller)
    for order_id, after_seq in zip(query.get("orderId", ()), query.get("afterSeq", ()), strict=False):
        judge.note_wish(order_id, after_seq)
    return judge
