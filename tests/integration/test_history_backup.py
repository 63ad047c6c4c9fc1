"""A lost history comes back: a dump taken while orders are recorded, and a rebuild from the orders table."""

import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from threading import Event as Signal
from typing import Any

import boto3
import psycopg
import pytest
from moto import mock_aws
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from chalicelib.codec.events import event_to_json
from chalicelib.codec.orders import spec_to_json
from chalicelib.domain.invariants import copy_of
from chalicelib.domain.orders import Order
from chalicelib.history.migrate import migrate
from chalicelib.history.partitions import month_of
from chalicelib.history.postgres import PostgresHistory
from chalicelib.ports.history import HistoryUnavailableError, OrderFilter
from infra.errors import InfraError
from infra.ops import history as command
from infra.ops.deployment import Deployment
from infra.ops.evidence import EvidenceReader
from tests.support.open_orders import a_limit
from tests.support.order_builders import cancelled, confirmed, opened, pending, routed
from tests.support.postgres import PostgresServer

AT = datetime(2026, 11, 26, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Site:
    """An orders table, and a history that is recorded as the engine does."""

    deployment: Deployment
    table: Any
    history: PostgresHistory

    def write(self, order: Order) -> None:
        self.table.put_item(
            Item={
                "orderId": order.order_id,
                "spec": spec_to_json(order.placed_spec),
                "status": order.current_status.value,
                "seq": Decimal(order.seq),
                "events": [event_to_json(event) for event in order.events],
            }
        )

    def finish(self, order: Order) -> Order:
        self.write(order)
        self.history.record(order)
        return order

    def rebuild(self, after: str | None = None) -> tuple[int, int, list[str]]:
        """How many orders the rebuild read and recorded, and those that it left as they are."""
        done = command.rebuild(self.deployment, after, orders_per_second=10_000)
        return done.read, done.recorded, done.doubtful

    def lacks(self, orders: list[Order]) -> list[str]:
        """The ids of the orders that the history does not have as they are."""
        with closing(EvidenceReader(self.deployment)) as reader:
            copies, since = reader.copies([order.order_id for order in orders]), reader.events_since()
        return [order.order_id for order in orders if copies.get(order.order_id) != copy_of(order, since)]


@pytest.fixture
def site(postgres: PostgresServer) -> Iterator[Site]:
    url = postgres.new_database()
    migrate(url)
    history = PostgresHistory(url, connect_timeout_seconds=2, statement_timeout_seconds=5)
    with mock_aws(), closing(history):
        session = boto3.Session("test", "test", region_name="us-east-1")
        table = session.resource("dynamodb").create_table(
            TableName="orders",
            KeySchema=[{"AttributeName": "orderId", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "orderId", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        outputs = {"OrdersTableName": "orders", "LedgerTableName": "ledger"}
        yield Site(Deployment("stack", session, None, outputs, url), table, history)


@pytest.fixture
def run(postgres: PostgresServer) -> Callable[..., None]:
    """Runs a program of PostgreSQL."""

    def run(name: str, *arguments: str | Path) -> None:
        subprocess.run([postgres.program(name), *arguments], check=True, capture_output=True)

    return run


def test_a_restored_dump_and_a_rebuild_bring_back_every_order(
    site: Site, postgres: PostgresServer, run: Callable[..., None], tmp_path: Path
) -> None:
    """The steps of the runbook, with the programs that it names."""
    url, dump, ended = site.deployment.database_url or "", tmp_path / "history.dump", Signal()
    begun = Signal()
    resting = opened(a_limit())
    orders = [site.finish(confirmed(pending(AT), AT)) for _ in range(30)]
    site.finish(resting)

    def trade() -> list[Order]:
        made = []
        while not ended.is_set():
            made.append(site.finish(confirmed(pending(AT), AT)))
            begun.set()
        return made

    with ThreadPoolExecutor(1) as threads:
        trading = threads.submit(trade)
        assert begun.wait(10)
        try:
            run("pg_dump", "--format=custom", "--no-owner", "--file", dump, "--dbname", url)
        finally:
            ended.set()
        orders += trading.result()
    # What happens after the dump: an order, and the end of one that the dump has as open.
    orders += [site.finish(confirmed(pending(AT), AT)), site.finish(cancelled(resting))]
    assert site.lacks(orders) == []

    name = conninfo_to_dict(url)["dbname"]
    with psycopg.connect(postgres.url, autocommit=True) as server:
        server.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(str(name))))
        missed = confirmed(pending(AT), AT)
        with pytest.raises(HistoryUnavailableError):
            site.finish(missed)
        server.execute("create database restored")
        run("pg_restore", "--no-owner", "--exit-on-error", "--dbname", make_conninfo(url, dbname="restored"), dump)
        server.execute(sql.SQL("alter database restored rename to {}").format(sql.Identifier(str(name))))
    orders.append(missed)
    assert migrate(url) == []
    lacking = site.lacks(orders)
    assert {missed.order_id, resting.order_id} <= set(lacking)
    assert site.rebuild() == (len(orders), len(lacking), [])
    assert site.lacks(orders) == []
    assert site.rebuild() == (len(orders), 0, [])


def test_an_empty_database_receives_every_order_that_the_engine_records(site: Site) -> None:
    lasting = [confirmed(pending(AT), AT), opened(a_limit()), cancelled(pending(AT))]
    for order in (*lasting, routed(pending(AT)), pending(AT)):
        site.write(order)
    assert site.rebuild() == (5, 3, [])
    assert {order.order_id for order in site.history.page(OrderFilter(), 10, None).orders} == {
        order.order_id for order in lasting
    }


def test_a_rebuild_goes_on_after_the_order_at_which_it_stopped(site: Site) -> None:
    for _ in range(5):
        site.write(confirmed(pending(AT), AT))
    keys = [item["orderId"] for item in site.table.scan()["Items"]]
    assert site.rebuild(after=keys[2]) == (2, 2, [])
    assert site.lacks([]) == []
    assert site.rebuild() == (5, 3, [])


def test_a_rebuild_leaves_alone_what_the_history_has_otherwise_or_newer(site: Site) -> None:
    ordered = pending(AT)
    site.history.record(cancelled(ordered))
    newer = opened(a_limit())
    site.history.record(cancelled(newer))
    damaged = confirmed(pending(AT), AT)
    for order in (confirmed(ordered, AT), newer, damaged):
        site.write(order)
    site.table.update_item(
        Key={"orderId": damaged.order_id},
        UpdateExpression="SET events[2] = :text",
        ExpressionAttributeValues={":text": "?"},
    )
    read, recorded, doubtful = site.rebuild()
    assert (read, recorded) == (3, 0)
    assert set(doubtful) == {ordered.order_id, newer.order_id, damaged.order_id}
    assert {order.status.value for order in site.history.page(OrderFilter(), 10, None).orders} == {"cancelled"}


def test_an_order_that_postgres_refuses_keeps_no_other_from_its_record(site: Site) -> None:
    refused, others = confirmed(pending(AT), AT), [confirmed(pending(AT), AT) for _ in range(5)]
    for order in (refused, *others):
        site.write(order)
    with psycopg.connect(site.deployment.database_url or "") as connection:
        not_this_one = "alter table orders add constraint not_this_one check (order_id <> {})"
        connection.execute(sql.SQL(not_this_one).format(refused.order_id))
    assert site.rebuild() == (6, 5, [refused.order_id])
    assert site.lacks(others) == []


def test_an_order_that_moves_during_a_rebuild_is_not_taken_for_a_contradiction(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = site.finish(opened(a_limit()))
    copies = EvidenceReader.copies

    def after_its_end(reader: EvidenceReader, ids: list[str]) -> Any:
        site.finish(cancelled(order))
        return copies(reader, ids)

    monkeypatch.setattr(EvidenceReader, "copies", after_its_end)
    assert site.rebuild() == (1, 0, [])


def test_a_rebuild_without_postgres_says_why_it_stops_and_where_to_go_on(site: Site) -> None:
    site.write(confirmed(pending(AT), AT))
    away = replace(site.deployment, database_url="postgresql://nobody@localhost:1/nothing")
    last = "00000000-0000-4000-8000-000000000000"
    with pytest.raises(InfraError, match=f"The history cannot be read.* Go on with --after {last}"):
        command.rebuild(away, last, orders_per_second=10)


def test_events_of_dropped_months_are_neither_missed_nor_recorded_again(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = site.deployment.database_url or ""
    old = site.finish(confirmed(pending(AT), AT))
    for years in (1, 2):
        now = month_of(AT, 12 * years) + timedelta(days=3)
        monkeypatch.setattr(command, "utc_now", lambda now=now: now)
        command.maintain(url, keep=6, is_drop=True)
    also_old = confirmed(pending(AT), AT)
    site.write(also_old)
    assert site.lacks([old]) == []
    assert site.rebuild() == (2, 1, [])
    assert site.lacks([old, also_old]) == []
    assert "events of months dropped" not in command.maintain(url, keep=6, is_drop=False)
