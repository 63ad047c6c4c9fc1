"""How fresh the market data of a request must be."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class AsOf:
    """A request for market data with every price and launch that was pushed by ``ms`` (since the epoch).

    Two requests of one millisecond are not equal, because a price may be pushed between them.
    """

    ms: int = 0


#: Market data of any age that the cache allows.
ANY_TIME = AsOf()
