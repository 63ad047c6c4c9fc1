"""Meteora, simulated: a lower base fee, and a dynamic part that grows with the trade's share of the pool."""

from typing import ClassVar

from chalicelib.simulation.venue import FeeRates, SimulatedVenue

#: The fee for a trade of the whole pool is this much above the base fee: 2 %.
_IMPACT = 20_000


class Meteora(SimulatedVenue):
    name = "meteora"
    price_level = 1
    depth_range_ppm = (600_000, 1_400_000)
    fees: ClassVar = {
        "realistic": FeeRates(2_000, _IMPACT),
        "brief": FeeRates(2_000),
        "flat": FeeRates(2_000, _IMPACT),
    }
