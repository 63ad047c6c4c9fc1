"""Both clients over the model, behind blocking calls."""

import asyncio
from typing import Any

from orderengine import AsyncClient, Client
from orderengine.models.orders import Update
from tests.client.streams.model import Model
from tests.client.streams.transports import AsyncModelTransport, ModelTransport


class Blocking:
    def client(self, model: Model, **options: Any) -> Any:
        return Client("http://model", transport=ModelTransport(model), **options)

    def collect(self, stream: Any, most: int | None = None, into: list[Update] | None = None) -> list[Update]:
        """The updates of a stream, at most so many. ``into`` has them also if the stream fails."""
        found = [] if into is None else into
        for update in stream:
            found.append(update)
            if len(found) == most:
                break
        stream.close()
        return found

    def call(self, value: Any) -> Any:
        return value


class Awaited:
    def client(self, model: Model, **options: Any) -> Any:
        return AsyncClient("http://model", transport=AsyncModelTransport(model), **options)

    def collect(self, stream: Any, most: int | None = None, into: list[Update] | None = None) -> list[Update]:
        found = [] if into is None else into

        async def collected() -> list[Update]:
            async for update in stream:
                found.append(update)
                if len(found) == most:
                    break
            await (stream.aclose() if hasattr(stream, "aclose") else stream.close())
            return found

        return asyncio.run(collected())

    def call(self, value: Any) -> Any:
        async def awaited() -> Any:
            return await value

        return asyncio.run(awaited())
