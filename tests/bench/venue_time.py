"""How long the venues took for an order: their latencies are a pure function of seed, venue, order and attempt.

The simulated venues themselves are asked again, with a sleep that notes the time instead of passing it.
"""

from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal

from chalicelib.domain.failures import AttemptFailedError
from chalicelib.domain.spec import OrderSpec
from chalicelib.domain.swaps import Fill, Quote, SwapRequest
from chalicelib.settings import Settings
from chalicelib.simulation.context import SimulationContext
from chalicelib.simulation.market import PROFILES, SimulatedMarket
from chalicelib.simulation.venues import simulated_venues
from tests.support.market import a_feed


@dataclass(frozen=True)
class _NoLedger:
    """A chain on which everything lands and nothing is kept."""

    def land(self, fill: Fill, at_ms: int) -> Fill:
        return fill

    def settle(self, signature: str, order_id: str, at_ms: int) -> Fill | None:
        return None


class VenueTimes:
    """The venue times of one stack's orders."""

    def __init__(self, settings: Settings) -> None:
        self._slept: list[float] = []
        self._venues = simulated_venues(
            SimulationContext(
                market=SimulatedMarket(settings.venue_seed, PROFILES[settings.venue_profile]),
                feed=a_feed(lambda: 0),
                ledger=_NoLedger(),
                now_ms=lambda: 0,
                sleep=self._slept.append,
                time_scale=Decimal(settings.venue_time_scale),
            )
        )

    def seconds(self, spec: OrderSpec, order_id: str, dex: str) -> float:
        """The venue time of an order filled by ``dex`` at its first attempt.

        The venues are asked for quotes side by side, so the slower one counts; then the chosen one swaps.
        """
        request = SwapRequest(spec.pair, spec.token_in, spec.token_out, spec.amount_in, order_id, 1)
        quotes: dict[str, Quote] = {}
        for name, venue in self._venues.items():
            quotes[name] = venue.quote(request)
        quoting = max(self._slept)
        self._slept.clear()
        self._venues[dex].send(self._venues[dex].build(quotes[dex], min_amount_out=0))
        swapping = sum(self._slept)
        self._slept.clear()
        return quoting + swapping

    def quoting_seconds(self, spec: OrderSpec, order_id: str) -> float:
        """Until the slower venue has answered the first attempt; one that has no pool of the pair waits as well."""
        request = SwapRequest(spec.pair, spec.token_in, spec.token_out, spec.amount_in, order_id, 1)
        for venue in self._venues.values():
            with suppress(AttemptFailedError):
                venue.quote(request)
        quoting = max(self._slept, default=0.0)
        self._slept.clear()
        return quoting
