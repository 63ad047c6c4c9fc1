"""Records what the history lacks, from the orders table: after a restore, or into an empty database.

A rebuild writes as the engine does, so it may run beside it. It writes only what the history lacks, so it may be
stopped at any time and repeated.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import chain
from typing import Protocol

import psycopg

from chalicelib.domain.errors import IllegalTransitionError
from chalicelib.domain.events import Event
from chalicelib.domain.invariants import HistoryCopy, copy_of
from chalicelib.domain.orders import Order
from chalicelib.domain.status import TERMINAL, Status
from chalicelib.ports.history import HistoryUnavailableError
from infra.errors import InfraError
from infra.ops.evidence import EvidenceReader
from infra.ops.items import Item, evidence_of

#: Orders that are recorded side by side. Each takes one connection to Postgres.
WORKERS = 4
#: Postgres answers, and refuses the order itself.
_REFUSED = (psycopg.DataError, psycopg.IntegrityError)


class Recorder(Protocol):
    """Records an order, without its events before ``events_since``."""

    def record(self, order: Order, events_since: datetime | None = None) -> None: ...


@dataclass
class Rebuild:
    """``read`` counts the orders, ``recorded`` those that the history lacked. ``after`` is the last order read.

    An order that cannot be read, that Postgres refuses, or whose copy took another way is in ``doubtful``, and
    stays as it is.
    """

    read: int = 0
    recorded: int = 0
    doubtful: list[str] = field(default_factory=list)
    after: str | None = None

    def run(
        self,
        reader: EvidenceReader,
        recorders: Sequence[Recorder],
        orders_per_second: float,
        show: Callable[["Rebuild"], None] = lambda _: None,
    ) -> None:
        """Go through the orders table, from the order after ``after`` on. ``show`` is called after each page.

        :raises InfraError: if Postgres does not answer. ``after`` says where another run goes on.
        """
        with ThreadPoolExecutor(len(recorders)) as threads:
            for page in reader.pages(self.after):
                began = time.monotonic()
                lacking, since = self._lacking(reader, page)
                # Each recorder takes its share, one order after another.
                shares = [lacking[number :: len(recorders)] for number in range(len(recorders))]
                refused = list(chain(*threads.map(partial(_record, since), recorders, shares)))
                self.doubtful += refused
                self.read += len(page)
                self.recorded += len(lacking) - len(refused)
                if page:
                    self.after = str(page[-1]["orderId"])
                show(self)
                time.sleep(max(0, len(page) / orders_per_second - (time.monotonic() - began)))

    def _lacking(self, reader: EvidenceReader, page: list[Item]) -> tuple[list[Order], datetime | None]:
        """The orders of a page that are to be recorded, and the time from which on the history has events."""
        since = reader.events_since()
        copies = reader.copies([str(item["orderId"]) for item in page])
        if reader.history_missing:
            raise InfraError(f"The history cannot be read: {reader.history_missing}")
        lacking = []
        for item in page:
            order, copy = _order(item), copies.get(str(item["orderId"]))
            if order and copy and _contradicts(copy, order):
                # The order may have moved between the two reads.
                order = _order(reader.item(order.order_id) or item)
            if order is None or (copy and _contradicts(copy, order)):
                self.doubtful.append(str(item["orderId"]))
            # The engine records an order when it opens and when it ends.
            elif (order.is_terminal or order.status is Status.OPEN) and copy != copy_of(order, since):
                lacking.append(order)
        return lacking, since


def _record(since: datetime | None, recorder: Recorder, orders: Sequence[Order]) -> list[str]:
    """Record orders; return the ids of those that Postgres refuses.

    :raises InfraError: if Postgres does not answer.
    """
    refused = []
    for order in orders:
        try:
            recorder.record(order, since)
        except HistoryUnavailableError as error:
            if not isinstance(error.__cause__, _REFUSED):
                raise InfraError(
                    f"The order {order.order_id} cannot be recorded: {' '.join(str(error).split())}"
                ) from None
            refused.append(order.order_id)
    return refused


def _contradicts(copy: HistoryCopy, order: Order) -> bool:
    """True if no record makes the copy equal to the order: the history went another way."""
    has_moved = copy.seq < order.seq and copy.status not in TERMINAL
    is_same = (copy.status, copy.seq, copy.amount_out) == (order.current_status, order.seq, order.amount_out)
    known = {(event.seq, event.status, event.attempt) for event in order.events}
    return not (has_moved or is_same) or not known.issuperset(copy.events)


def _order(item: Item) -> Order | None:
    evidence = evidence_of(item, {}, None)
    events = tuple(event for event in evidence.events if isinstance(event, Event))
    if evidence.spec is None or len(events) < len(evidence.events):
        return None
    try:
        return Order.replayed(evidence.order_id, evidence.spec, events)
    # What replaying a malformed event can raise.
    except (IllegalTransitionError, LookupError, TypeError, ValueError, AttributeError, ArithmeticError):
        return None
