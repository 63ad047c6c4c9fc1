"""Meteora, simulated: a lower base fee and a dynamic part that grows with the trade's share of the pool."""

from chalicelib.simulation.venue import SimulatedVenue


class Meteora(SimulatedVenue):
    name = "meteora"

    @property
    def fee_rates(self) -> tuple[int, int]:
        profile = self._context.market.profile
        return profile.meteora_fee, profile.meteora_impact_fee
