"""One of the two clients, so that one test runs over both.

::

    order = shell(shell.client(script).submit("SOL", "USDC", "1.5"))
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterator
from typing import Any

from orderengine import AsyncClient, Client
from tests.client.scripted import AsyncScriptedTransport, Script, ScriptedTransport


class Shell:
    """One of the two clients. Called with what a method of the client returns, it settles it."""

    def __init__(self, is_async: bool) -> None:
        self.is_async = is_async
        self._runner = asyncio.Runner() if is_async else None

    def client(self, script: Script, **options: Any) -> Any:
        """A ``Client`` or an ``AsyncClient`` on the script."""
        if self.is_async:
            return AsyncClient(transport=AsyncScriptedTransport(script), **options)
        return Client(transport=ScriptedTransport(script), **options)

    def over_network(self, base_url: str, **options: Any) -> Any:
        """A ``Client`` or an ``AsyncClient`` with real connections."""
        return AsyncClient(base_url, **options) if self.is_async else Client(base_url, **options)

    def __call__(self, value: Any) -> Any:
        """The result of an awaitable; a list of what an iterator gives; anything else as it is."""
        if isinstance(value, Awaitable):
            return self.run(value)
        if isinstance(value, AsyncIterator):
            return self.run(_collected(value))
        return list(value) if isinstance(value, Iterator) else value

    def run(self, value: Awaitable[Any]) -> Any:
        assert self._runner is not None

        async def wait() -> Any:
            return await value

        return self._runner.run(wait())

    def close(self) -> None:
        if self._runner is not None:
            self._runner.close()


async def _collected(values: AsyncIterator[Any]) -> list[Any]:
    return [one async for one in values]
