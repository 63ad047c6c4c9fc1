"""The configuration of one local stack: its ports, its directory, and the settings of its app."""

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.local.errors import LocalStackError
from infra.settings import parameters_from

HOST = "127.0.0.1"
STACK = "engine-local"
REGION = "us-east-1"
API_STAGE = "api"


@dataclass(frozen=True)
class LocalConfig:
    """The configuration of one stack. Stacks that share neither a port nor ``state_dir`` run side by side."""

    state_dir: Path
    port: int
    aws_port: int
    postgres_port: int
    aws_endpoint_url: str | None
    database_url: str | None
    parameters: dict[str, str]

    @property
    def logs(self) -> Path:
        """The directory with one log file for each function and each part of the stack."""
        return self.state_dir / "logs"

    @property
    def endpoints_file(self) -> Path:
        """The file with the stack's addresses. It exists while every part answers."""
        return self.state_dir / "endpoints.json"

    @property
    def environment_file(self) -> Path:
        """The file with the functions' environment, for ``chalice local``."""
        return self.state_dir / "app.env"

    @property
    def aws(self) -> str:
        """The base address of the AWS emulator."""
        return self.aws_endpoint_url or f"http://localhost:{self.aws_port}"


def state_dir_from(environment: Mapping[str, str]) -> Path:
    """Return the directory that a stack keeps all its files in."""
    return Path(environment.get("STATE_DIR") or ".local").resolve()


def config_from(environment: Mapping[str, str]) -> LocalConfig:
    """Read a stack from ``environment`` and choose a free port for each port that is 0.

    :raises LocalStackError: if a port is not a number, or is in use.
    :raises InvalidSettingError: if a setting of the app is invalid; the message names its variable.
    """
    aws_endpoint_url = environment.get("AWS_ENDPOINT_URL") or None
    database_url = environment.get("DATABASE_URL") or None
    ports = _Ports(environment)
    return LocalConfig(
        state_dir=state_dir_from(environment),
        port=ports.take("PORT", 8000, "the front door"),
        aws_port=0 if aws_endpoint_url else ports.take("AWS_PORT", 4566, "the AWS emulator"),
        postgres_port=0 if database_url else ports.take("POSTGRES_PORT", 5433, "PostgreSQL"),
        aws_endpoint_url=aws_endpoint_url.rstrip("/") if aws_endpoint_url else None,
        database_url=database_url,
        parameters=parameters_from(environment, local=True),
    )


class _Ports:
    """Gives each part of a stack a port of its own. The system may offer one free port twice until a part listens."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._taken: dict[int, str] = {}

    def take(self, name: str, default: int, purpose: str) -> int:
        """Return the port that the environment gives by this name, or a free one if it gives 0."""
        given = self._environment.get(name) or str(default)
        if not given.isdecimal() or int(given) > 65535:
            raise LocalStackError(f"{name}={given} is not a port: give a number from 0 (any free port) to 65535.")
        while (port := _bound(name, int(given), purpose)) in self._taken:
            if int(given):
                raise LocalStackError(f"Port {given} is for {self._taken[port]}: choose another with {name}.")
        self._taken[port] = purpose
        return port


def _bound(name: str, port: int, purpose: str) -> int:
    """Return the port if it is free, or any free port for 0."""
    with socket.socket() as probe:
        # Servers set this too; without it a port that was just closed seems in use for a minute.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise LocalStackError(
                f"Port {port} for {purpose} cannot be used ({error.strerror}).\n"
                f"Choose another with {name}, as in: {name}={port + 1} make run"
            ) from None
        return int(probe.getsockname()[1])


def scrubbed_environment(**extra: str) -> dict[str, str]:
    """Return an environment for children with only those of the caller's variables that every program needs.

    The emulator's workers inherit its environment: a stray setting of the caller would reach the app.
    """
    kept = ("PATH", "HOME", "LANG", "LC_ALL")
    return {**{name: os.environ[name] for name in kept if name in os.environ}, **extra}
