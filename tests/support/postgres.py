"""A real PostgreSQL for tests: the server of the local stack, on a free port and in a temporary directory."""

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
    """A server that a test can stop and start again without losing data."""

    def __init__(self, state_dir: Path) -> None:
        config = LocalConfig(
            state_dir=state_dir,
            port=0,
            aws_port=0,
            postgres_port=free_port(),
            aws_endpoint_url=None,
            database_url=None,
            parameters={},
            socket_limits={},
        )
        config.logs.mkdir()
        self._postgres = Postgres(config)
        self._postgres.prepare()
        self._child: Child | None = None

    @property
    def url(self) -> str:
        """The address of the default database."""
        return self._postgres.url

    def start(self) -> None:
        """Start the server and wait until it answers. Call this from the main thread (see ``Child``)."""
        self._child = self._postgres.start()
        self._child.wait_until(self._postgres.ready)
        # No test cuts the power: what the processes have written is enough, and a slow disk holds nothing up.
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("alter system set fsync = off")
            connection.execute("select pg_reload_conf()")

    def stop(self) -> None:
        """Stop the server and close every connection."""
        if self._child is not None:
            self._child.stop()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Freeze all processes of the server with SIGSTOP: it accepts connections and never answers."""
        server = self._child.process_id if self._child else 0
        # The process of each connection leads its own session, so a signal to the server's group does not reach it.
        processes = [server, *_children_of(server)]
        for process in processes:
            _signal(process, signal.SIGSTOP)
        try:
            yield
        finally:
            for process in processes:
                _signal(process, signal.SIGCONT)

    def program(self, name: str) -> Path:
        """A program of PostgreSQL, such as ``pg_dump``, of the server's version."""
        return self._postgres.binary(name)

    def new_database(self) -> str:
        """Create an empty database and return its address."""
        name = f"test_{secrets.token_hex(6)}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        return make_conninfo(self.url, dbname=name)


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Run a server, and delete it with its data afterwards."""
    state_dir = Path(tempfile.mkdtemp(prefix="test-postgres-"))
    state_dir.chmod(0o755)  # the server's user must be able to enter it
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
        # A process may end while it is read.
        with suppress(OSError):
            if directory.name.isdigit() and _parent_of(directory) == parent:
                found.append(int(directory.name))
    return found


def _parent_of(directory: Path) -> int:
    return int((directory / "stat").read_text().rpartition(")")[2].split()[1])


def _signal(process: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, number)


def free_port() -> int:
    """A port on which nothing listens now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
