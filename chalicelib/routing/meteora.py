"""Meteora, simulated: a lower base fee and a dynamic part that grows with the trade's share of the pool."""

from chalicelib.routing.pool import Pool
from chalicelib.routing.simulated import SimulatedVenue


class Meteora(SimulatedVenue):
    name = "meteora"

    def fee_rate(self, pool: Pool, amount_in: int) -> int:
        profile = self._world.market.profile
        return profile.meteora_fee + int(pool.impact_millionths(amount_in) * profile.meteora_dynamic)
