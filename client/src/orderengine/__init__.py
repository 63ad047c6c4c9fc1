"""The client of the order execution engine.

>>> from orderengine import Client
>>> with Client("http://localhost:8000", user="bot-1") as client:
...     order = client.submit("SOL", "USDC", "1.5")
...     for update in order.watch():
...         print(update.seq, update.status)
"""

from typing import TYPE_CHECKING, Any

from orderengine import errors
from orderengine.client import Client
from orderengine.core.commands import HandshakeRefused, Request, Response, SocketClosed
from orderengine.core.retry import Retry
from orderengine.core.session import Counters
from orderengine.core.streams.reconnects import Reconnect
from orderengine.core.terms import LaunchTerms, OrderTerms
from orderengine.feed import AsyncFeed, Feed
from orderengine.io.transport import AsyncSocket, AsyncTransport, Socket, Transport
from orderengine.models.orders import Order, OrderStatus, Update
from orderengine.models.quotes import Preview, Quote, Quotes
from orderengine.models.words import Phase, Status
from orderengine.placed import PlacedOrder

if TYPE_CHECKING:
    from orderengine.async_client import AsyncClient
    from orderengine.async_placed import AsyncPlacedOrder

__all__ = [
    "AsyncClient",
    "AsyncFeed",
    "AsyncPlacedOrder",
    "AsyncSocket",
    "AsyncTransport",
    "Client",
    "Counters",
    "Feed",
    "HandshakeRefused",
    "LaunchTerms",
    "Order",
    "OrderStatus",
    "OrderTerms",
    "Phase",
    "PlacedOrder",
    "Preview",
    "Quote",
    "Quotes",
    "Reconnect",
    "Request",
    "Response",
    "Retry",
    "Socket",
    "SocketClosed",
    "Status",
    "Transport",
    "Update",
    "errors",
]


def __getattr__(name: str) -> Any:
    # asyncio is a third of the time of an import, and a blocking bot does without it.
    if name == "AsyncClient":
        from orderengine.async_client import AsyncClient

        return AsyncClient
    if name == "AsyncPlacedOrder":
        from orderengine.async_placed import AsyncPlacedOrder

        return AsyncPlacedOrder
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
