"""Raydium, simulated: a standard pool with a fixed fee."""

from typing import ClassVar

from chalicelib.simulation.venue import FeeRates, SimulatedVenue


class Raydium(SimulatedVenue):
    name = "raydium"
    price_level = 0
    fees: ClassVar = {"realistic": FeeRates(2_500), "brief": FeeRates(3_000), "flat": FeeRates(2_500)}
