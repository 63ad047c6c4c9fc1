"""Constant-product pools in integer base units, rounding against the trader as on chain.

``fee = ceil(in * rate / 10**6)``, ``out = floor(net * y / (x + net))`` with ``net = in - fee``.
Source: Raydium's CP-Swap program (``curve/constant_product.rs``, ``curve/fees.rs``; fee denominator 10**6).
"""

from dataclasses import dataclass
from decimal import Decimal

from chalicelib.domain.money import percent

FEE_DENOMINATOR = 1_000_000


@dataclass(frozen=True, slots=True)
class SwapResult:
    """The result of a swap in base units: ``fee`` of the input token, ``amount_out`` of the output token."""

    fee: int
    amount_out: int
    price_impact_pct: Decimal


@dataclass(frozen=True, slots=True)
class Pool:
    """Reserves in base units as the trader sees them: the trader pays into ``reserve_in``."""

    reserve_in: int
    reserve_out: int

    def swap(self, amount_in: int, fee_rate: int, impact_fee_rate: int = 0) -> SwapResult:
        """The swap of ``amount_in`` base units.

        ``fee_rate`` is in millionths of the input (2500 = 0.25 %). ``impact_fee_rate`` adds to it in proportion to
        the trade's share of the pool. The whole fee is rounded up once, so that a larger input never brings less.
        """
        depth = self.reserve_in + amount_in
        fee = -(-amount_in * (fee_rate * depth + impact_fee_rate * amount_in) // (FEE_DENOMINATOR * depth))
        net = amount_in - fee
        return SwapResult(
            fee=fee,
            amount_out=net * self.reserve_out // (self.reserve_in + net),
            price_impact_pct=percent(net, self.reserve_in + net),
        )
