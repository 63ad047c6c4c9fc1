"""The configuration of one local stack: its ports, its directory, and the settings of its app."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
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
    problems += [_invalid_emulator(environment.get("AWS_ENDPOINT_URL", ""))]
    problems += [_invalid_database(environment.get("DATABASE_URL", "")), *invalid_tunables(environment)]
    if found := [problem for problem in problems if problem]:
        raise InvalidSettingError("\n".join(found))


def config_from(environment: Mapping[str, str]) -> LocalConfig:
    """Read a stack from ``environment`` and choose a free port for each port that is 0.

    :raises InvalidSettingError: if a variable has no valid value; the message names each.
    :raises LocalStackError: if a port is in use.
    """
    check_environment(environment)
    aws_endpoint_url = environment.get("AWS_ENDPOINT_URL") or None
    database_url = environment.get("DATABASE_URL") or None
    free = ports.Ports(environment)
    return LocalConfig(
        state_dir=state_dir_from(environment),
        port=free.take("PORT", 8000, "the front door"),
        aws_port=0 if aws_endpoint_url else free.take("AWS_PORT", 4566, "the AWS emulator"),
        postgres_port=0 if database_url else free.take("POSTGRES_PORT", 5433, "PostgreSQL"),
        aws_endpoint_url=aws_endpoint_url.rstrip("/") if aws_endpoint_url else None,
        database_url=database_url,
        parameters=parameters_from(environment, local=True),
    )


def _invalid_emulator(url: str) -> str:
    try:
        # ``urlsplit`` checks the port when it is read.
        is_valid = _ORIGIN.fullmatch(url) and urlsplit(url).hostname and urlsplit(url).port != 0
    except ValueError:
        is_valid = False
    return "" if is_valid or not url else invalid_value("AWS_ENDPOINT_URL", url, "like http://localhost:4566")


def _invalid_database(url: str) -> str:
    if not url:
        return ""
    # psycopg is slow to import, and only a server of the caller's own needs it here.
    from chalicelib.history.connection import InvalidAddressError, check_address

    try:
        check_address(url)
    except InvalidAddressError as error:
        return f"DATABASE_URL {error}"
    return ""


def scrubbed_environment(**extra: str) -> dict[str, str]:
    """Return an environment for children with only those of the caller's variables that every program needs.

    The emulator's workers inherit its environment: a stray setting of the caller would reach the app.
    """
    kept = ("PATH", "HOME", "LANG", "LC_ALL")
    return {**{name: os.environ[name] for name in kept if name in os.environ}, **extra}
