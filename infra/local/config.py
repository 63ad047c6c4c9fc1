"""The configuration of one local stack: its ports, its directory, and the settings of its app."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from chalicelib.setting_rules import Switch
from chalicelib.settings import invalid_value
from infra.local import ports
from infra.settings import InvalidSettingError, invalid_tunables, parameters_from

HOST = ports.HOST
STACK = "engine-local"
REGION = "us-east-1"
API_STAGE = "api"
#: The limits of API Gateway, which the emulator applies too, by their variables.
SOCKET_LIMITS = {"SOCKET_IDLE_SECONDS": "600", "SOCKET_MAX_SECONDS": "7200"}
_SECONDS = re.compile("[1-9][0-9]{0,5}", re.ASCII)
_ORIGIN = re.compile(r"https?://[^/?#@\s]+/?", re.ASCII)


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
    #: The seconds after which a socket ends, by the names of ``SOCKET_LIMITS``.
    socket_limits: dict[str, str]
    #: The address by which functions reach the database, if it differs from ``database_url``.
    functions_database_url: str | None = None

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
    def first_key_file(self) -> Path:
        """The file with the first API key, which outlives the stack."""
        return self.state_dir / "first-key"

    @property
    def requires_credentials(self) -> bool:
        return Switch().read(self.parameters["Auth"])

    @property
    def aws(self) -> str:
        """The base address of the AWS emulator."""
        return self.aws_endpoint_url or f"http://localhost:{self.aws_port}"


def state_dir_from(environment: Mapping[str, str]) -> Path:
    """Return the directory that a stack keeps all its files in."""
    return Path(environment.get("STATE_DIR") or ".local").resolve()


def check_environment(environment: Mapping[str, str]) -> None:
    """Check the form of every variable of a stack, and touch nothing.

    :raises InvalidSettingError: with one line for each variable that has no valid value.
    """
    problems = [ports.invalid_port(name, environment.get(name, "")) for name in ("PORT", "AWS_PORT", "POSTGRES_PORT")]
    problems += [_invalid_seconds(name, environment.get(name, "")) for name in SOCKET_LIMITS]
    problems += [_invalid_emulator(environment.get("AWS_ENDPOINT_URL", ""))]
    databases = ("DATABASE_URL", "FUNCTIONS_DATABASE_URL")
    problems += [_invalid_database(name, environment.get(name, "")) for name in databases]
    problems += invalid_tunables(environment)
    if found := [problem for problem in problems if problem]:
        raise InvalidSettingError("\n".join(found))


def config_from(environment: Mapping[str, str]) -> LocalConfig:
    """Read a stack from ``environment`` and choose a free port for each port that is 0.

    :raises InvalidSettingError: if a variable has no valid value; the message names each.
    :raises LocalStackError: if a port is in use.
    """
    check_environment(environment)
    free = ports.Ports(environment)
    config = _without_ports(environment)
    return replace(
        config,
        port=free.take("PORT", 8000, "the front door"),
        aws_port=0 if config.aws_endpoint_url else free.take("AWS_PORT", 4566, "the AWS emulator"),
        postgres_port=0 if config.database_url else free.take("POSTGRES_PORT", 5433, "PostgreSQL"),
    )


def foreign_config_from(environment: Mapping[str, str]) -> tuple[LocalConfig, str]:
    """Read a stack of which nothing runs here, and the address of its database, from ``environment``.

    :raises InvalidSettingError: if a variable has no valid value, or the emulator or the database is not named.
    """
    missing = [name for name in ("AWS_ENDPOINT_URL", "DATABASE_URL") if not environment.get(name)]
    if missing:
        raise InvalidSettingError(f"make deploy-local needs {' and '.join(missing)}: the servers that run already.")
    check_environment(environment)
    return _without_ports(environment), environment["DATABASE_URL"]


def _without_ports(environment: Mapping[str, str]) -> LocalConfig:
    aws_endpoint_url = environment.get("AWS_ENDPOINT_URL")
    return LocalConfig(
        state_dir=state_dir_from(environment),
        port=0,
        aws_port=0,
        postgres_port=0,
        aws_endpoint_url=aws_endpoint_url.rstrip("/") if aws_endpoint_url else None,
        database_url=environment.get("DATABASE_URL") or None,
        parameters=parameters_from(environment, local=True),
        socket_limits={name: environment.get(name) or default for name, default in SOCKET_LIMITS.items()},
        functions_database_url=environment.get("FUNCTIONS_DATABASE_URL") or None,
    )


def _invalid_seconds(name: str, given: str) -> str:
    is_valid = not given or _SECONDS.fullmatch(given)
    return "" if is_valid else invalid_value(name, given, "whole seconds from 1 to 999999")


def _invalid_emulator(url: str) -> str:
    try:
        # ``urlsplit`` checks the port when it is read.
        is_valid = _ORIGIN.fullmatch(url) and urlsplit(url).hostname and urlsplit(url).port != 0
    except ValueError:
        is_valid = False
    return "" if is_valid or not url else invalid_value("AWS_ENDPOINT_URL", url, "like http://localhost:4566")


def _invalid_database(name: str, url: str) -> str:
    if not url:
        return ""
    # psycopg is slow to import, and only a server of the caller's own needs it here.
    from chalicelib.history.connection import InvalidAddressError, check_address

    try:
        check_address(url)
    except InvalidAddressError as error:
        return f"{name} {error}"
    return ""


def scrubbed_environment(**extra: str) -> dict[str, str]:
    """Return an environment for children with only those of the caller's variables that every program needs.

    The emulator's workers inherit its environment: a stray setting of the caller would reach the app.
    """
    kept = ("PATH", "HOME", "LANG", "LC_ALL")
    return {**{name: os.environ[name] for name in kept if name in os.environ}, **extra}
