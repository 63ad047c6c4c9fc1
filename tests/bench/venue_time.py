"""The venue latency of an order, a pure function of seed, venue, order and attempt.

This module calls the simulated venues again, with a ``sleep`` that records the time without waiting.
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
    """A ledger on which every transaction lands and none is stored."""

    def land(self, fill: Fill) -> Fill:
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
        """The venue time in seconds of an order that ``dex`` fills at its first attempt.

        The engine requests quotes in parallel, so the slower venue counts; the swap on ``dex`` follows.
        """
        request = SwapRequest(spec.pair, spec.token_in, spec.token_out, spec.amount_in, order_id, 1)
        quotes: dict[str, Quote] = {}
        for name, venue in self._venues.items():
            quotes[name] = venue.quote(request)
        quoting = max(self._slept, default=0.0)
        self._slept.clear()
        self._venues[dex].send(self._venues[dex].build(quotes[dex], min_amount_out=0))
        swapping = sum(self._slept)
        self._slept.clear()
        return quoting + swapping

    def quoting_seconds(self, spec: OrderSpec, order_id: str) -> float:
        """Seconds until the slower venue has answered the first attempt; a venue without the pool takes time too."""
        return max(self.quotes(spec, order_id), default=0.0)

    def quotes(self, spec: OrderSpec, order_id: str) -> list[float]:
        """The seconds of each venue's quote at the first attempt."""
        request = SwapRequest(spec.pair, spec.token_in, spec.token_out, spec.amount_in, order_id, 1)
        for venue in self._venues.values():
            with suppress(AttemptFailedError):
                venue.quote(request)
        seconds = list(self._slept)
        self._slept.clear()
        return seconds
