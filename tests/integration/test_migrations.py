"""Migrations while the engine writes: locks, indexes built beside writers, interrupted and concurrent runs."""

import shutil
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import psycopg
import pytest

from chalicelib.codec.exact_json import dumps
from chalicelib.history import migration_locks
from chalicelib.history.migrate import MIGRATIONS, migrate
from chalicelib.history.migration_files import OUTSIDE
from chalicelib.history.migration_locks import MigrationBusyError
from chalicelib.history.postgres import PostgresHistory
from chalicelib.history.rows import order_row
from tests.support.order_builders import pending, quote, quotes, routed
from tests.support.postgres import PostgresServer

INDEX = f"{OUTSIDE}\ncreate index concurrently if not exists orders_by_seq on orders (seq);\n"


@pytest.fixture
def url(postgres: PostgresServer) -> str:
    return postgres.new_database()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A copy of the migrations that a test may add to."""
    return shutil.copytree(MIGRATIONS, tmp_path / "migrations")


@pytest.fixture
def history(url: str, directory: Path) -> Iterator[PostgresHistory]:
    migrate(url, directory)
    history = PostgresHistory(url, connect_timeout_seconds=2, statement_timeout_seconds=5)
    yield history
    history.close()


def query(url: str, statement: str) -> list[Any]:
    with psycopg.connect(url) as connection:
        return connection.execute(statement.encode()).fetchall()


@contextmanager
def transaction(url: str, statement: str) -> Iterator[None]:
    """Another session's transaction, which keeps the locks of the statement, and is undone in the end."""
    with psycopg.connect(url) as connection:
        connection.execute(statement.encode())
        yield
        connection.rollback()


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as threads:
        yield threads


def begin_to_wait(threads: ThreadPoolExecutor, url: str, directory: Path) -> "Future[list[str]]":
    """A run on a thread, which by now waits for a lock."""
    run = threads.submit(migrate, url, directory)
    waits = "select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
    deadline = time.monotonic() + 10
    while not query(url, waits):
        assert time.monotonic() < deadline
    return run


def is_valid(url: str) -> list[bool]:
    found = "select indisvalid from pg_index join pg_class on oid = indexrelid where relname = 'orders_by_seq'"
    return [valid for (valid,) in query(url, found)]


def test_an_index_is_built_while_rows_are_written(
    url: str, directory: Path, history: PostgresHistory, threads: ThreadPoolExecutor
) -> None:
    (directory / "9000_index.sql").write_text(INDEX)
    history.record(pending())
    with transaction(url, "update orders set seq = seq"):
        run = begin_to_wait(threads, url, directory)
        history.record(pending())
        assert not run.done()
    assert run.result() == ["9000_index.sql"]
    assert is_valid(url) == [True]


def test_an_interrupted_index_is_built_anew(url: str, directory: Path, history: PostgresHistory) -> None:
    history.record(pending())
    with (
        transaction(url, "update orders set seq = seq"),
        psycopg.connect(url, autocommit=True, options="-c statement_timeout=200") as connection,
        pytest.raises(psycopg.errors.QueryCanceled),
    ):
        connection.execute("create index concurrently orders_by_seq on orders (seq)")
    assert is_valid(url) == [False]
    (directory / "9000_index.sql").write_text(INDEX)
    assert migrate(url, directory) == ["9000_index.sql"]
    assert is_valid(url) == [True]
    assert migrate(url, directory) == []


def test_a_migration_that_waits_for_a_lock_lets_writers_pass(
    url: str,
    directory: Path,
    history: PostgresHistory,
    threads: ThreadPoolExecutor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(migration_locks, "_LOCK_TIMEOUT_SECONDS", 0.1)
    (directory / "9000_column.sql").write_text("alter table orders add column note text;")
    with transaction(url, "select from orders"):
        run = begin_to_wait(threads, url, directory)
        history.record(pending())
        assert not run.done()
    assert run.result() == ["9000_column.sql"]


def test_a_migration_waits_until_postgres_ends_an_autovacuum_that_is_in_the_way(url: str) -> None:
    assert query(url, "select setting from pg_settings where name = 'deadlock_timeout'") == [("1000",)]
    assert migration_locks._LOCK_TIMEOUT_SECONDS > 1


def test_waiting_for_a_lock_ends(
    url: str, directory: Path, history: PostgresHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migration_locks, "_LOCK_TIMEOUT_SECONDS", 0.01)
    monkeypatch.setattr(migration_locks, "_LOCK_SECONDS", 0.1)
    (directory / "9000_column.sql").write_text("alter table orders add column note text;")
    with transaction(url, "select from orders"), pytest.raises(psycopg.errors.LockNotAvailable):
        migrate(url, directory)
    assert migrate(url, directory) == ["9000_column.sql"]


def test_a_backfill_that_works_for_long_still_waits_for_a_locked_row(
    url: str,
    directory: Path,
    history: PostgresHistory,
    threads: ThreadPoolExecutor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The backfill works ten times as long as it may wait for locks."""
    monkeypatch.setattr(migration_locks, "_LOCK_TIMEOUT_SECONDS", 0.01)
    monkeypatch.setattr(migration_locks, "_LOCK_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(migration_locks, "_LOCK_SECONDS", 0.05)
    waits = Event()
    monkeypatch.setattr(migration_locks.log, "info", lambda _: waits.set())
    history.record(pending())
    backfill = "do $$ begin perform pg_sleep(0.5); commit; update orders set seq = seq; commit; end $$;"
    (directory / "9000_backfill.sql").write_text("\n".join([OUTSIDE, backfill]))
    with transaction(url, "update orders set seq = seq"):
        run = threads.submit(migrate, url, directory)
        assert waits.wait(10)
    assert run.result() == ["9000_backfill.sql"]


def test_waiting_for_another_run_ends(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migration_locks, "_TURN_SECONDS", 0.3)
    key = migration_locks._LOCK_KEY
    with transaction(url, f"select pg_advisory_lock({key})"), pytest.raises(MigrationBusyError, match="another run"):
        migrate(url)


def test_concurrent_runs_build_an_index_once(
    url: str, directory: Path, history: PostgresHistory, threads: ThreadPoolExecutor
) -> None:
    (directory / "9000_index.sql").write_text(INDEX)
    applied = list(threads.map(lambda _: migrate(url, directory), range(4)))
    assert sorted(applied) == [[], [], [], ["9000_index.sql"]]
    assert is_valid(url) == [True]


def test_a_file_outside_a_transaction_that_fails_is_repeated_from_its_first_statement(
    url: str, directory: Path, history: PostgresHistory
) -> None:
    file = directory / "9000_index.sql"
    file.write_text(f"{INDEX}drop index concurrently missing;")
    with pytest.raises(psycopg.errors.UndefinedObject):
        migrate(url, directory)
    assert is_valid(url) == [True]
    file.write_text(INDEX)
    assert migrate(url, directory) == ["9000_index.sql"]


def test_the_backfill_fills_every_batch(url: str, directory: Path) -> None:
    """2,500 orders of the version before the statistics' columns, of which every second was quoted once."""
    later = {path: path.read_bytes() for path in directory.glob("*.sql") if path.name > "0005"}
    for path in later:
        path.unlink()
    migrate(url, directory)
    order = routed(pending(), decision=quotes(quote(amount_out=110), quote(amount_out=100)))
    with psycopg.connect(url) as connection:
        connection.execute(
            """
            insert into orders
            select (jsonb_populate_record(null::orders, %s::jsonb || jsonb_build_object(
                'order_id', md5(n::text)::uuid, 'status', 'confirmed', 'recorded_at', now(),
                'created_at', timestamptz '2026-01-01' + interval '1 second' * (n / 2)))).*
            from generate_series(1, 2500) as n
            """,
            [dumps(order_row(order))],
        )
        connection.execute(
            """
            insert into order_events (order_id, seq, status, attempt, at, meta)
            select order_id, event.seq, event.status, 1, created_at + interval '1 minute' * event.seq, '{}'
            from orders, (values (1, 'pending'), (2, 'routing'), (3, 'routing')) as event (seq, status)
            """
        )
        connection.execute(
            """
            insert into order_quotes (order_id, seq, venue, attempt, amount_out, chosen, at)
            select order_id, 3, venue, 1, quote.amount_out, false, created_at
            from orders, (values ('raydium', 110), ('meteora', 100)) as quote (venue, amount_out)
            where extract(second from created_at)::integer % 2 = 0 or venue = 'raydium'
            """
        )
    for path, content in later.items():
        path.write_bytes(content)
    migrate(url, directory)
    assert query(
        url,
        """
        select started_at - created_at = interval '2 minutes', gain_pct, count(*)
        from orders group by 1, 2 order by 2
        """,
    ) == [(True, 10, 1250), (True, None, 1250)]
