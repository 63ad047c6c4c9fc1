"""Raydium, simulated: a standard AMM pool with a fixed fee."""

from chalicelib.routing.pool import Pool
from chalicelib.routing.simulated import SimulatedVenue


class Raydium(SimulatedVenue):
    name = "raydium"

    def fee_rate(self, pool: Pool, amount_in: int) -> int:
        return self._world.market.profile.raydium_fee
