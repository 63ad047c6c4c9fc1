"""Lives of orders as the API tells them: every event, and the record at each ``seq``."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from chalicelib.api.frames import event_body
from chalicelib.api.responses.records import record_of
from chalicelib.codec.exact_json import dumps
from chalicelib.domain.orders import Order
from orderengine.testing import engine as an_engine
from orderengine.testing.handle import VirtualEngine
from tests.support.kit import place
from tests.ui.stories import STORIES, Story


@dataclass(frozen=True)
class Life:
    """An order, with what the API says of it."""

    name: str
    order: Order

    @cached_property
    def told(self) -> dict[str, Any]:
        """The order's id, user, events, and the record after each event."""
        order = self.order
        return {
            "name": self.name,
            "orderId": order.order_id,
            "userId": order.spec.user_id,
            "events": [event_body(order, event) for event in order.events],
            "records": [record_of(order.at_seq(event.seq)) for event in order.events],
        }

    @property
    def text(self) -> str:
        """``told`` as the engine writes JSON, with every number in full."""
        return dumps(self.told)


def kit_lives() -> list[Life]:
    """Lives that the engine itself has led in virtual time, of every type and with every simulated fault."""
    return [life for name, (tell, settings) in STORIES.items() for life in _led(name, tell, settings)]


def market_lives(count: int) -> list[Life]:
    """Lives of so many market orders that the engine has executed."""

    def tell(engine: VirtualEngine) -> None:
        for _ in range(count):
            place(engine)
        engine.settle()

    return list(_led("many", tell, {}))


def _led(name: str, tell: Story, settings: dict[str, Any]) -> Iterator[Life]:
    with an_engine(seed=name, **settings) as engine:
        tell(engine)
        for number, order in enumerate(engine.orders.values(), 1):
            fault = f" with {order.spec.simulate}" if order.spec.simulate else ""
            yield Life(f"{name} {number}{fault}", order)
