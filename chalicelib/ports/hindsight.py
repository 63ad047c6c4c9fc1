"""The market as it was: what its venues would have answered at a moment in the past."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from chalicelib.domain.as_of import ANY_TIME, AsOf
from chalicelib.domain.conditions import LaunchedPool
from chalicelib.domain.depth import Depth
from chalicelib.domain.swaps import Fill, Quote, SwapRequest, Transaction
from chalicelib.domain.tokens import Pair


class PastVenue(Protocol):
    """A venue at a moment in the past. Its calls compute what those of a ``Venue`` did, with the same errors."""

    def depth(self, pair: Pair, as_of: AsOf = ANY_TIME, pool: LaunchedPool | None = None) -> Depth: ...

    def quote(self, request: SwapRequest) -> Quote: ...

    def build(self, quote: Quote, min_amount_out: int) -> Transaction: ...

    def check_age(self, quote: Quote) -> None:
        """:raises AttemptFailedError: if the quote is too old to be sent at this moment."""
        ...

    def landing(self, transaction: Transaction) -> Fill:
        """The fill of a transaction that reaches the chain at this moment.

        :raises AttemptFailedError: if it does not land.
        """
        ...


class PastMarket(Protocol):
    """The pools of one pair over a period. Its calls compute, and read no store."""

    @property
    def tick_ms(self) -> int:
        """The length of a tick. The simulated pools change once per tick, and at each pushed price."""
        ...

    @property
    def price_moments(self) -> Sequence[int]:
        """When prices were pushed in the period, in milliseconds since the epoch."""
        ...

    @property
    def is_exact(self) -> bool:
        """True if every price that was pushed in the period is known; else the depths are estimates."""
        ...

    def depths(self, at_ms: int) -> list[Depth]:
        """The pools of the pair at a moment, without venues that had none, in the order of the registry."""
        ...

    def depth(self, venue: str, at_ms: int, known_ms: int | None = None) -> Depth | None:
        """A venue's pool at a moment, from the prices that were pushed up to ``known_ms``, by default ``at_ms``.

        ``known_ms`` is the ``price_at_ms`` of a quote: a venue may quote from a price that is about to be replaced.
        """
        ...

    def venues(self, at_ms: int, price_at_ms: int | None, launch_slot: int | None) -> Mapping[str, PastVenue] | None:
        """The venues by name as they were for a quote or fill with these fields; for a launched pool only its venue.

        ``None`` if that price or launch is not kept.
        """
        ...


class Hindsight(Protocol):
    def market(self, pair: Pair, since: datetime, until: datetime, pool: LaunchedPool | None = None) -> PastMarket:
        """The market of a pair between two times. ``pool`` names the pool of a launched mint."""
        ...
