"""Placed orders, with the calls that are about one order."""

from collections.abc import Generator
from contextlib import closing
from typing import TYPE_CHECKING, Unpack

from orderengine.core.submission import Placed
from orderengine.core.terms import AmendTerms
from orderengine.models.orders import Accepted, Cancellation, Order, Update

if TYPE_CHECKING:
    from orderengine.client import Client
    from orderengine.models.explanations import Explanation


class PlacedBase:
    """What is known of an accepted order, for the blocking and the awaited form of ``PlacedOrder``."""

    def __init__(self, placed: Placed) -> None:
        self.accepted: Accepted = placed.accepted
        self.id: str = placed.accepted.id
        #: The idempotency key that the order was sent with.
        self.key: str = placed.key
        #: Whether the engine had accepted the order before this answer.
        self.replayed: bool = placed.replayed
        #: The last event that this object has handed out; ``None`` before the first.
        self.seq: int | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.id!r})"

    def _saw_in(self, record: Order) -> Order:
        self._saw(record.seq)
        return record

    def _saw(self, *seqs: int) -> None:
        self.seq = max((self.seq or 0, *seqs)) or None


class PlacedOrder(PlacedBase):
    """An order that the engine has accepted, and keeps whatever happens."""

    def __init__(self, client: "Client", placed: Placed) -> None:
        super().__init__(placed)
        self._client = client

    def watch(
        self, *, after: int = 0, coarse: bool = False, timeout: float | None = None
    ) -> Generator[Update, None, None]:
        """As ``Client.watch``."""
        return self._saw_each(self._client.watch(self.id, after=after, coarse=coarse, timeout=timeout))

    def result(self, *, timeout: float | None = None) -> Order:
        """As ``Client.result``."""
        return self._saw_in(self._client.result(self.id, timeout=timeout))

    def record(self, *, at_seq: int | None = None) -> Order:
        """As ``Client.order``."""
        found = self._client.order(self.id, at_seq=at_seq)
        return self._saw_in(found) if at_seq is None else found

    def events(self, *, after: int = 0, wait: int = 0) -> list[Update]:
        """As ``Client.events``."""
        found = self._client.events(self.id, after=after, wait=wait)
        self._saw(*(one.seq for one in found))
        return found

    def amend(
        self, *, if_seq: int | None = None, timeout: float | None = None, **changes: Unpack[AmendTerms]
    ) -> Order:
        """Amend the order if it is still as you saw it last, by ``watch``, ``events``, ``record`` or ``amend``.

        An order that you have not looked at is amended as it is now. After ``MovedOn``, look at it again.

        :raises MovedOn: if it has changed since.
        :raises NotAmendable: if it is not open.
        """
        known = self.seq if if_seq is None else if_seq
        return self._saw_in(self._client.amend(self.id, if_seq=known, timeout=timeout, **changes))

    def cancel(self, *, timeout: float | None = None) -> Cancellation:
        """As ``Client.cancel``."""
        return self._client.cancel(self.id, timeout=timeout)

    def explain(self) -> "Explanation":
        """As ``Client.explain``."""
        return self._client.explain(self.id)

    def _saw_each(self, updates: Generator[Update, None, None]) -> Generator[Update, None, None]:
        with closing(updates):
            for update in updates:
                self._saw(update.seq)
                yield update
