"""Orca, simulated: a third venue for tests, written as a venue of the engine would be."""

from typing import ClassVar

from chalicelib.simulation.venue import FeeRates, SimulatedVenue


class Orca(SimulatedVenue):
    """Trades at the reference price in pools twice as deep as the standard, for a fee of one basis point."""

    name = "orca"
    depth_range_ppm = (2_000_000, 2_000_000)
    fees: ClassVar = {"realistic": FeeRates(100), "brief": FeeRates(100), "flat": FeeRates(100)}
