"""A real PostgreSQL for tests: the local stack's, on a free port and in a directory of its own."""

import os
import secrets
import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from infra.local.config import HOST, LocalConfig
from infra.local.postgres import Postgres
from infra.local.process import Child


class PostgresServer:
    """A server that can be stopped and started again; its data stays."""

    def __init__(self, state_dir: Path) -> None:
        config = LocalConfig(
            state_dir=state_dir,
            port=0,
            aws_port=0,
            postgres_port=_free_port(),
            aws_endpoint_url=None,
            database_url=None,
            parameters={},
        )
        config.logs.mkdir()
        self._postgres = Postgres(config)
        self._postgres.prepare()
        self._child: Child | None = None

    @property
    def url(self) -> str:
        """The address of a database that is always there."""
        return self._postgres.url

    def start(self) -> None:
        """Start it and wait until it answers. Call from the main thread (see ``Child``)."""
        self._child = self._postgres.start()
        self._child.wait_until(self._postgres.ready)

    def stop(self) -> None:
        """Stop it, cutting every connection."""
        if self._child is not None:
            self._child.stop()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """All of its processes stand still: it takes connections, and never answers."""
        server = self._child.process_id if self._child else 0
        # Each connection's process leads a session of its own, so the group of the first does not hold them.
        processes = [server, *_children_of(server)]
        for process in processes:
            _signal(process, signal.SIGSTOP)
        try:
            yield
        finally:
            for process in processes:
                _signal(process, signal.SIGCONT)

    def new_database(self) -> str:
        """The address of a new, empty database."""
        name = f"test_{secrets.token_hex(6)}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        return make_conninfo(self.url, dbname=name)


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """A running server, gone afterwards with all its data."""
    state_dir = Path(tempfile.mkdtemp(prefix="test-postgres-"))
    state_dir.chmod(0o755)  # the server's user passes through it
    try:
        server = PostgresServer(state_dir)
        try:
            server.start()
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(state_dir, ignore_errors=True)


def _children_of(parent: int) -> list[int]:
    found = []
    for directory in Path("/proc").iterdir():
        # Processes end while they are looked at.
        with suppress(OSError):
            if directory.name.isdigit() and _parent_of(directory) == parent:
                found.append(int(directory.name))
    return found


def _parent_of(directory: Path) -> int:
    return int((directory / "stat").read_text().rpartition(")")[2].split()[1])


def _signal(process: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, number)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
