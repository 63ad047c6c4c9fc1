"""Feeds: the updates of all orders of a user, and where to go on after a restart."""

from collections.abc import AsyncIterator, Iterator
from types import TracebackType
from typing import Self

from orderengine.core.streams.follow import Following
from orderengine.io.drivers import iterate, iterate_async
from orderengine.io.transport import AsyncTransport, Transport
from orderengine.models.orders import Update


class Feed(Iterator[Update]):
    """An iterator of updates: each once, and those of one order in the sequence of ``seq``.

    Keep ``cursor`` where it survives a restart, and give it to ``follow`` to go on. An update counts as handled once
    the next one is asked for, so one that was being handled during a crash comes again, and none is lost.

    A feed begins when it is made, not when its first update is asked for. It is for one thread.
    """

    def __init__(self, following: Following, transport: Transport) -> None:
        self._following = following
        self._updates = iterate(following.flow(transport.now()), transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Update:
        update: Update = next(self._updates)
        return update

    @property
    def cursor(self) -> str:
        """The place after the last update that is handled, as text.

        The text has some bytes for each order that is not terminal, or ended less than five minutes before.

        Before the first update is asked for, it is the time at which the feed was made, by the clock of this machine.
        """
        return self._following.cursor

    def close(self) -> None:
        """Close the socket."""
        self._updates.close()


class AsyncFeed(AsyncIterator[Update]):
    """As ``Feed``, awaited."""

    def __init__(self, following: Following, transport: AsyncTransport) -> None:
        self._following = following
        self._updates = iterate_async(following.flow(transport.now()), transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Update:
        update: Update = await anext(self._updates)
        return update

    @property
    def cursor(self) -> str:
        return self._following.cursor

    async def close(self) -> None:
        await self._updates.aclose()
