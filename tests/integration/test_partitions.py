"""The events of the history by month: the upgrade while orders are recorded, coming months, dropped months."""

import shutil
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event as Signal
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from chalicelib.clock import utc_now
from chalicelib.domain.orders import Order
from chalicelib.history import migrate as migrations
from chalicelib.history import migration_locks
from chalicelib.history.migrate import MIGRATIONS, migrate
from chalicelib.history.partition_changes import MONTHS_AHEAD, PartitionError, add_months
from chalicelib.history.partitions import dated, events_since, month_of, partitions_of
from chalicelib.history.postgres import PostgresHistory
from chalicelib.ports.history import OrderFilter
from infra.errors import InfraError
from infra.ops import history as command
from tests.support.order_builders import confirmed, pending
from tests.support.postgres import PostgresServer

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
MONTH = timedelta(days=31)


@pytest.fixture
def url(postgres: PostgresServer) -> str:
    return postgres.new_database()


@pytest.fixture
def connection(url: str) -> Iterator[psycopg.Connection[Any]]:
    migrate(url)
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


@contextmanager
def history_at(url: str) -> Iterator[PostgresHistory]:
    history = PostgresHistory(url, connect_timeout_seconds=2, statement_timeout_seconds=2)
    yield history
    history.close()


def migrations_before(name: str, directory: Path) -> Path:
    """A copy of the migrations before one, in ``directory``."""
    copied = shutil.copytree(MIGRATIONS, directory / "migrations")
    for path in copied.glob("*.sql"):
        if path.name >= name:
            path.unlink()
    return copied


def an_order(at: datetime) -> Order:
    return confirmed(pending(at), at + timedelta(seconds=3))


def by_partition(connection: psycopg.Connection[Any]) -> dict[str, int]:
    """The number of events of each partition that has any."""
    query = "select tableoid::regclass::text, count(*) from order_events group by 1 order by 1"
    return {str(name): int(events) for name, events in connection.execute(query)}


def seqs_of(connection: psycopg.Connection[Any], order: Order) -> list[int]:
    query = "select seq from order_events where order_id = %s order by seq"
    return [seq for (seq,) in connection.execute(query, [order.order_id])]


# --- the upgrade --------------------------------------------------------------------------------------------


def test_the_upgrade_fails_no_record_and_copies_no_event(url: str, tmp_path: Path) -> None:
    """Orders are recorded all the while, by the same connections; those from before are recorded again after it."""
    migrate(url, migrations_before("0010", tmp_path))
    before, ended = [an_order(utc_now()) for _ in range(20)], Signal()
    started = [Signal() for _ in range(3)]

    def write(begun: Signal) -> list[Order]:
        made = []
        with history_at(url) as history:
            while not ended.is_set():
                made.append(an_order(utc_now()))
                history.record(made[-1])
                begun.set()
        return made

    with history_at(url) as history, psycopg.connect(url, autocommit=True) as connection:
        for order in before:
            history.record(order)
        file = connection.execute("select pg_relation_filenode('order_events')").fetchone()
        with ThreadPoolExecutor(3) as threads:
            writers = [threads.submit(write, begun) for begun in started]
            assert all(begun.wait(10) for begun in started)
            try:
                assert migrate(url) == sorted(path.name for path in MIGRATIONS.glob("*.sql") if path.name > "0010")
            finally:
                ended.set()
        made = before + [order for writer in writers for order in writer.result()]
        for order in made:
            history.record(order)
        assert connection.execute("select pg_relation_filenode('order_events_first')").fetchone() == file
        assert by_partition(connection) == {"order_events_first": sum(order.seq for order in made)}
        assert connection.execute("select count(*) from orders").fetchone() == (len(made),)


def test_the_roles_that_own_record_and_read_the_events_still_do_after_the_upgrade(url: str, tmp_path: Path) -> None:
    """The migrating role is another one, and would own the new table alone."""
    migrate(url, migrations_before("0011", tmp_path))
    with psycopg.connect(url, autocommit=True) as connection:
        [database] = connection.execute("select current_database()").fetchone() or ()
        owner, recorder, reader = (sql.Identifier(f"{database} {role}") for role in ("owner", "recorder", "reader"))
        for statement in (
            sql.SQL("create role {owner}; create role {recorder}; create role {reader}"),
            sql.SQL("grant create on schema public to {owner}"),
            sql.SQL("alter table orders owner to {owner}; alter table order_quotes owner to {owner}"),
            sql.SQL("alter table order_events owner to {owner}"),
            sql.SQL("grant all on all tables in schema public to {recorder}"),
            sql.SQL("grant select on order_events to {recorder} with grant option"),
            sql.SQL("grant select (order_id, seq) on order_events to {reader}"),
            sql.SQL("grant references on order_events to public"),
        ):
            connection.execute(statement.format(owner=owner, recorder=recorder, reader=reader))
        rights = (
            "select grantee, privilege_type, column_name, is_grantable from information_schema.column_privileges"
            " where table_name = 'order_events' order by 1, 2, 3, 4"
        )
        before = connection.execute(rights).fetchall()
        assert migrate(url) == ["0011_events_by_month.sql"]
        assert connection.execute(rights).fetchall() == before
        tables = "select distinct tableowner from pg_tables where tablename like 'order_events%'"
        owners = connection.execute(tables + " and tablename !~ '_[0-9]{4}_[0-9]{2}$'").fetchall()
        assert owners == [(f"{database} owner",)]
        order = an_order(utc_now())
        for role in ("recorder", "owner"):
            name = f"{database} {role}".replace(" ", "\\ ")
            with history_at(make_conninfo(url, options=f"-c role={name}")) as history:
                history.record(order)
        assert seqs_of(connection, order) == list(range(1, order.seq + 1))


def test_an_interrupted_upgrade_goes_on_with_a_later_bound(url: str, tmp_path: Path) -> None:
    migrate(url, migrations_before("0011", tmp_path))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("delete from schema_migrations where name like '0010%'")
        connection.execute("alter table order_events drop constraint order_events_first_bound")
        passed = "alter table order_events add constraint order_events_first_bound check (at < '2020-01-01')"
        connection.execute(passed)
        migrate(url)
        end = partitions_of(connection)[0].end
    assert end
    assert end > utc_now() + timedelta(days=27)


# --- coming months ------------------------------------------------------------------------------------------


def test_months_exist_a_year_ahead_and_are_added_once(connection: psycopg.Connection[Any]) -> None:
    now = utc_now()
    partitions = dated(partitions_of(connection))
    assert (partitions[0].name, partitions[0].start) == ("order_events_first", None)
    assert [partition.start for partition in partitions[1:]] == [partition.end for partition in partitions[:-1]]
    assert partitions[-1].end == month_of(now, MONTHS_AHEAD + 1)
    assert add_months(connection, now) == []
    added = add_months(connection, month_of(now, 2))
    assert added == [f"order_events_{month_of(now, later):%Y_%m}" for later in (MONTHS_AHEAD + 1, MONTHS_AHEAD + 2)]


def test_months_are_those_of_utc_whatever_the_time_zone_of_the_server(url: str) -> None:
    migrate(make_conninfo(url, options="-c timezone=America/New_York"))
    with psycopg.connect(url) as connection:
        partitions = dated(partitions_of(connection))
    for partition in partitions[1:]:
        assert partition.start
        assert partition.name == f"order_events_{month_of(partition.start):%Y_%m}"
    assert all(partition.end and partition.end == month_of(partition.end) for partition in partitions)


def test_an_order_is_in_the_months_of_its_events_and_recording_it_again_changes_nothing(
    url: str, connection: psycopg.Connection[Any]
) -> None:
    last_partition = dated(partitions_of(connection))[-1]
    assert last_partition.start
    order = an_order(last_partition.start - timedelta(seconds=1))
    with history_at(url) as history:
        for _ in range(3):
            history.record(order)
    found = by_partition(connection)
    assert len(found) == 2
    assert last_partition.name in found
    assert sum(found.values()) == order.seq


def test_recording_needs_no_month_and_the_next_run_makes_one_of_what_came_without(
    url: str, connection: psycopg.Connection[Any]
) -> None:
    end = dated(partitions_of(connection))[-1].end
    assert end
    late, later = an_order(end + timedelta(days=3)), an_order(end + 3 * MONTH)
    with history_at(url) as history:
        history.record(late)
        history.record(later)
        assert by_partition(connection) == {"order_events_default": late.seq + later.seq}
        added = add_months(connection, end + 3 * MONTH)
        assert by_partition(connection) == {added[0]: late.seq + later.seq}
        history.record(late)
        assert by_partition(connection) == {added[0]: late.seq + later.seq}
    partitions = dated(partitions_of(connection))
    assert [partition.start for partition in partitions[1:]] == [partition.end for partition in partitions[:-1]]
    assert partitions[-1].end == month_of(end + 3 * MONTH, MONTHS_AHEAD + 1)
    assert add_months(connection, end + 3 * MONTH) == []


def test_an_event_of_a_wrong_clock_stays_where_it_is_until_months_reach_it(
    url: str, connection: psycopg.Connection[Any]
) -> None:
    now = utc_now()
    wrong = an_order(now + 50 * MONTH)
    with history_at(url) as history:
        history.record(wrong)
    assert add_months(connection, month_of(now, 1)) != []
    assert by_partition(connection) == {"order_events_default": wrong.seq}
    with history_at(url) as history:
        history.record(an_order(now + 24 * MONTH))
    with pytest.raises(PartitionError, match="which a wrong clock has dated"):
        add_months(connection, now + 24 * MONTH)


def test_a_month_is_added_while_a_transaction_writes(url: str, connection: psycopg.Connection[Any]) -> None:
    with psycopg.connect(url) as other:
        other.execute("update orders set seq = seq")
        other.execute("delete from order_events where false")
        assert len(add_months(connection, month_of(utc_now(), 1))) == 1


def test_a_deployment_does_not_wait_for_a_dump_to_add_months(
    url: str, connection: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(migration_locks, "_LOCK_TIMEOUT_SECONDS", 0.05)
    monkeypatch.setattr(migration_locks, "_LOCK_SECONDS", 0.2)
    monkeypatch.setattr(migrations, "utc_now", lambda: utc_now() + 2 * MONTH)
    with psycopg.connect(url) as dump:
        dump.execute("select count(*) from order_events")
        assert migrate(url) == []
    assert "run make history" in caplog.text
    before = len(partitions_of(connection))
    migrate(url)
    assert len(partitions_of(connection)) > before


# --- dropped months -----------------------------------------------------------------------------------------


@pytest.fixture
def three_years_on(connection: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch) -> datetime:
    """The command's clock. Months have been added each year."""
    for years in (1, 2, 3):
        add_months(connection, month_of(NOW, 12 * years))
    now = month_of(NOW, 36) + timedelta(days=9)
    monkeypatch.setattr(command, "utc_now", lambda: now)
    return now


def test_old_months_go_only_when_the_operator_says_so(
    url: str, connection: psycopg.Connection[Any], three_years_on: datetime
) -> None:
    orders = [an_order(month_of(three_years_on, -later) + timedelta(days=1)) for later in (20, 13, 12, 0)]
    with history_at(url) as history:
        for order in orders:
            history.record(order)
        before = by_partition(connection)
        assert len(before) == 4
        assert "--drop would drop" in command.maintain(url, 12, is_drop=False)
        assert by_partition(connection) == before
        shown = command.maintain(url, 12, is_drop=True)
        assert "dropped order_events_first" in shown
        assert f"dropped order_events_{month_of(three_years_on, -13):%Y_%m}" in shown
        assert [seqs_of(connection, order) for order in orders] == [[], [], [1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6]]
        assert events_since(connection) == month_of(three_years_on, -12)
        # Lists and statistics read no events.
        assert len(history.page(OrderFilter(), 10, None).orders) == 4
        assert history.quality(NOW).orders == {"confirmed": 4}
    assert "dropped" not in command.maintain(url, 12, is_drop=True)


def test_after_years_without_new_months_a_drop_leaves_one_at_which_the_coming_ones_begin(
    url: str, connection: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    last = dated(partitions_of(connection))[-1]
    now = month_of(NOW, 36) + timedelta(days=9)
    monkeypatch.setattr(command, "utc_now", lambda: now)
    early, late = an_order(NOW), an_order(now)
    with history_at(url) as history:
        history.record(early)
        history.record(late)
    shown = command.maintain(url, 3, is_drop=True)
    assert f"dropped {last.name}" not in shown
    assert [seqs_of(connection, order) for order in (early, late)] == [[], [1, 2, 3, 4, 5, 6]]
    assert f"added order_events_{month_of(now, 2):%Y_%m}" in shown
    # What was the last month goes with the next drop.
    assert f"dropped {last.name}" in command.maintain(url, 3, is_drop=True)


def test_an_order_of_a_dropped_month_can_be_recorded_again_and_its_events_go_with_the_next_drop(
    url: str, connection: psycopg.Connection[Any], three_years_on: datetime
) -> None:
    order = an_order(NOW)
    command.maintain(url, 12, is_drop=True)
    with history_at(url) as history:
        history.record(order)
        assert by_partition(connection) == {"order_events_default": order.seq}
        assert history.page(OrderFilter(), 10, None).orders != []
    assert f"{order.seq} events of months dropped before" in command.maintain(url, 12, is_drop=False)
    assert by_partition(connection) == {"order_events_default": order.seq}
    command.maintain(url, 12, is_drop=True)
    assert by_partition(connection) == {}


def test_a_drop_waits_for_a_reader_without_holding_up_records(
    url: str, connection: psycopg.Connection[Any], three_years_on: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migration_locks, "_LOCK_TIMEOUT_SECONDS", 0.05)
    monkeypatch.setattr(migration_locks, "_LOCK_SECONDS", 0.5)
    with psycopg.connect(url) as dump, history_at(url) as history:
        dump.execute("select count(*) from order_events")
        with pytest.raises(InfraError, match="lock timeout"):
            command.maintain(url, 12, is_drop=True)
        history.record(an_order(three_years_on))
    assert "dropped order_events_first" in command.maintain(url, 12, is_drop=True)


def test_a_schema_without_parts_is_left_alone(url: str) -> None:
    with pytest.raises(InfraError, match="run make migrate first"):
        command.maintain(url, 12, is_drop=True)


@pytest.mark.parametrize("arguments", [["--drop"], ["--keep", "2"], ["rebuild", "--rate", "0"]])
def test_a_command_that_could_drop_too_much_is_refused(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["history", *arguments])
    with pytest.raises(SystemExit, match="2"):
        command.main()
