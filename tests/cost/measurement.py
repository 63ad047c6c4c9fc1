"""The measurement: one order of each kind and one idle minute on moto, and, at length, CPU time and Postgres."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import psycopg

from chalicelib.clock import utc_now
from chalicelib.history.migrate import migrate
from chalicelib.history.postgres import PostgresHistory
from tests.contract.stores.aws import resources
from tests.cost import idle
from tests.cost.capacity import stored_bytes
from tests.cost.kinds import MARKET, measure
from tests.cost.site import Invocation, site
from tests.support.order_builders import confirmed, pending
from tests.support.postgres import postgres_server

_CPU_ROUNDS = 7
_POSTGRES_ORDERS = 3_000
#: The tables that keep an order for ever.
_KEPT_TABLES = ("OrdersTable", "LedgerTable")
_SIZE = """
    select sum(pg_total_relation_size(oid))::bigint from pg_class
    where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace
"""


@dataclass(frozen=True)
class Measurement:
    """``kinds`` by name, the invocations of an idle ``minute``, and the DynamoDB bytes that a market order keeps."""

    kinds: dict[str, list[Invocation]]
    minute: list[Invocation]
    dynamodb_bytes: int
    polls_a_minute: int

    @property
    def market(self) -> list[Invocation]:
        return self.kinds[MARKET.name]


def measured() -> Measurement:
    """Measure everything but what depends on the machine."""
    with site() as idle_site:
        minute = idle.measure_minute(idle_site)
    with site() as busy_site:
        kinds = measure(busy_site)
        indexes = busy_site.meter.indexes
        market = [one for one in busy_site.items("OrdersTable") if '"type":"market"' in one["spec"]["S"]]
        orders = [stored_bytes(item, indexes["OrdersTable"]) for item in market]
        ledger = [stored_bytes(item, indexes["LedgerTable"]) for item in busy_site.items("LedgerTable")]
    return Measurement(kinds, minute, round(median(orders) + median(ledger)), idle.polls(resources()))


def cpu_milliseconds() -> dict[str, dict[str, float]]:
    """CPU time by kind and function: of each invocation the median over some rounds, whose first is a warm-up."""
    rounds: list[dict[str, list[Invocation]]] = []
    for _ in range(_CPU_ROUNDS):
        with site() as one:
            kinds = measure(one)
            rounds.append({**kinds, idle.IDLE: idle.measure_minute(one)})
    return {kind: _means([one[kind] for one in rounds[1:]]) for kind in rounds[0]}


def _means(rounds: Sequence[Sequence[Invocation]]) -> dict[str, float]:
    """CPU milliseconds of an invocation of each function: its mean in a round, and the median of the rounds."""
    found = {}
    for function in dict.fromkeys(one.function for one in rounds[0]):
        means = []
        for invocations in rounds:
            spent = [one.cpu_seconds * 1000 for one in invocations if one.function == function]
            means.append(sum(spent) / len(spent))
        found[function] = round(median(means), 1)
    return found


def postgres_bytes_per_order() -> float:
    """Bytes of a market order in the history with its events and indexes, in a history of some thousand orders."""
    with postgres_server() as server:
        url = server.new_database()
        migrate(url)
        with psycopg.connect(url, autocommit=True) as connection:
            before = _size(connection)
            history = PostgresHistory(url, connect_timeout_seconds=2, statement_timeout_seconds=5)
            for _ in range(_POSTGRES_ORDERS):
                history.record(confirmed(pending(utc_now()), utc_now()))
            history.close()
            return round((_size(connection) - before) / _POSTGRES_ORDERS)


def _size(connection: "psycopg.Connection[tuple[object, ...]]") -> int:
    row = connection.execute(_SIZE).fetchone()
    assert row is not None
    return int(str(row[0]))
