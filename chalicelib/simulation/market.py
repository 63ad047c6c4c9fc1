"""The simulated market: a reference price and two pools of every pair, as a function of seed and slot.

Nothing here keeps state or looks at a clock, so every process and every later look gives the same answer. A price
that was pushed from adapters is where the path goes on from, and what is not in the registry has the pools that were
opened for it.
"""

from dataclasses import dataclass
from decimal import Decimal

from chalicelib.domain.conditions import Launch, LaunchedPool
from chalicelib.domain.money import MAX_BASE_UNITS
from chalicelib.domain.tokens import BY_MINT, Pair
from chalicelib.ports.market import MarketSnapshot
from chalicelib.simulation.chance import between, smooth

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
    """A pool's reserves in base units of the pair's two tokens; no more than a token account can hold of each.

    However absurd a price is told, nothing comes out of a pool that no account could take.
    """

    base: int
    quote: int


@dataclass(frozen=True, slots=True)
class Market:
    seed: str
    profile: Profile

    def reserves(
        self, venue: str, pair: Pair, slot: int, known: MarketSnapshot | None = None, pool: LaunchedPool | None = None
    ) -> Reserves | None:
        """The pool of this venue at this slot, given what was told; ``None`` if there is none.

        Of a launched mint it is said which pool.
        """
        known = known or MarketSnapshot()
        if pair.base.mint not in BY_MINT:
            launch = known.pools.get(pool) if pool and pool.venue == venue else None
            return self._launched(launch, pair, slot, known) if launch else None
        depth_usd = _DEPTH_USD.get(pair.base.symbol, _DEFAULT_DEPTH_USD)
        base = int(Decimal(depth_usd) / pair.base.usd) * 10**pair.base.decimals
        if venue == "meteora":
            base = base * between(600_000, 1_400_000, self.seed, "depth", pair.name) // _PPM
        numerator, denominator = self._price(venue, pair, slot, known)
        # The price in human units, moved to base units of both tokens.
        numerator *= 10**pair.quote.decimals
        denominator *= 10**pair.base.decimals
        return Reserves(base, min(max(base * numerator // denominator, 1), MAX_BASE_UNITS))

    def _launched(self, launch: Launch, pair: Pair, slot: int, known: MarketSnapshot) -> Reserves:
        """A pool that was opened with this launch's price and liquidity."""
        quote = int(launch.liquidity * 10**pair.quote.decimals)
        base = int(launch.liquidity / launch.price * 10**pair.base.decimals)
        then, since_ms = launch.price, launch.at_ms
        # A price that was told before is of another pool, or of none.
        if known.price and known.price.at_ms >= launch.at_ms:
            then, since_ms = known.price.price, known.price.at_ms
        numerator, denominator = (then / launch.price).as_integer_ratio()
        quote = quote * numerator * self._path(pair, slot) // (denominator * self._path(pair, since_ms // SLOT_MS))
        return Reserves(*(min(max(side, 1), MAX_BASE_UNITS) for side in (base, quote)))

    def _path(self, pair: Pair, slot: int) -> int:
        """The reference price as a share of what it strays around, in millionths."""
        return _PPM + smooth(-_STRAY, _STRAY, slot, _DRIFT, self.seed, "reference", pair.name)

    def _price(self, venue: str, pair: Pair, slot: int, known: MarketSnapshot) -> tuple[int, int]:
        """Quote per base in human units, as a fraction of integers."""
        numerator, denominator = (pair.base.usd / pair.quote.usd).as_integer_ratio()
        before = _PPM
        if known.price:
            numerator, denominator = known.price.price.as_integer_ratio()
            before = self._path(pair, known.price.at_ms // SLOT_MS)
        gap = smooth(*self.profile.gap, slot, _MINUTE, self.seed, "gap", pair.name)
        # The dearer venue stands exactly ``gap`` above the cheaper one; they change places by the hour.
        dearer = ("raydium", "meteora")[between(0, 1, self.seed, "dearer", pair.name, slot // _HOUR)]
        share = 2 * _PPM + 2 * gap if venue == dearer else 2 * _PPM
        return numerator * self._path(pair, slot) * share, denominator * before * (2 * _PPM + gap)
