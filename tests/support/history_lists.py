"""The lists that a client can ask for of a filled history, with filters that match much, little or nothing."""

from itertools import combinations
from typing import Any

from psycopg import sql

from chalicelib.history import lists
from tests.support.history_fill import QUIET_PAIR

#: One order more than a page of 50, as ``PostgresHistory.page`` asks for.
LIMIT = 51
#: Each filter with a value that many orders have, and with one that none has.
COMMON = {"user_id": "user-0", "type": "market", "status": "confirmed", "pair": "SOL/USDC"}
UNKNOWN = {"user_id": "nobody", "type": "none", "status": "none", "pair": "NO/NE"}
#: Each value occurs; no order has them all.
UNMATCHED: list[dict[str, Any]] = [
    {"type": "sniper", "status": "failed"},
    {"type": "sniper", "pair": "SOL/USDC"},
    {"status": "expired", "pair": QUIET_PAIR},
    {"status": "routing", "type": "market"},
    {"user_id": "user-0", "status": "routing"},
    {"user_id": "user-0", "type": "unknown"},
    {"user_id": "user-0", "pair": "mint-1/USDC"},
    {"user_id": "user-500", "status": "routing"},
    {"type": "limit", "status": "expired", "pair": QUIET_PAIR},
    {"user_id": "user-0", "type": "sniper", "status": "failed", "pair": "SOL/USDC"},
]


def filters() -> list[dict[str, Any]]:
    """Every single filter and every set of filters, with values that match, and those of which nothing matches."""
    sets = [names for size in range(5) for names in combinations(COMMON, size)]
    matching = [{name: COMMON[name] for name in names} for names in sets]
    unknown = [{name: UNKNOWN[name]} for name in UNKNOWN]
    return [*matching, *unknown, *UNMATCHED]


def list_of(wanted: dict[str, Any]) -> tuple[sql.Composed, dict[str, Any]]:
    """The statement of the first page of a list, and its parameters."""
    return lists.page(wanted), wanted | {"limit": LIMIT}


def name_of(wanted: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in wanted.items()) or "no filter"
