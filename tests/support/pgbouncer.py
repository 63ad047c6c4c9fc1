"""A real PgBouncer in transaction mode, of Debian's package, in front of a PostgreSQL."""

import os
import pwd
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from infra.local.config import HOST
from infra.local.process import Child
from tests.support.postgres import free_port

#: Debian installs it where only root looks for programs.
PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
#: Connections to the server, fewer than the clients that the tests let in.
SERVER_CONNECTIONS = 2
_CONFIGURATION = """
[databases]
* = host={host} port={server_port}
[pgbouncer]
listen_addr = {host}
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {directory}/users
pool_mode = transaction
default_pool_size = {server_connections}
"""


@contextmanager
def pgbouncer(url: str, directory: Path) -> Iterator[str]:
    """Run a PgBouncer for the server of this address, and yield the pooler's address of the same database."""
    server, port = urlsplit(url), free_port()
    user = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
    values = {"host": HOST, "port": port, "server_port": server.port, "server_connections": SERVER_CONNECTIONS}
    (directory / "pgbouncer.ini").write_text(_CONFIGURATION.format(directory=directory, **values))
    (directory / "users").write_text(f'"{server.username}" "{server.password}"\n')
    pooled = url.replace(f":{server.port}/", f":{port}/")
    child = Child(
        "PgBouncer",
        [str(PROGRAM), directory / "pgbouncer.ini"],
        directory / "pgbouncer.log",
        environment={},
        user=user.pw_uid if user else None,
        group=user.pw_gid if user else None,
    )
    try:
        child.wait_until(lambda: _answers(pooled))
        yield pooled
    finally:
        child.stop()


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True
