"""Launches of the simulated market: an unknown mint that somebody waits for gets a pool, some time later."""

from dataclasses import dataclass
from decimal import Decimal

from chalicelib.domain.conditions import Launch
from chalicelib.simulation.base58 import base58
from chalicelib.simulation.chance import between, draw
from chalicelib.simulation.market import SLOT_MS
from chalicelib.simulation.venues import VENUE_NAMES


@dataclass(frozen=True, slots=True)
class LaunchSchedule:
    """``within_seconds`` 0: nothing launches by itself. Else everything does within that time, by the seed."""

    seed: str
    within_seconds: int

    def launch_of(self, mint: str, since_ms: int, now_ms: int) -> Launch | None:
        """The launch of a mint that is waited for since then, once it is due."""
        if not self.within_seconds:
            return None
        span_ms = self.within_seconds * 1000
        at_ms = since_ms + between(span_ms // 4, span_ms, self.seed, "launch", "at", mint)
        if now_ms < at_ms:
            return None
        return Launch(
            mint=mint,
            venue=VENUE_NAMES[between(0, len(VENUE_NAMES) - 1, self.seed, "launch", "venue", mint)],
            pool=pool_address(self.seed, mint),
            slot=at_ms // SLOT_MS,
            price=Decimal(between(1, 1000, self.seed, "launch", "price", mint)).scaleb(-5),
            liquidity=Decimal(between(50, 5000, self.seed, "launch", "liquidity", mint)),
            # It is told of now: prices go on from here.
            at_ms=now_ms,
        )


def pool_address(seed: str, *of_what: str) -> str:
    """An address for a pool of which none was told; the same for the same words."""
    return base58(b"".join(draw(seed, "pool", part, *of_what).to_bytes(8, "big") for part in range(4)))
