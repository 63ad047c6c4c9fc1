"""What one local stack is asked to be: its ports, its directory, and the settings of the app in it."""

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
    """One stack. Two stacks that share neither a port nor ``state_dir`` run side by side."""

    state_dir: Path
    port: int
    aws_port: int
    postgres_port: int
    aws_endpoint_url: str | None
    database_url: str | None
    parameters: dict[str, str]

    @property
    def logs(self) -> Path:
        """One file for each function and each part of the stack."""
        return self.state_dir / "logs"

    @property
    def endpoints_file(self) -> Path:
        """There while everything answers."""
        return self.state_dir / "endpoints.json"

    @property
    def aws(self) -> str:
        """The base address of the AWS emulator."""
        return self.aws_endpoint_url or f"http://localhost:{self.aws_port}"


def state_dir_from(environment: Mapping[str, str]) -> Path:
    """Where a stack keeps all it writes."""
    return Path(environment.get("STATE_DIR") or ".local").resolve()


def config_from(environment: Mapping[str, str]) -> LocalConfig:
    """Reads a stack from ``environment`` and picks a free port where one is 0.

    Raises ``LocalStackError`` for a port that is no number or taken.
    """
    aws_endpoint_url = environment.get("AWS_ENDPOINT_URL") or None
    database_url = environment.get("DATABASE_URL") or None
    return LocalConfig(
        state_dir=state_dir_from(environment),
        port=_port(environment, "PORT", 8000, "the front door"),
        aws_port=0 if aws_endpoint_url else _port(environment, "AWS_PORT", 4566, "the AWS emulator"),
        postgres_port=0 if database_url else _port(environment, "POSTGRES_PORT", 5433, "PostgreSQL"),
        aws_endpoint_url=aws_endpoint_url.rstrip("/") if aws_endpoint_url else None,
        database_url=database_url,
        parameters=parameters_from(environment, local=True),
    )


def _port(environment: Mapping[str, str], name: str, default: int, purpose: str) -> int:
    given = environment.get(name) or str(default)
    if not given.isdecimal() or int(given) > 65535:
        raise LocalStackError(f"{name}={given} is no port: give a number from 0 (any free one) to 65535.")
    with socket.socket() as probe:
        # As servers do, or a port just given up would seem taken for a minute.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, int(given)))
        except OSError as error:
            other = int(given) + 1
            raise LocalStackError(
                f"Port {given} for {purpose} cannot be used ({error.strerror}).\n"
                f"Choose another with {name}, as in: {name}={other} make run"
            ) from None
        return int(probe.getsockname()[1])


def scrubbed_environment(**extra: str) -> dict[str, str]:
    """An environment for children with nothing of the caller's but what any program needs.

    The emulator's workers inherit what it has: a stray setting of the caller's would reach the app.
    """
    kept = ("PATH", "HOME", "LANG", "LC_ALL")
    return {**{name: os.environ[name] for name in kept if name in os.environ}, **extra}
