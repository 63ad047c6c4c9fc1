"""The market data that an order's events name, from one history of its execution and from single prices."""

from collections.abc import Mapping

from chalicelib.codec.times import from_ms
from chalicelib.domain.orders import Order
from chalicelib.ports.hindsight import Hindsight, PastMarket, PastVenue


class PastMarkets:
    """``max_prices`` is how many prices that the history lacks are looked up singly; ``None`` means all.

    A history has a limited number of prices, and an order may be open for weeks, in which prices are many.
    """

    def __init__(self, hindsight: Hindsight, order: Order, max_prices: int | None) -> None:
        self._hindsight, self._order, self._max_prices = hindsight, order, max_prices
        self._history: PastMarket | None = None
        self._single: dict[int, PastMarket] = {}

    def venues(self, at_ms: int, price_at_ms: int | None, launch_slot: int | None) -> Mapping[str, PastVenue] | None:
        """The venues as they were for a quote, fill or failure with these fields; ``None`` if that is unknown."""
        # The first price that the events name is about the earliest; an earlier one is looked up singly.
        self._history = self._history or self._market(at_ms if price_at_ms is None else price_at_ms)
        venues = self._history.venues(at_ms, price_at_ms, launch_slot)
        if venues is not None or price_at_ms is None:
            return venues
        single = self._with_price(price_at_ms)
        return single.venues(at_ms, price_at_ms, launch_slot) if single else None

    def _with_price(self, price_at_ms: int) -> PastMarket | None:
        """The market at the time of this price; ``None`` if that would be one price too many."""
        if price_at_ms not in self._single:
            if self._max_prices is not None and len(self._single) >= self._max_prices:
                return None
            self._single[price_at_ms] = self._market(price_at_ms, price_at_ms)
        return self._single[price_at_ms]

    def _market(self, since_ms: int, until_ms: int | None = None) -> PastMarket:
        until = self._order.events[-1].at if until_ms is None else from_ms(until_ms)
        since = from_ms(since_ms)
        return self._hindsight.market(self._order.spec.pair, since, max(since, until), self._order.launched_in)
