"""The simulation beside the engine's real code in the test kit, in virtual time.

The kit runs the use cases with ten slots and the venues' times. It knows no time of calls or CPU, so here the
simulation has none either: this holds the model of the slots, the lanes and the venues, and no figure of a machine.
"""

from chalicelib.codec.times import to_ms
from chalicelib.domain.base58 import base58
from chalicelib.domain.orders import Order
from chalicelib.domain.status import Status
from orderengine.testing.handle import VirtualEngine
from tests.scale.figures import Burst, Compared, Launch, burst_figures, compared, launch_figures
from tests.scale.model import HIGH, Setup, burst
from tests.scale.venue_times import Quoting, endless, of_launch
from tests.support.kit import place

BURST_ORDERS, LAUNCH_ORDERS = 200, 100
_SETUP = Setup(environments=10)
_SETTINGS = {"rate_limit_per_minute": 0, "venue_time_scale": "1", "max_active_orders_per_user": 0}


def compare() -> list[Compared]:
    """A burst and a launch, measured in the kit and simulated with venue times of other orders."""
    return [
        *compared(f"burst of {BURST_ORDERS}", kit_burst(), simulated_burst()),
        *compared(f"launch of {LAUNCH_ORDERS}", kit_launch(), simulated_launch()),
    ]


def kit_burst() -> Burst:
    engine = VirtualEngine("scale", _SETTINGS)
    for _ in range(BURST_ORDERS):
        place(engine, slippage="5")
    assert engine.settle()
    orders = _orders(engine)
    begun = [_at(order, Status.ROUTING) for order in orders]
    waits = [start - _at(order, Status.PENDING) for start, order in zip(begun, orders, strict=True)]
    return burst_figures(begun, [_at(order, Status.CONFIRMED) for order in orders], waits)


def kit_launch() -> Launch:
    engine = VirtualEngine("scale", {**_SETTINGS, "max_open_orders_per_user": 0})
    mint = base58(bytes(range(1, 33)))
    for _ in range(LAUNCH_ORDERS):
        place(engine, type="sniper", tokenOut=mint, slippage="50", amountIn="0.1")
    assert engine.settle()
    launched = to_ms(engine.now) / 1000
    engine.launch(mint)
    assert engine.settle()
    return launch_figures([_at(order, Status.SUBMITTED) - launched for order in _orders(engine)])


def simulated_burst(setup: Setup = _SETUP, quoting: Quoting = sum) -> Burst:
    """The same burst in the simulation; ``sum`` is the quoting of the kit."""
    lives = burst(setup, BURST_ORDERS, endless("burst", quoting)).lives
    starts, ends = [life.started or 0.0 for life in lives], [life.ended or 0.0 for life in lives]
    return burst_figures(starts, ends, [life.wait for life in lives])


def simulated_launch(setup: Setup = _SETUP, orders: int = LAUNCH_ORDERS) -> Launch:
    world = burst(setup, orders, endless("launch", of_launch), lane=HIGH)
    return launch_figures([life.submitted or 0.0 for life in world.lives])


def _orders(engine: VirtualEngine) -> list[Order]:
    return [stored.order for stored in engine._deployment.all_orders().values()]


def _at(order: Order, status: Status) -> float:
    """The first time of a status, in seconds."""
    return next(to_ms(event.at) / 1000 for event in order.events if event.status is status)
