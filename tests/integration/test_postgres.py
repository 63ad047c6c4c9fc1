"""The migrations of the schema, and the history while PostgreSQL stops, freezes, locks and restarts."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from chalicelib.domain.read_model import read_model_of
from chalicelib.history import connection, quality
from chalicelib.history.lists import page
from chalicelib.history.migrate import MIGRATIONS, MigrationChangedError, migrate
from chalicelib.history.postgres import PostgresHistory
from chalicelib.history.statements import RECORD
from chalicelib.ports.history import HistoryTooSlowError, HistoryUnavailableError, OrderFilter, Percentiles
from infra import database
from tests.support.open_orders import a_limit
from tests.support.order_builders import NOON, confirmed, failed, opened, pending, triggered
from tests.support.postgres import PostgresServer

#: The server processes of the engine's connections.
ENGINES = """
    select pid from pg_stat_activity where application_name = 'order-engine' and datname = current_database()
"""
FILES = sorted(path.name for path in MIGRATIONS.glob("*.sql"))


@pytest.fixture
def url(postgres: PostgresServer) -> str:
    return postgres.new_database()


@pytest.fixture
def history(url: str) -> Iterator[PostgresHistory]:
    migrate(url)
    # A short statement timeout, so that the tests that run into it do not take long.
    history = PostgresHistory(url, connect_timeout_seconds=2, statement_timeout_seconds=0.5)
    yield history
    history.close()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A copy of the migrations that a test may change."""
    return shutil.copytree(MIGRATIONS, tmp_path / "migrations")


@contextmanager
def fails_within(seconds: float, error: type[HistoryUnavailableError] = HistoryUnavailableError) -> Iterator[None]:
    began = time.monotonic()
    with pytest.raises(error):
        yield
    assert time.monotonic() - began < seconds


def query(url: str, statement: str) -> list[Any]:
    with psycopg.connect(url) as connection:
        return connection.execute(statement.encode()).fetchall()


class TestMigrations:
    def test_each_file_is_applied_once(self, url: str) -> None:
        assert migrate(url) == FILES
        assert migrate(url) == []

    def test_concurrent_runs_share_the_work(self, url: str) -> None:
        with ThreadPoolExecutor(4) as threads:
            applied = list(threads.map(migrate, [url] * 4))
        assert sorted(name for names in applied for name in names) == FILES

    def test_the_command_may_run_several_times_at_once(self, url: str) -> None:
        command = [sys.executable, "-m", "chalicelib.history.migrate"]
        runs = [
            subprocess.Popen(command, env=os.environ | {"DATABASE_URL": url}, stdout=subprocess.PIPE, text=True)
            for _ in range(3)
        ]
        outputs = [run.communicate(timeout=60)[0] for run in runs]
        assert [run.returncode for run in runs] == [0, 0, 0]
        assert sum(text.count(f"applied {FILES[0]}") for text in outputs) == 1

    def test_a_file_changed_after_it_was_applied_is_refused(self, url: str, directory: Path) -> None:
        migrate(url, directory)
        with (directory / FILES[0]).open("a") as file:
            file.write("-- an afterthought\n")
        with pytest.raises(MigrationChangedError, match=FILES[0]):
            migrate(url, directory)

    def test_a_file_that_fails_leaves_no_trace(self, url: str, directory: Path) -> None:
        bad = directory / "9999_bad.sql"
        bad.write_text("create table half (id integer); select nonsense;")
        with pytest.raises(psycopg.errors.UndefinedColumn):
            migrate(url, directory)
        assert query(url, "select to_regclass('orders')::text, to_regclass('half')::text") == [("orders", None)]
        bad.write_text("create table half (id integer)")
        assert migrate(url, directory) == ["9999_bad.sql"]

    def test_waiting_for_a_server_ends(self) -> None:
        with fails_within(5):
            migrate("postgresql://unknown@127.0.0.1:1/none", server_timeout_seconds=0.3)

    def test_the_command_prints_why_it_failed(self) -> None:
        command = [sys.executable, "-m", "chalicelib.history.migrate"]
        run = subprocess.run(command, env=os.environ | {"DATABASE_URL": ""}, capture_output=True, text=True)
        assert run.returncode == 1
        assert "DATABASE_URL is not set" in run.stderr


class TestFailures:
    def test_a_stopped_server_is_unavailable_until_it_starts_again(
        self, postgres: PostgresServer, history: PostgresHistory
    ) -> None:
        order = confirmed(pending())
        history.record(order)
        postgres.stop()
        try:
            calls: list[Callable[[], object]] = [
                lambda: history.record(order),
                lambda: history.page(OrderFilter(), 1, None),
                history.ping,
            ]
            for call in calls:
                with fails_within(3):
                    call()
        finally:
            postgres.start()
        history.record(order)
        assert history.page(OrderFilter(), 1, None).orders == [read_model_of(order)]

    def test_a_restart_between_two_calls_loses_no_call(
        self, postgres: PostgresServer, history: PostgresHistory
    ) -> None:
        history.ping()
        postgres.stop()
        postgres.start()
        history.record(pending())
        assert len(history.page(OrderFilter(), 10, None).orders) == 1

    def test_a_connection_that_the_server_closed_loses_no_call(self, url: str, history: PostgresHistory) -> None:
        history.record(pending())
        query(url, f"select pg_terminate_backend({backend_of(url)})")
        history.record(pending())
        assert len(history.page(OrderFilter(), 10, None).orders) == 2

    def test_a_frozen_server_does_not_block_its_client(self, url: str, history: PostgresHistory) -> None:
        history.ping()
        frozen = backend_of(url)
        os.kill(frozen, signal.SIGSTOP)
        try:
            with fails_within(3):
                history.record(pending())
            # The next call does not wait for the frozen one.
            history.ping()
        finally:
            os.kill(frozen, signal.SIGCONT)

    def test_only_the_first_of_many_records_waits_for_a_silent_server(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            port = silent.getsockname()[1]
            history = PostgresHistory(
                f"postgresql://unknown@127.0.0.1:{port}/none", connect_timeout_seconds=2, statement_timeout_seconds=1
            )
            for _ in range(5):
                with fails_within(10):
                    history.record(pending())
            monkeypatch.setattr(connection, "monotonic", lambda: time.monotonic() + 6)
            with fails_within(10):
                history.record(pending())
            # The circuit breaker applies to bulk writes only.
            with fails_within(10):
                history.ping()
            silent.setblocking(False)
            for _ in range(3):
                silent.accept()[0].close()
            with pytest.raises(BlockingIOError):
                silent.accept()

    def test_only_the_first_of_many_records_waits_for_a_locked_table(self, url: str) -> None:
        migrate(url)
        history = PostgresHistory(url, connect_timeout_seconds=2, statement_timeout_seconds=1.5)
        with psycopg.connect(url) as other:
            other.execute("lock table orders")
            with fails_within(5):
                history.record(pending())
            with pytest.raises(HistoryUnavailableError, match="a moment ago"):
                history.record(pending())

    def test_a_slow_statement_is_cancelled(self, url: str, history: PostgresHistory) -> None:
        history.ping()
        with psycopg.connect(url) as other:
            other.execute("lock table orders")
            with fails_within(3):
                history.record(pending())
        history.record(pending())
        assert len(history.page(OrderFilter(), 10, None).orders) == 1

    def test_a_slow_server_is_told_from_one_that_is_away(self, url: str, history: PostgresHistory) -> None:
        with psycopg.connect(url) as other:
            other.execute("lock table orders")
            with pytest.raises(HistoryTooSlowError):
                history.quality(NOON)
        query(url, f"select pg_terminate_backend({backend_of(url)})")
        history.quality(NOON)

    def test_a_missing_schema_makes_the_history_unavailable(self, postgres: PostgresServer) -> None:
        history = PostgresHistory(postgres.new_database(), connect_timeout_seconds=2, statement_timeout_seconds=1)
        with fails_within(3):
            history.record(pending())
        history.ping()


def backend_of(url: str) -> int:
    """The server process behind the history's connection."""
    [(pid,)] = query(url, ENGINES)
    return int(pid)


class TestConnections:
    def test_the_server_closes_an_idle_connection_and_the_next_call_opens_another(
        self, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(connection, "_IDLE_SECONDS", 0.1)
        migrate(url)
        history = PostgresHistory(url, connect_timeout_seconds=2, statement_timeout_seconds=1)
        history.ping()
        deadline = time.monotonic() + 10
        while query(url, ENGINES):
            assert time.monotonic() < deadline
        history.record(pending())
        assert len(history.page(OrderFilter(), 10, None).orders) == 1
        history.close()

    def test_the_options_of_the_address_are_kept(self, url: str) -> None:
        address = make_conninfo(url, options="-c work_mem=5MB")
        assert self.settings(address, is_pooled=False) == ("5MB", "2s", "1min")

    def test_the_options_of_the_environment_are_kept(self, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PGOPTIONS", "-c work_mem=6MB")
        assert self.settings(url, is_pooled=False) == ("6MB", "2s", "1min")

    def test_the_options_of_a_service_file_are_kept(
        self, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        parts = conninfo_to_dict(url) | {"options": "-c work_mem=7MB"}
        file = tmp_path / "services.conf"
        file.write_text("\n".join(["[history]", *(f"{name}={value}" for name, value in parts.items())]))
        monkeypatch.setenv("PGSERVICEFILE", str(file))
        assert self.settings("service=history", is_pooled=False) == ("7MB", "2s", "1min")

    def test_a_session_that_cannot_be_limited_serves_no_statement(
        self, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(connection, "_SET_TIMEOUTS", "select set_config('unknown_timeout', %s, %s = '')")
        history = PostgresHistory(url, connect_timeout_seconds=2, statement_timeout_seconds=1)
        for _ in range(2):
            with fails_within(3):
                history.ping()

    @pytest.mark.parametrize("is_pooled", [False, True])
    def test_tcp_finds_a_server_that_vanished_within_a_minute(self, url: str, is_pooled: bool) -> None:
        kept = connection.PostgresConnection(url, 2, 2, is_pooled=is_pooled)
        with socket.socket(fileno=kept.run(lambda session: os.dup(session.fileno()))) as tcp:
            assert tcp.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            options = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
            idle, interval, count = (tcp.getsockopt(socket.IPPROTO_TCP, option) for option in options)
        assert idle + interval * count <= 60
        kept.close()

    def test_a_pooled_connection_leaves_nothing_in_its_session(self, url: str) -> None:
        migrate(url)
        assert self.settings(url, is_pooled=True) == ("4MB", "0", "0")
        history = PostgresHistory(url, connect_timeout_seconds=2, statement_timeout_seconds=2, is_pooled=True)
        for _ in range(7):
            history.record(pending())
            history.settled([])
        prepared = history._connection.run(
            lambda kept: kept.execute("select statement from pg_prepared_statements").fetchall()
        )
        assert prepared == []
        history.close()

    def test_a_slow_statement_on_a_pooled_connection_ends_in_the_client(self, url: str) -> None:
        migrate(url)
        history = PostgresHistory(url, connect_timeout_seconds=2, statement_timeout_seconds=0.5, is_pooled=True)
        history.ping()
        with psycopg.connect(url) as other:
            other.execute("lock table orders")
            with fails_within(3, HistoryTooSlowError):
                history.record(pending())
        history.ping()
        history.close()

    def test_a_pooler_that_is_away_is_told_from_a_slow_one(self, url: str) -> None:
        away = make_conninfo(url, port=1)
        history = PostgresHistory(away, connect_timeout_seconds=2, statement_timeout_seconds=0.5, is_pooled=True)
        with pytest.raises(HistoryUnavailableError) as refused:
            history.ping()
        assert refused.type is HistoryUnavailableError

    def test_a_server_that_cannot_close_idle_connections_is_refused(
        self, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        database.check_database(url)
        monkeypatch.setattr(database, "_MIN_VERSION", 99)
        with pytest.raises(database.DatabaseError, match="needs 99 or later"):
            database.check_database(url)

    @staticmethod
    def settings(url: str, *, is_pooled: bool) -> tuple[str, ...]:
        names = ("work_mem", "statement_timeout", "idle_session_timeout")
        kept = connection.PostgresConnection(url, 2, 2, is_pooled=is_pooled)
        shown = kept.run(
            lambda session: [session.execute("select current_setting(%s)", [name]).fetchone() for name in names]
        )
        kept.close()
        return tuple(str(row[0]) for row in shown if row)


class TestStatistics:
    def test_more_orders_than_one_call_sums_up_leave_out_the_oldest(
        self, history: PostgresHistory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(quality, "MAX_ORDERS", 3)
        second = timedelta(seconds=1)
        for number in range(3):
            history.record(pending(NOON + number * second))
        assert history.quality(NOON + second).covered_since is None
        history.record(failed(pending(NOON + 3 * second)))
        found = history.quality(NOON)
        assert (found.orders, found.covered_since) == ({"pending": 2, "failed": 1}, NOON + second)

    def test_an_order_that_waited_for_a_month_has_its_latency_left_out(self, history: PostgresHistory) -> None:
        filled = confirmed(triggered(opened(a_limit(100))), NOON + timedelta(days=30))
        history.record(filled)
        assert history.quality(NOON).orders == {"confirmed": 1}
        assert history.quality(NOON).to_end == Percentiles()


def test_no_statement_uses_a_name_of_the_public_contract() -> None:
    """Only the third migration does, which fills a column from the events of version 1."""
    wire_name = re.compile(r"[a-z][A-Z]|_?[rm]Quote")
    summed = quality.summary(quality.parameters_of(NOON, NOON, "alice")).as_string()
    lists = [page(asked).as_string() for asked in ([], ["after_id", "client_order_id"], ["pair", "since"])]
    assert [wire_name.findall(statement) for statement in [RECORD, summed, *lists]] == [[]] * 5
    comments = re.compile(r"--.*")
    code = {file.name: comments.sub("", file.read_text()) for file in MIGRATIONS.glob("*.sql")}
    found = {name: re.findall(r"\w*[a-z][A-Z]\w*", text) for name, text in code.items()}
    assert {name: names for name, names in found.items() if names} == {"0003_read_model.sql": ["slippagePct"]}
