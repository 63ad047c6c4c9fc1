"""The environment of a local stack: what it refuses, and what a deployment to another emulator needs."""

import pytest

from infra.local.config import config_from, foreign_config_from
from infra.settings import InvalidSettingError

SERVERS = {"AWS_ENDPOINT_URL": "http://localhost:4566/", "DATABASE_URL": "postgresql://u:p@localhost/orders"}


@pytest.mark.parametrize("missing", SERVERS)
def test_a_deployment_to_another_emulator_names_the_server_that_it_lacks(missing: str) -> None:
    with pytest.raises(InvalidSettingError, match=missing):
        foreign_config_from({**SERVERS, missing: ""})


def test_a_deployment_to_another_emulator_takes_no_port_of_this_machine() -> None:
    config, database_url = foreign_config_from({**SERVERS, "PORT": "1"})
    assert (config.aws, database_url) == ("http://localhost:4566", SERVERS["DATABASE_URL"])
    assert (config.port, config.aws_port, config.postgres_port) == (0, 0, 0)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SOCKET_IDLE_SECONDS", "0"),
        ("SOCKET_IDLE_SECONDS", "1.5"),
        ("SOCKET_MAX_SECONDS", "-1"),
        ("FUNCTIONS_DATABASE_URL", "mysql://x"),
    ],
)
def test_an_invalid_variable_is_refused_by_its_name(name: str, value: str) -> None:
    with pytest.raises(InvalidSettingError, match=name):
        config_from({name: value})


def test_sockets_live_as_long_as_on_aws_unless_a_variable_says_otherwise() -> None:
    config, _ = foreign_config_from(SERVERS)
    assert config.socket_limits == {"SOCKET_IDLE_SECONDS": "600", "SOCKET_MAX_SECONDS": "7200"}
    config, _ = foreign_config_from({**SERVERS, "SOCKET_IDLE_SECONDS": "5"})
    assert config.socket_limits["SOCKET_IDLE_SECONDS"] == "5"
