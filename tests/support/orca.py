"""A simulated Orca: a third venue for tests, implemented like the engine's own venues."""

from typing import ClassVar

from chalicelib.simulation.venue import FeeRates, SimulatedVenue


class Orca(SimulatedVenue):
    """A venue at the reference price, with pools of twice the standard depth and a fee of one basis point."""

    name = "orca"
    depth_range_ppm = (2_000_000, 2_000_000)
    fees: ClassVar = {"realistic": FeeRates(100), "brief": FeeRates(100), "flat": FeeRates(100)}
