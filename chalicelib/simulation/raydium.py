"""Raydium, simulated: a standard AMM pool with a fixed fee."""

from chalicelib.simulation.venue import SimulatedVenue


class Raydium(SimulatedVenue):
    name = "raydium"

    @property
    def fee_rates(self) -> tuple[int, int]:
        return self._context.market.profile.raydium_fee, 0
