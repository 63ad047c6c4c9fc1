"""Market conditions as keys of the open-order index and of the watch list."""

from chalicelib.domain.conditions import LaunchWatch, PriceWatch, Watch
from chalicelib.domain.tokens import Side, find_market

_LAUNCH = "launch#"


def watch_to_key(watch: Watch) -> str:
    """``launch#<mint>``, or ``<pair>#<side>`` as in ``SOL/USDC#sell``."""
    match watch:
        case LaunchWatch(mint=mint):
            return f"{_LAUNCH}{mint}"
        case PriceWatch(pair=pair, side=side):
            return f"{pair.name}#{side.value}"


def watch_from_key(key: str) -> Watch | None:
    """The condition of a key; ``None`` for a pair that has no market.

    :raises ValueError: for a side that does not exist.
    """
    if key.startswith(_LAUNCH):
        return LaunchWatch(key.removeprefix(_LAUNCH))
    name, _, side = key.partition("#")
    pair = find_market(name)
    return PriceWatch(pair, Side(side)) if pair else None
