"""What the engine needs of a venue and of the chain that it trades on."""

from typing import Protocol

from chalicelib.domain.conditions import LaunchedPool
from chalicelib.domain.depth import Depth
from chalicelib.domain.swaps import Fill, Quote, SwapRequest, Transaction
from chalicelib.domain.tokens import Pair


class Venue(Protocol):
    """A place to swap. Its calls raise ``AttemptFailedError`` with the venue's reason."""

    @property
    def name(self) -> str: ...

    def depth(self, pair: Pair, market_as_of_ms: int = 0, pool: LaunchedPool | None = None) -> Depth:
        """The pool as it is now, and as a local copy of its accounts shows it: no wait, and no order's fault.

        Of a launched mint it is said which pool.
        """
        ...

    def quote(self, request: SwapRequest) -> Quote: ...

    def build(self, quote: Quote, min_amount_out: int) -> Transaction: ...

    def send(self, transaction: Transaction) -> Fill: ...


class Ledger(Protocol):
    """The chain's memory, keyed by signature: one swap per signature, for ever."""

    def land(self, fill: Fill, at_ms: int) -> Fill:
        """Record the swap, or return the one that landed under this signature before.

        :raises AttemptFailedError: ``TX_DROPPED`` if the signature was voided.
        """
        ...

    def settle(self, signature: str, order_id: str, at_ms: int) -> Fill | None:
        """What became of a signature, for good: its fill, or ``None`` and it is void and can no longer land."""
        ...
