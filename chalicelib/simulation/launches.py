"""Launches of the simulated market: an unknown mint that orders wait for gets a pool after some time."""

from dataclasses import dataclass
from decimal import Decimal

from chalicelib.domain.base58 import base58
from chalicelib.domain.conditions import Launch, LaunchWatch
from chalicelib.simulation.chance import between, draw
from chalicelib.simulation.market import SLOT_MS


@dataclass(frozen=True, slots=True)
class LaunchSchedule:
    """A ``LaunchSource``. Every mint launches within ``within_seconds`` by the seed; 0 launches none."""

    seed: str
    within_seconds: int
    venues: tuple[str, ...]

    def launch_of(self, watch: LaunchWatch, since_ms: int, now_ms: int) -> Launch | None:
        """The launch of a mint that orders have waited for since then, once it is due."""
        if not self.within_seconds:
            return None
        mint, within_ms = watch.mint, self.within_seconds * 1000
        at_ms = since_ms + between(within_ms // 4, within_ms, self.seed, "launch", "at", mint)
        if now_ms < at_ms:
            return None
        return Launch(
            mint=mint,
            venue=self.venues[between(0, len(self.venues) - 1, self.seed, "launch", "venue", mint)],
            pool=pool_address(self.seed, mint),
            slot=at_ms // SLOT_MS,
            price=Decimal(between(1, 1000, self.seed, "launch", "price", mint)).scaleb(-5),
            liquidity=Decimal(between(50, 5000, self.seed, "launch", "liquidity", mint)),
            # The engine learns of the launch now, and the pool's price moves on from here.
            at_ms=now_ms,
        )


def pool_address(seed: str, *subject: str) -> str:
    """A repeatable address for a pool whose feed names none."""
    return base58(b"".join(draw(seed, "pool", part, *subject).to_bytes(8, "big") for part in range(4)))
