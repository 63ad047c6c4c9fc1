"""The orders of a user's stream, each remembered until some time after its end."""

from collections.abc import Iterable
from datetime import datetime

from orderengine.core.session import Counters
from orderengine.core.streams.cursors import Ended, Position
from orderengine.core.streams.order_set import OrderSet
from orderengine.core.streams.resume import UNKNOWN
from orderengine.models.orders import Update

_FIRST_PRUNE = 512


class OrderMemory(OrderSet):
    """An ``OrderSet`` that knows which orders have ended, and at which position of the stream."""

    def __init__(self, counters: Counters, position: Position) -> None:
        ended = position.ended
        super().__init__(counters, {**position.seqs, **{order_id: one.seq for order_id, one in ended.items()}})
        self._ended_at = {order_id: one.at for order_id, one in ended.items()}
        self._prune_at = _FIRST_PRUNE

    def end(self, order_id: str, at: datetime) -> None:
        self._ended_at[order_id] = at

    def prune(self, oldest: datetime) -> None:
        """Forget the orders that ended before ``oldest``, now and then: once there are twice as many as before."""
        if len(self) < self._prune_at:
            return
        for order_id in self._ended_before(oldest):
            self.remove(order_id)
            del self._ended_at[order_id]
        self._prune_at = max(_FIRST_PRUNE, 2 * len(self))

    def position(self, user: str, since: datetime, oldest: datetime, ready: Iterable[Update]) -> Position:
        """The place at ``since``: before the ready updates, and without the orders that ended before ``oldest``."""
        forgotten = self._ended_before(oldest)
        seqs = {one: self.last(one) for one in self if one not in forgotten and self.last(one) != UNKNOWN}
        ended = {one: Ended(seqs[one], self._ended_at[one]) for one in seqs.keys() & self._ended_at.keys()}
        for update in ready:
            seqs[update.order_id] = min(update.seq - 1, seqs.get(update.order_id, update.seq))
            ended.pop(update.order_id, None)
        return Position(user, since, seqs={one: seq for one, seq in seqs.items() if one not in ended}, ended=ended)

    def _ended_before(self, at: datetime) -> set[str]:
        return {order_id for order_id, ended_at in self._ended_at.items() if ended_at < at}
