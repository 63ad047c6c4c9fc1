"""The engine of the test kit on a port, in real time: the page's API and sockets, and a test's handle on them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from orderengine.client import Client
from orderengine.testing.handle import VirtualEngine
from tests.support.kit import place

#: Venues a tenth as slow as they are, and a market that is looked at every second.
_SETTINGS = {"venue_time_scale": "0.1", "market_tick_seconds": 1}


@dataclass(frozen=True)
class Kit:
    """``engine`` cuts sockets, tells prices and lets time pass; the page is served at ``url``."""

    engine: VirtualEngine
    url: str

    def place(self, **fields: Any) -> str:
        """Place an order, by default a market order for ``anonymous``, and return its id."""
        return place(self.engine, **{"userId": "anonymous", **fields})

    def client(self, **options: Any) -> Client:
        """A client of the engine."""
        return self.engine.client(**options)


@contextmanager
def served_kit(seed: str, **settings: Any) -> Iterator[Kit]:
    """An engine with ``settings`` that are not the usual ones."""
    engine = VirtualEngine(seed, {**_SETTINGS, **settings}, real_time=True)
    try:
        yield Kit(engine, engine.serve())
    finally:
        engine.close()
