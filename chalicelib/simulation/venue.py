"""A simulated venue: constant-product pools of the simulated market, with latency, price drift and faults.

A new venue is a subclass with a name, its fees and its place in the market, and a line in ``venues``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha512
from typing import ClassVar

from chalicelib.domain.as_of import ANY_TIME, AsOf
from chalicelib.domain.base58 import base58
from chalicelib.domain.conditions import LaunchedPool
from chalicelib.domain.depth import Depth
from chalicelib.domain.failures import AttemptFailedError, FailureCode
from chalicelib.domain.money import percent
from chalicelib.domain.swaps import Fill, Quote, SwapRequest, Transaction
from chalicelib.domain.tokens import SOL, Pair
from chalicelib.ports.market import MarketSnapshot
from chalicelib.simulation.chance import between
from chalicelib.simulation.context import SimulationContext
from chalicelib.simulation.faults import Fault
from chalicelib.simulation.market import PPM, SLOT_MS, PoolShape

#: A quote is valid for this long.
QUOTE_VALID_MS = 5_000
#: Ranges of the latencies of a quote and of a swap.
_QUOTE_MS = (150, 250)
_SWAP_MS = (2_000, 3_000)
#: The longest time between sending a swap and its landing, before ``time_scale`` stretches it.
MAX_SWAP_MS = _SWAP_MS[1]


@dataclass(frozen=True, slots=True)
class FeeRates:
    """The fee in millionths of the input, and what the trade's share of the pool adds to it: see ``Pool.swap``."""

    base: int
    impact: int = 0


_DEFAULT_FEES = FeeRates(2_500)


class SimulatedVenue:
    """A venue of the simulated market. Subclasses set the class attributes."""

    name: ClassVar[str]
    #: Levels 0 and 1 trade above and below the reference price and swap places by the hour; ``None`` trades at it.
    price_level: ClassVar[int | None] = None
    #: The range of the pools' size against the market's standard, in millionths.
    depth_range_ppm: ClassVar[tuple[int, int]] = (PPM, PPM)
    #: Fees by the profile of the market; other profiles have the standard fee.
    fees: ClassVar[Mapping[str, FeeRates]] = {}

    def __init__(self, context: SimulationContext) -> None:
        self._context = context

    @property
    def fee_rates(self) -> FeeRates:
        return self.fees.get(self._context.market.profile.name, _DEFAULT_FEES)

    def depth(self, pair: Pair, as_of: AsOf = ANY_TIME, pool: LaunchedPool | None = None) -> Depth:
        return self.depth_at(self._context.now_ms(), pair, self._context.feed.snapshot(pair, as_of, pool), pool)

    def depth_at(self, at_ms: int, pair: Pair, snapshot: MarketSnapshot, pool: LaunchedPool | None = None) -> Depth:
        """The pool at a moment, given the market data.

        :raises AttemptFailedError: if the venue has no such pool.
        """
        shape = PoolShape(self.name, self.price_level, self.depth_range_ppm)
        reserves = self._context.market.reserves(shape, pair, at_ms // SLOT_MS, snapshot, pool)
        if reserves is None:
            reason = f"{self.name} has no pool of {pair.name}"
            raise AttemptFailedError(FailureCode.POOL_NOT_FOUND, reason, at_ms=at_ms)
        fees = self.fee_rates
        return Depth(
            venue=self.name,
            pair=pair,
            base=reserves.base,
            quote=reserves.quote,
            fee_rate=fees.base,
            impact_fee_rate=fees.impact,
            at_ms=at_ms,
            price_at_ms=snapshot.price_at_ms,
            launch_slot=snapshot.launch_slot,
        )

    def quote(self, request: SwapRequest) -> Quote:
        fault = self._fault(request)
        self._wait("quote", _QUOTE_MS, request)
        now = self._context.now_ms()
        fault.on_quote(self.name, request.attempt, now)
        snapshot = self._context.feed.snapshot(request.pair, request.as_of, request.pool)
        depth = self.depth_at(now, request.pair, snapshot, request.pool)
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
            price_at_ms=snapshot.price_at_ms,
            launch_slot=snapshot.launch_slot,
        )

    def build(self, quote: Quote, min_amount_out: int) -> Transaction:
        """The transaction for a quote. It wraps native SOL before the swap and unwraps it afterwards."""
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
        """Swap at the price of the slot in which the transaction lands, which may differ from the quoted price."""
        request = transaction.quote.request
        fault = self._fault(request)
        self.check_age(transaction.quote)
        self._wait("swap", _SWAP_MS, request, fault.extra_ms)
        fill = self._context.ledger.land(self.landing(transaction))
        fault.on_reply(self.name, request.attempt)
        return fill

    def check_age(self, quote: Quote) -> None:
        """:raises AttemptFailedError: if the quote is too old to be sent now."""
        now = self._context.now_ms()
        if now - quote.quoted_at_ms > QUOTE_VALID_MS:
            raise AttemptFailedError(FailureCode.STALE_QUOTE, f"the quote of {self.name} is too old", at_ms=now)

    def landing(self, transaction: Transaction) -> Fill:
        """The fill of a transaction that reaches the chain now, before the ledger has it.

        :raises AttemptFailedError: if it does not land.
        """
        request, now = transaction.quote.request, self._context.now_ms()
        self._fault(request).on_send(self.name, request.attempt, now)
        snapshot = self._context.feed.snapshot(request.pair, request.as_of, request.pool)
        result = self.depth_at(now, request.pair, snapshot, request.pool).swap(request.side, request.amount_in)
        if result.amount_out < max(transaction.min_amount_out, 1):
            raise AttemptFailedError(
                FailureCode.SLIPPAGE_EXCEEDED,
                f"{self.name} would return less than the minimum output",
                amount_out=result.amount_out,
                at_ms=now,
                price_at_ms=snapshot.price_at_ms,
                launch_slot=snapshot.launch_slot,
            )
        return Fill(
            signature=transaction.signature,
            order_id=request.order_id,
            venue=self.name,
            amount_in=request.amount_in,
            amount_out=result.amount_out,
            landed_at_ms=now,
            price_at_ms=snapshot.price_at_ms,
            launch_slot=snapshot.launch_slot,
        )

    def _fault(self, request: SwapRequest) -> Fault:
        return Fault.parse(request.simulate) if request.simulate else self._context.default_fault

    def _wait(self, purpose: str, range_ms: tuple[int, int], request: SwapRequest, extra_ms: int = 0) -> None:
        seed = self._context.market.seed
        latency = between(*range_ms, seed, "latency", purpose, self.name, request.order_id, request.attempt)
        seconds = (latency * self._context.time_scale + extra_ms) / 1000
        if seconds:
            self._context.sleep(float(seconds))
