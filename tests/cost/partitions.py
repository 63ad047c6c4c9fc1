"""Where one partition key bounds the rate: DynamoDB gives a partition about 1,000 write units a second.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/burst-adaptive-capacity.html
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.stores.order_items import ACTIVE_SHARDS
from tests.cost.site import Invocation

MAX_PARTITION_WRITES = 1_000
_ACTIVE = f"one of {len(ACTIVE_SHARDS)} shards of active orders"


@dataclass(frozen=True)
class Partition:
    """A partition key that many orders share, and the write units of one order."""

    table: str
    key: str
    units: float

    @property
    def orders_per_second(self) -> float:
        return MAX_PARTITION_WRITES / self.units


def shared_partitions(invocations: Sequence[Invocation], user: str) -> list[Partition]:
    """The partition keys that orders of one user share, the narrowest first."""
    found: Counter[tuple[str, str]] = Counter()
    for one in invocations:
        for (table, key), units in one.usage.partitions.items():
            if label := _label(table, key, user):
                found[table, label] += units
    rows = [
        Partition(table, label, units / len(ACTIVE_SHARDS) if label == _ACTIVE else units)
        for (table, label), units in found.items()
    ]
    return sorted(rows, key=lambda row: (-row.units, row.table, row.key))


def _label(table: str, key: str, user: str) -> str | None:
    """The name of a key that orders share; ``None`` for one of an order or a socket alone."""
    if table.endswith("/attention"):
        if key in ACTIVE_SHARDS:
            return _ACTIVE
        return "the orders that ended in the same ten minutes" if key.startswith("ended#") else f"`{key}`"
    if table.endswith(("/userOpen", "/userOrders", "/userEnded")):
        return {user: "one user", f"{user}#open": "the open orders of one user"}.get(key)
    if table.endswith("/waiting"):
        return "one launch" if key.startswith("launch#") else "one side of a pair"
    if table == "RateLimitTable":
        return {"slot": "`slot`, one item for each slot", "turn": "`turn`, one item"}.get(key)
    return None
