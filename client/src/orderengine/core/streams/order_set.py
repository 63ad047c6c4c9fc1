"""The orders of one stream: the position in each, and which of them have a gap."""

from collections.abc import Iterable, Iterator, Mapping

from orderengine.core.session import Counters
from orderengine.core.streams.resume import UNKNOWN, Resume
from orderengine.models.orders import Update


class OrderSet:
    """The position in the events of each order.

    Where the engine lacks an event for good, the set gives up on it, so that one such order does not stop the others.
    ``counters.gaps`` and ``gaps_filled`` then differ.
    """

    def __init__(self, counters: Counters, seqs: Mapping[str, int]) -> None:
        self._counters = counters
        self._orders = {order_id: Resume(seq, counters) for order_id, seq in seqs.items()}
        self._gaps: set[str] = set()

    def __contains__(self, order_id: str) -> bool:
        return order_id in self._orders

    def __iter__(self) -> Iterator[str]:
        return iter(self._orders)

    def __len__(self) -> int:
        return len(self._orders)

    @property
    def gaps(self) -> list[str]:
        """The orders of which an update may be missing before one that is here."""
        return sorted(self._gaps)

    def last(self, order_id: str) -> int:
        """The ``seq`` up to which no update of an order is missing, or ``UNKNOWN``."""
        found = self._orders.get(order_id)
        return found.last if found else UNKNOWN

    def add(self, order_id: str, last: int) -> None:
        self._orders[order_id] = Resume(last, self._counters)

    def remove(self, order_id: str) -> None:
        del self._orders[order_id]
        self._gaps.discard(order_id)

    def begin(self, order_id: str, last: int) -> None:
        self._orders[order_id].begin(last)

    def take(self, update: Update) -> list[Update]:
        """The updates of the order whose turn it is now."""
        return self._due(update.order_id, self._orders[update.order_id].take([update]))

    def fill(self, order_id: str, events: Iterable[Update]) -> list[Update]:
        """As ``take``, of the engine's answer to a request for the events after ``last``."""
        order = self._orders[order_id]
        due = order.fill(events)
        if order.missing is not None:
            due += order.skip()
        return self._due(order_id, due)

    def skip(self, order_id: str) -> list[Update]:
        """Give up the missing updates of an order that the engine does not have any more."""
        return self._due(order_id, self._orders[order_id].skip())

    def _due(self, order_id: str, due: list[Update]) -> list[Update]:
        if self._orders[order_id].has_gap:
            self._gaps.add(order_id)
        else:
            self._gaps.discard(order_id)
        return due
