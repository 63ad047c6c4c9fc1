"""The simulated market: a reference price and the pools of every pair, as a function of seed and slot.

The market keeps no state and reads no clock, so every process and every later look computes the same answer. A pushed
price is where the path continues from. Mints outside the registry have the pools that were launched for them.
"""

from dataclasses import dataclass
from decimal import Decimal

from chalicelib.domain.conditions import Launch, LaunchedPool
from chalicelib.domain.money import MAX_BASE_UNITS
from chalicelib.domain.tokens import BY_MINT, Pair, Token
from chalicelib.ports.market import MarketSnapshot
from chalicelib.simulation.chance import between, smooth

#: A Solana slot lasts about 400 ms; it is the tick of the simulation.
SLOT_MS = 400
PPM = 1_000_000
_MINUTE = 60_000 // SLOT_MS
_HOUR = 60 * _MINUTE
#: The reference price turns this seldom, so that an order which retries half a minute later still finds its price
#: within the usual tolerance of one percent.
_DRIFT = 10 * _MINUTE
#: The largest distance of the reference price from the base price.
_STRAY_PPM = 30_000
#: Prices in USD around which the reference prices move. They are no market data.
BASE_PRICES_USD = {
    "SOL": Decimal("100"),
    "USDC": Decimal("1"),
    "USDT": Decimal("1"),
    "JUP": Decimal("0.8"),
    "RAY": Decimal("2.5"),
    "BONK": Decimal("0.00002"),
    "WIF": Decimal("1.6"),
    "PYTH": Decimal("0.4"),
    "JTO": Decimal("2.2"),
    "ORCA": Decimal("2.1"),
    "mSOL": Decimal("120"),
}
#: Reserves of one side of a pool, in USD. 50,000 SOL against 5,000,000 USDC at the base price.
_DEPTH_USD = {"SOL": 5_000_000}
_DEFAULT_DEPTH_USD = 1_500_000


@dataclass(frozen=True, slots=True)
class Profile:
    """A character of the market: ``gap_ppm`` is the range of the price gap between the venues, in millionths."""

    name: str
    gap_ppm: tuple[int, int]


PROFILES = {
    profile.name: profile
    for profile in (
        Profile("realistic", (20_000, 50_000)),
        Profile("brief", (20_000, 50_000)),
        Profile("flat", (0, 2_000)),
    )
}


@dataclass(frozen=True, slots=True)
class PoolShape:
    """A venue's place in the market: see the attributes of ``SimulatedVenue``."""

    venue: str
    price_level: int | None = None
    depth_range_ppm: tuple[int, int] = (PPM, PPM)


@dataclass(frozen=True, slots=True)
class Reserves:
    """A pool's reserves in base units of the pair's two tokens, each at most what a token account can hold.

    The bound keeps an absurd pushed price from making swaps that no account could take.
    """

    base: int
    quote: int


@dataclass(frozen=True, slots=True)
class SimulatedMarket:
    seed: str
    profile: Profile

    def reserves(
        self,
        shape: PoolShape,
        pair: Pair,
        slot: int,
        snapshot: MarketSnapshot | None = None,
        pool: LaunchedPool | None = None,
    ) -> Reserves | None:
        """A venue's pool at a slot, given the pushed price and the pool's launch; ``None`` if it has none.

        ``pool`` names the pool of a launched mint.
        """
        snapshot = snapshot or MarketSnapshot()
        if pair.base.mint not in BY_MINT:
            launch = snapshot.launch
            is_here = launch is not None and launch.opened == pool and launch.venue == shape.venue
            return self._launched(launch, pair, slot, snapshot) if launch and is_here else None
        depth_usd = _DEPTH_USD.get(pair.base.symbol, _DEFAULT_DEPTH_USD)
        base = int(Decimal(depth_usd) / _usd(pair.base)) * 10**pair.base.decimals
        if shape.depth_range_ppm != (PPM, PPM):
            base = base * between(*shape.depth_range_ppm, self.seed, "depth", pair.name) // PPM
        numerator, denominator = self._price(shape, pair, slot, snapshot)
        # The price in human units, moved to base units of both tokens.
        numerator *= 10**pair.quote.decimals
        denominator *= 10**pair.base.decimals
        return Reserves(base, min(max(base * numerator // denominator, 1), MAX_BASE_UNITS))

    def _launched(self, launch: Launch, pair: Pair, slot: int, snapshot: MarketSnapshot) -> Reserves:
        """A pool that was opened with this launch's price and liquidity."""
        quote = int(launch.liquidity * 10**pair.quote.decimals)
        base = int(launch.liquidity / launch.price * 10**pair.base.decimals)
        price, since_ms = launch.price, launch.at_ms
        # A price that was pushed before the launch belongs to another pool, or to none.
        if snapshot.price and snapshot.price.at_ms >= launch.at_ms:
            price, since_ms = snapshot.price.price, snapshot.price.at_ms
        numerator, denominator = (price / launch.price).as_integer_ratio()
        quote = quote * numerator * self._path(pair, slot) // (denominator * self._path(pair, since_ms // SLOT_MS))
        return Reserves(*(min(max(side, 1), MAX_BASE_UNITS) for side in (base, quote)))

    def _path(self, pair: Pair, slot: int) -> int:
        """The reference price as a share of the base price, in millionths."""
        return PPM + smooth(-_STRAY_PPM, _STRAY_PPM, slot, _DRIFT, self.seed, "reference", pair.name)

    def _price(self, shape: PoolShape, pair: Pair, slot: int, snapshot: MarketSnapshot) -> tuple[int, int]:
        """Quote per base in human units, as a fraction of integers."""
        numerator, denominator = (_usd(pair.base) / _usd(pair.quote)).as_integer_ratio()
        before = PPM
        if snapshot.price:
            numerator, denominator = snapshot.price.price.as_integer_ratio()
            before = self._path(pair, snapshot.price.at_ms // SLOT_MS)
        gap = smooth(*self.profile.gap_ppm, slot, _MINUTE, self.seed, "gap", pair.name)
        # The dearer level is exactly ``gap`` above the cheaper one; the levels swap places by the hour.
        dearer = between(0, 1, self.seed, "dearer", pair.name, slot // _HOUR)
        middle = 2 * PPM + gap
        share = middle if shape.price_level is None else 2 * PPM + (2 * gap if shape.price_level == dearer else 0)
        return numerator * self._path(pair, slot) * share, denominator * before * middle


def _usd(token: Token) -> Decimal:
    return BASE_PRICES_USD[token.symbol]
