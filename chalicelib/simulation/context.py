"""The context that all simulated venues share."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from chalicelib.ports.venues import Ledger
from chalicelib.simulation.faults import Fault
from chalicelib.simulation.feed import Feed
from chalicelib.simulation.market import SimulatedMarket


@dataclass(frozen=True, slots=True)
class SimulationContext:
    """The market, the ledger of the chain, the clock, and how to wait.

    ``time_scale`` stretches latencies (0 = none). ``default_fault`` applies to orders that ask for no fault.
    """

    market: SimulatedMarket
    feed: Feed
    ledger: Ledger
    now_ms: Callable[[], int]
    sleep: Callable[[float], None]
    time_scale: Decimal = Decimal(1)
    default_fault: Fault = field(default_factory=Fault)
