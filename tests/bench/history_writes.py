"""What a record of an order costs, and what a migration under load does to the records."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from threading import Event
from typing import Any

import psycopg

from chalicelib.clock import utc_now
from chalicelib.history.migrate import MIGRATIONS, migrate
from chalicelib.history.migration_files import OUTSIDE
from chalicelib.history.postgres import PostgresHistory
from chalicelib.ports.history import HistoryUnavailableError
from tests.support.order_builders import confirmed, pending

_RECORDS = 1000
_WRITERS = 4
_POSITION = "select pg_current_wal_insert_lsn() - '0/0'"
_BACKFILL = """
do $$
declare
    day  timestamptz := (select min(created_at) from orders);
begin
    while day <= now() loop
        update orders set bench = seq
        where created_at >= day and created_at < day + interval '1 hour' and bench is null;
        commit;
        day := day + interval '1 hour';
    end loop;
end $$;
"""
#: Files like those of a release: a column, its backfill in batches, and an index on it.
_RELEASE = {
    "9000_column.sql": "alter table orders add column bench integer;",
    "9001_backfill.sql": f"{OUTSIDE}\n{_BACKFILL}",
    "9002_index.sql": f"{OUTSIDE}\ncreate index concurrently if not exists orders_by_bench on orders (bench);",
}


@dataclass(frozen=True)
class Recorded:
    """Records of new orders, one after another, and the write-ahead log that they make just after a checkpoint."""

    p50_ms: float
    p95_ms: float
    wal_bytes: float


@dataclass(frozen=True)
class Migrated:
    """A migration while four writers record orders."""

    seconds: float
    records: int
    failed: int
    longest_wait_ms: float


def record(url: str) -> Recorded:
    """The cost of recording a confirmed market order."""
    with _history(url) as history, psycopg.connect(url, autocommit=True) as connection:
        for _ in range(20):
            _record_one(history)
        connection.execute("checkpoint")
        before = _wal(connection)
        times = [_record_one(history) for _ in range(_RECORDS)]
        after = _wal(connection)
    return Recorded(median(times), quantiles(times, n=20)[18], (after - before) / _RECORDS)


def migrate_under_load(url: str) -> Migrated:
    """Apply a release's migrations while four writers record."""
    ended = Event()
    with tempfile.TemporaryDirectory() as temporary, ThreadPoolExecutor(_WRITERS) as threads:
        directory = shutil.copytree(MIGRATIONS, Path(temporary) / "migrations")
        for name, content in _RELEASE.items():
            (directory / name).write_text(content)
        writers = [threads.submit(_write_until, ended, url) for _ in range(_WRITERS)]
        try:
            began = time.monotonic()
            migrate(url, directory)
            seconds = time.monotonic() - began
        finally:
            ended.set()
        made = [writer.result() for writer in writers]
    return Migrated(
        seconds, sum(len(times) for times, _ in made), sum(failed for _, failed in made), max(max(t) for t, _ in made)
    )


def _write_until(ended: Event, url: str) -> tuple[list[float], int]:
    times, failed = [], 0
    with _history(url) as history:
        while not ended.is_set():
            began = time.perf_counter()
            try:
                _record_one(history)
            except HistoryUnavailableError:
                failed += 1
            times.append((time.perf_counter() - began) * 1000)
    return times, failed


def _record_one(history: PostgresHistory) -> float:
    """The milliseconds of a record."""
    order = confirmed(pending(utc_now()), utc_now())
    began = time.perf_counter()
    history.record(order)
    return (time.perf_counter() - began) * 1000


@contextmanager
def _history(url: str) -> Iterator[PostgresHistory]:
    """The history with the engine's default timeouts."""
    with closing(PostgresHistory(url, connect_timeout_seconds=2, statement_timeout_seconds=2)) as history:
        yield history


def _wal(connection: psycopg.Connection[Any]) -> float:
    row = connection.execute(_POSITION).fetchone()
    return float(row[0]) if row else 0.0
