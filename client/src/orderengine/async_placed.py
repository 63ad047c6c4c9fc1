"""Placed orders, awaited."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING, Unpack

from orderengine.core.submission import Placed
from orderengine.core.terms import AmendTerms
from orderengine.models.orders import Cancellation, Order, Update
from orderengine.placed import PlacedBase

if TYPE_CHECKING:
    from orderengine.async_client import AsyncClient
    from orderengine.models.explanations import Explanation


class AsyncPlacedOrder(PlacedBase):
    """An order that the engine has accepted, and keeps whatever happens."""

    def __init__(self, client: "AsyncClient", placed: Placed) -> None:
        super().__init__(placed)
        self._client = client

    def watch(
        self, *, after: int = 0, coarse: bool = False, timeout: float | None = None
    ) -> AsyncGenerator[Update, None]:
        """As ``Client.watch``."""
        return self._saw_each(self._client.watch(self.id, after=after, coarse=coarse, timeout=timeout))

    async def result(self, *, timeout: float | None = None) -> Order:
        """As ``Client.result``."""
        return self._saw_in(await self._client.result(self.id, timeout=timeout))

    async def record(self, *, at_seq: int | None = None) -> Order:
        """As ``Client.order``."""
        found = await self._client.order(self.id, at_seq=at_seq)
        return self._saw_in(found) if at_seq is None else found

    async def events(self, *, after: int = 0, wait: int = 0) -> list[Update]:
        """As ``Client.events``."""
        found = await self._client.events(self.id, after=after, wait=wait)
        self._saw(*(one.seq for one in found))
        return found

    async def amend(
        self, *, if_seq: int | None = None, timeout: float | None = None, **changes: Unpack[AmendTerms]
    ) -> Order:
        """As ``PlacedOrder.amend``."""
        known = self.seq if if_seq is None else if_seq
        return self._saw_in(await self._client.amend(self.id, if_seq=known, timeout=timeout, **changes))

    async def cancel(self, *, timeout: float | None = None) -> Cancellation:
        """As ``Client.cancel``."""
        return await self._client.cancel(self.id, timeout=timeout)

    async def explain(self) -> "Explanation":
        """As ``Client.explain``."""
        return await self._client.explain(self.id)

    async def _saw_each(self, updates: AsyncGenerator[Update, None]) -> AsyncGenerator[Update, None]:
        async with aclosing(updates):
            async for update in updates:
                self._saw(update.seq)
                yield update
