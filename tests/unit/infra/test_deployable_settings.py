"""The settings that a deployment may set: all tunables, validated before any process starts."""

import re
import subprocess
import sys
from dataclasses import MISSING, fields
from pathlib import Path

import pytest

from chalicelib.settings import Settings, read_settings
from infra.local.config import SOCKET_LIMITS, config_from
from infra.project import ROOT
from infra.settings import SET_BY_PLATFORM, SETTINGS, InvalidSettingError, parameters_from

#: Variables of .env.example that configure the local stack and not the engine.
STACK_VARIABLES = {
    *("PORT", "AWS_PORT", "POSTGRES_PORT", "STATE_DIR"),
    *("DATABASE_URL", "FUNCTIONS_DATABASE_URL", "AWS_ENDPOINT_URL", *SOCKET_LIMITS),
}
INVALID = {
    "VENUE_PROFILE": "nonsense",
    "VENUE_FAULT": "nonsense",
    "SIMULATION": "maybe",
    "MAX_ATTEMPTS": "three",
    "LEASE_SECONDS": "-1",
    "LOG_LEVEL": "loud",
    "CORS_ORIGIN": "https://app.example/",
}


def test_every_setting_with_a_default_can_be_deployed_unless_the_platform_sets_it() -> None:
    tunable = {field.name for field in fields(Settings) if field.default is not MISSING} - SET_BY_PLATFORM
    assert {row.env for row in SETTINGS} == {name.upper() for name in tunable}


def test_a_deployment_keeps_settings_that_the_environment_lacks_and_a_local_stack_does_not() -> None:
    environment = {"MAX_ATTEMPTS": "5", "LOG_LEVEL": "", "PATH": "/bin"}
    assert parameters_from(environment) == {"MaxAttempts": "5"}
    local = parameters_from(environment, local=True)
    assert local.keys() == {row.parameter for row in SETTINGS}
    values = {name: value for name, value in local.items() if value}
    assert values == {"MaxAttempts": "5", "Auth": "off", "Simulation": "on", "PushThreads": "3"}


@pytest.mark.parametrize("local", [True, False])
@pytest.mark.parametrize("variable", INVALID)
def test_an_invalid_setting_is_named_by_its_variable(variable: str, local: bool) -> None:
    with pytest.raises(InvalidSettingError, match=f"^{variable}='{INVALID[variable]}' "):
        parameters_from({variable: INVALID[variable]}, local=local)


@pytest.mark.parametrize("variable", INVALID)
def test_make_run_names_an_invalid_setting_before_it_starts_a_part(variable: str, tmp_path: Path) -> None:
    ports = {"PORT": "0", "AWS_PORT": "0", "POSTGRES_PORT": "0"}
    done = subprocess.run(
        [sys.executable, "-m", "infra.local", "run"],
        cwd=ROOT,
        env={**ports, "STATE_DIR": str(tmp_path), variable: INVALID[variable], "PATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    [message] = done.stderr.splitlines()
    assert message.startswith(f"{variable}='{INVALID[variable]}' ")
    assert list(tmp_path.iterdir()) == []


def test_every_invalid_variable_is_named_at_once() -> None:
    ports = {"PORT": "99999", "AWS_PORT": "٤٥", "AWS_ENDPOINT_URL": "nobody", "DATABASE_URL": "mysql://u:secret@h/x"}
    with pytest.raises(InvalidSettingError) as refused:
        config_from({**ports, **INVALID})
    lines = str(refused.value).splitlines()
    assert len(lines) == len(ports) + len(INVALID)
    assert {re.split("[= ]", line)[0] for line in lines} == ports.keys() | INVALID.keys()
    assert "secret" not in str(refused.value)


def test_the_example_environment_is_valid_and_shows_the_defaults() -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()
    shown = dict(line.split("=", 1) for line in lines if re.match("[A-Z_]+=", line))
    named = {line.lstrip("#").split("=")[0] for line in lines if re.match("#?[A-Z_]+=", line)}
    assert named - STACK_VARIABLES <= {row.env for row in SETTINGS}
    any_port = {"PORT": "0", "AWS_PORT": "0", "POSTGRES_PORT": "0"}
    config_from({**shown, **any_port})
    required = {field.name.upper(): "x" for field in fields(Settings) if field.default is MISSING}
    assert read_settings({**required, **shown}) == read_settings({**required, "AUTH": "off", "SIMULATION": "on"})
