"""The events of all orders of a user, as the commands read them."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any, Protocol

from orderengine.models.orders import Update


class Feed(Protocol):
    """The events of a user. Its cursor covers each event once the next one is asked for."""

    @property
    def cursor(self) -> str: ...

    def __iter__(self) -> Iterator[Update]: ...


def follow(
    client: Any, since: str | None = None, cursor: str | None = None, timeout: float | None = None
) -> AbstractContextManager[Feed]:
    """The feed of the client's user from a cursor, a time, or now on."""
    feed: AbstractContextManager[Feed] = client.follow(since=since, cursor=cursor, timeout=timeout)
    return feed
