"""Part F: the history at two sizes, tenfold apart, on a PostgreSQL of its own without a stack.

Each list and the statistics are explained as the engine sends them. The blocks that a statement reads and its plan
say whether it grows with the history; the times are for orientation. Every block is in the cache.
"""

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from chalicelib.history import quality
from tests.bench.history_writes import Migrated, Recorded, migrate_under_load, record
from tests.support.history_fill import fill
from tests.support.history_lists import filters, list_of, name_of
from tests.support.plans import Plan, explain
from tests.support.postgres import postgres_server

#: Orders in the window of the statistics, where the history has as many: of all users, and of the heaviest one.
WINDOWS = {None: (1_000, 18_000, 144_000, 500_000), "user-0": (100, 10_000, 99_000)}
#: Fewer orders leave a tenth in which some filters match nothing.
MIN_ORDERS = 10_000
_RELATIONS = """
    select relname, pg_relation_size(oid) from pg_class
    where relname ~ '^order' and relkind in ('r', 'i') order by 1
"""


@dataclass(frozen=True)
class Size:
    """A history: its relations in bytes, its statements' plans by name, and what writing to it costs."""

    orders: int
    relations: dict[str, int]
    plans: dict[str, Plan]
    recorded: Recorded


@dataclass(frozen=True)
class Histories:
    small: Size
    large: Size
    migrated: Migrated


def measure(orders: int) -> Histories:
    """Fill a history with a tenth of the orders, and one with all of them; migrate the larger one under load."""
    with postgres_server() as server:
        small_url, large_url = server.new_database(), server.new_database()
        small, large = _measure(small_url, orders // 10), _measure(large_url, orders)
        return Histories(small, large, migrate_under_load(large_url))


def _measure(url: str, orders: int) -> Size:
    began = time.monotonic()
    fill(url, orders)
    print(f"  {orders} orders are there, after {time.monotonic() - began:.0f} s", file=sys.stderr)
    with psycopg.connect(url, autocommit=True) as connection:
        plans = {name_of(wanted): _explained(connection, *list_of(wanted)) for wanted in filters()}
        plans |= _statistics(connection)
        relations = {str(name): int(size) for name, size in connection.execute(_RELATIONS)}
    return Size(orders, relations, plans, record(url))


def _statistics(connection: psycopg.Connection[Any]) -> dict[str, Plan]:
    plans = {}
    newest = """
        select created_at from orders where %(user_id)s::text is null or user_id = %(user_id)s
        order by created_at desc offset %(skipped)s limit 1
    """
    for user_id, windows in WINDOWS.items():
        for window in windows:
            asked = {"user_id": user_id, "skipped": window - 1}
            if since := connection.execute(newest, asked).fetchone():
                parameters = quality.parameters_of(since[0], user_id=user_id)
                name = f"statistics of {window:,} of {user_id or 'all users'}"
                plans[name] = _explained(connection, quality.summary(parameters), parameters)
    return plans


def _explained(
    connection: psycopg.Connection[Any], statement: sql.Composable | str, parameters: Mapping[str, Any]
) -> Plan:
    """The plan of the second run, whose blocks the first one has read."""
    explain(connection, statement, parameters)
    return explain(connection, statement, parameters)
