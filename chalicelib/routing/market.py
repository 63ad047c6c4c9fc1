"""The simulated market: a reference price and two pools of every pair, as a function of seed and slot.

Nothing here keeps state or looks at a clock, so every process and every later look gives the same answer.
"""

from dataclasses import dataclass
from decimal import Decimal

from chalicelib.domain.money import to_human_units
from chalicelib.domain.tokens import Pair
from chalicelib.routing.chance import between, smooth

#: A Solana slot lasts about 400 ms; it is the tick of the simulation.
SLOT_MS = 400
_MINUTE = 60_000 // SLOT_MS
_HOUR = 60 * _MINUTE
#: The reference price turns so seldom that an order which is tried again half a minute later still finds its price
#: within the usual tolerance of one percent.
_DRIFT = 10 * _MINUTE
_PPM = 1_000_000
#: How far the reference price strays from the registry's base price, in millionths.
_STRAY = 30_000
#: Reserves of one side of a pool, in USD. 50,000 SOL against 5,000,000 USDC at the base price.
_DEPTH_USD = {"SOL": 5_000_000}
_DEFAULT_DEPTH_USD = 1_500_000


@dataclass(frozen=True, slots=True)
class Profile:
    """How the two venues differ. ``gap`` is the range of the price gap in millionths, fees are in millionths."""

    gap: tuple[int, int]
    raydium_fee: int
    meteora_fee: int
    #: Meteora's fee grows by so much with the share of the pool that a trade takes: by 2 % for all of it.
    meteora_impact_fee: int


PROFILES = {
    "realistic": Profile((20_000, 50_000), 2_500, 2_000, 20_000),
    "brief": Profile((20_000, 50_000), 3_000, 2_000, 0),
    "flat": Profile((0, 2_000), 2_500, 2_000, 20_000),
}


@dataclass(frozen=True, slots=True)
class Reserves:
    """A pool's reserves in base units of the pair's two tokens."""

    base: int
    quote: int

    def liquidity(self, pair: Pair) -> Decimal:
        """The quote-token side of the pool, in human units."""
        return to_human_units(self.quote, pair.quote.decimals)


@dataclass(frozen=True, slots=True)
class Market:
    seed: str
    profile: Profile

    def reserves(self, venue: str, pair: Pair, slot: int) -> Reserves:
        """The pool of this venue at this slot."""
        depth_usd = _DEPTH_USD.get(pair.base.symbol, _DEFAULT_DEPTH_USD)
        base = int(Decimal(depth_usd) / pair.base.usd) * 10**pair.base.decimals
        if venue == "meteora":
            base = base * between(600_000, 1_400_000, self.seed, "depth", pair.name) // _PPM
        numerator, denominator = self._price(venue, pair, slot)
        # The price in human units, moved to base units of both tokens.
        numerator *= 10**pair.quote.decimals
        denominator *= 10**pair.base.decimals
        return Reserves(base, base * numerator // denominator)

    def _price(self, venue: str, pair: Pair, slot: int) -> tuple[int, int]:
        """Quote per base in human units, as a fraction of integers."""
        numerator, denominator = (pair.base.usd / pair.quote.usd).as_integer_ratio()
        stray = smooth(-_STRAY, _STRAY, slot, _DRIFT, self.seed, "reference", pair.name)
        gap = smooth(*self.profile.gap, slot, _MINUTE, self.seed, "gap", pair.name)
        # The dearer venue stands exactly ``gap`` above the cheaper one; they change places by the hour.
        dearer = ("raydium", "meteora")[between(0, 1, self.seed, "dearer", pair.name, slot // _HOUR)]
        share = 2 * _PPM + 2 * gap if venue == dearer else 2 * _PPM
        return numerator * (_PPM + stray) * share, denominator * _PPM * (2 * _PPM + gap)
