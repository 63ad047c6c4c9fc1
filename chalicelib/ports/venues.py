"""A venue, and the ledger of the chain that it trades on."""

from typing import Protocol

from chalicelib.domain.as_of import ANY_TIME, AsOf
from chalicelib.domain.conditions import LaunchedPool
from chalicelib.domain.depth import Depth
from chalicelib.domain.swaps import Fill, Quote, SwapRequest, Transaction
from chalicelib.domain.tokens import Pair


class Venue(Protocol):
    """A place to swap. Its calls raise ``AttemptFailedError`` with the venue's reason."""

    @property
    def name(self) -> str: ...

    def depth(self, pair: Pair, as_of: AsOf = ANY_TIME, pool: LaunchedPool | None = None) -> Depth:
        """The pool as it is now, from a local copy of its accounts: without latency and without simulated faults.

        ``pool`` names the pool of a launched mint.
        """
        ...

    def quote(self, request: SwapRequest) -> Quote: ...

    def build(self, quote: Quote, min_amount_out: int) -> Transaction: ...

    def send(self, transaction: Transaction) -> Fill: ...


class Ledger(Protocol):
    """The swaps of the chain by signature. A signature lands once, or is void, and never changes again."""

    def land(self, fill: Fill) -> Fill:
        """Record the swap with its ``landed_at_ms``, or return the swap that landed under this signature before.

        :raises AttemptFailedError: ``TX_DROPPED`` if the signature was voided.
        """
        ...

    def settle(self, signature: str, order_id: str, at_ms: int) -> Fill | None:
        """The final outcome of a signature: its fill, or ``None`` if it is now void and can no longer land."""
        ...
