"""Checks that a stack can start, before any part of it does."""

import shutil
import socket
import sys
from pathlib import Path
from urllib.parse import urlsplit

from infra.local.config import LocalConfig
from infra.local.errors import LocalStackError

#: A new database takes 40 MB, the emulator's workers and their code as much again, and orders need room too.
MIN_FREE_BYTES = 200_000_000
_CONNECT_SECONDS = 2
_TOOLS = ("caddy", "chalice")


def check_start(config: LocalConfig) -> None:
    """Check the disk, the programs, and the servers that the caller names.

    :raises InfraError: naming the first that is missing.
    """
    check_room(config.state_dir)
    for tool in _TOOLS:
        if not (path := Path(sys.executable).with_name(tool)).exists():
            raise LocalStackError(f"{path} is missing: run make venv.")
    if config.aws_endpoint_url:
        _check_emulator(config.aws_endpoint_url)
    if config.database_url:
        # psycopg is slow to import, and only a server of the caller's own needs it here.
        from infra.database import check_database

        check_database(config.database_url)


def check_room(state_dir: Path) -> None:
    """:raises LocalStackError: if the disk of ``state_dir`` is nearly full."""
    free = shutil.disk_usage(state_dir).free
    if free < MIN_FREE_BYTES:
        raise LocalStackError(
            f"STATE_DIR={state_dir} has {free // 1_000_000} MB of free disk space, and a stack needs"
            f" {MIN_FREE_BYTES // 1_000_000} MB."
        )


def _check_emulator(url: str) -> None:
    address = urlsplit(url)
    port = address.port or {"http": 80, "https": 443}[address.scheme]
    try:
        socket.create_connection((address.hostname, port), _CONNECT_SECONDS).close()
    except OSError as error:
        reason = error.strerror or str(error)
        raise LocalStackError(f"AWS_ENDPOINT_URL={url} does not answer ({reason}).") from None
