"""A simulated venue: a constant-product pool of the simulated market, with latency, drift and faults."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha512

from chalicelib.domain.conditions import LaunchedPool
from chalicelib.domain.depth import Depth
from chalicelib.domain.failures import AttemptFailedError, FailureCode
from chalicelib.domain.money import percent
from chalicelib.domain.swaps import Fill, Quote, SwapRequest, Transaction
from chalicelib.domain.tokens import SOL, Pair
from chalicelib.ports.venues import Ledger
from chalicelib.simulation.base58 import base58
from chalicelib.simulation.chance import between
from chalicelib.simulation.faults import Fault
from chalicelib.simulation.feed import CachedMarketData
from chalicelib.simulation.market import SLOT_MS, Market

#: A quote is good for this long.
QUOTE_VALID_MS = 5_000
_QUOTE_MS = (150, 250)
_SWAP_MS = (2_000, 3_000)


@dataclass(frozen=True, slots=True)
class SimulationContext:
    """What the simulated venues share: the market, the chain, the clock, and how to wait.

    ``time_scale`` stretches latencies (0 = none); ``fault`` hits orders that ask for none themselves.
    """

    market: Market
    feed: CachedMarketData
    ledger: Ledger
    now_ms: Callable[[], int]
    sleep: Callable[[float], None]
    time_scale: Decimal = Decimal(1)
    fault: str | None = None


class SimulatedVenue:
    """The common part of the simulated venues."""

    name: str

    def __init__(self, context: SimulationContext) -> None:
        self._context = context

    @property
    def fee_rates(self) -> tuple[int, int]:
        """The fee in millionths of the input, and what impact adds to it: see ``Pool.swap``."""
        raise NotImplementedError

    def depth(self, pair: Pair, market_as_of_ms: int = 0, pool: LaunchedPool | None = None) -> Depth:
        slot, known = self._context.now_ms() // SLOT_MS, self._context.feed.known(pair, market_as_of_ms)
        reserves = self._context.market.reserves(self.name, pair, slot, known, pool)
        if reserves is None:
            raise AttemptFailedError(FailureCode.POOL_NOT_FOUND, f"{self.name} has no pool of {pair.name}")
        return Depth(self.name, pair, reserves.base, reserves.quote, *self.fee_rates)

    def quote(self, request: SwapRequest) -> Quote:
        fault = self._fault(request)
        self._wait("quote", _QUOTE_MS, request)
        fault.on_quote(self.name, request.attempt)
        now = self._context.now_ms()
        depth = self.depth(request.pair, request.market_as_of_ms, request.pool)
        result = depth.swap(request.side, request.amount_in)
        return Quote(
            venue=self.name,
            request=request,
            amount_out=result.amount_out,
            fee=result.fee,
            fee_bps=percent(result.fee * 100, request.amount_in),
            price_impact_pct=result.price_impact_pct,
            liquidity=depth.liquidity,
            quoted_at_ms=now,
        )

    def build(self, quote: Quote, min_amount_out: int) -> Transaction:
        """The transaction for a quote. Native SOL is wrapped before and unwrapped after the swap."""
        request = quote.request
        steps = (
            *(["wrapSol"] if request.token_in == SOL else []),
            "swap",
            *(["unwrapSol"] if request.token_out == SOL else []),
        )
        identity = (request.order_id, request.attempt, quote.venue, quote.amount_out, quote.quoted_at_ms)
        signature = base58(sha512("|".join(map(str, identity)).encode()).digest())
        return Transaction(signature, quote, min_amount_out, steps)

    def send(self, transaction: Transaction) -> Fill:
        """Swap at the price of the slot in which the transaction lands, which is not the quoted one."""
        request = transaction.quote.request
        fault = self._fault(request)
        if self._context.now_ms() - transaction.quote.quoted_at_ms > QUOTE_VALID_MS:
            raise AttemptFailedError(FailureCode.STALE_QUOTE, f"the quote of {self.name} is too old")
        self._wait("swap", _SWAP_MS, request, fault.extra_ms)
        fault.on_send(self.name, request.attempt)
        now = self._context.now_ms()
        depth = self.depth(request.pair, request.market_as_of_ms, request.pool)
        result = depth.swap(request.side, request.amount_in)
        if result.amount_out < max(transaction.min_amount_out, 1):
            raise AttemptFailedError(
                FailureCode.SLIPPAGE_EXCEEDED, f"{self.name} would return less than the minimum output"
            )
        fill = Fill(transaction.signature, request.order_id, self.name, request.amount_in, result.amount_out)
        fill = self._context.ledger.land(fill, now)
        fault.on_reply(self.name, request.attempt)
        return fill

    def _fault(self, request: SwapRequest) -> Fault:
        return Fault.parse(request.simulate or self._context.fault)

    def _wait(self, purpose: str, span_ms: tuple[int, int], request: SwapRequest, extra_ms: int = 0) -> None:
        seed = self._context.market.seed
        latency = between(*span_ms, seed, "latency", purpose, self.name, request.order_id, request.attempt)
        seconds = (latency * self._context.time_scale + extra_ms) / 1000
        if seconds:
            self._context.sleep(float(seconds))
