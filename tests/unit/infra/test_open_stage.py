"""A stage without authentication is deployed only by an operator who says so in words."""

from types import SimpleNamespace

import pytest

from infra.aws import deploy
from infra.aws.deploy import deploy_to_aws, refuse_open_stage
from infra.errors import InfraError
from infra.local.endpoints import welcome

ENDPOINTS = {"http": "http://localhost:8000", "ws": "ws://localhost:8000"}


@pytest.mark.parametrize("off", ["off", "OFF", "0", "false"])
@pytest.mark.parametrize("words", [None, "", "no", "YES", "1"])
def test_an_open_stage_is_refused_in_one_line(off: str, words: str | None) -> None:
    environment = {} if words is None else {"I_KNOW_THIS_IS_OPEN": words}
    with pytest.raises(InfraError) as refused:
        refuse_open_stage("prod", {"Auth": off, "MaxAttempts": "3"}, environment)
    [line] = str(refused.value).splitlines()
    assert "prod" in line
    assert "I_KNOW_THIS_IS_OPEN=yes" in line


def test_an_operator_may_open_a_stage_in_words() -> None:
    refuse_open_stage("dev", {"Auth": "off"}, {"I_KNOW_THIS_IS_OPEN": "yes"})


@pytest.mark.parametrize("parameters", [{}, {"Auth": ""}, {"Auth": "on"}, {"Auth": "1"}])
def test_a_stage_with_authentication_needs_no_words(parameters: dict[str, str]) -> None:
    refuse_open_stage("prod", parameters, {})


def test_a_stack_that_was_open_before_is_refused_before_anything_is_packaged(monkeypatch: pytest.MonkeyPatch) -> None:
    stack = SimpleNamespace(outputs=lambda name: {}, parameters=lambda name: {"Auth": "off"})
    monkeypatch.setattr(deploy, "Deployer", lambda session: stack)
    monkeypatch.setattr(deploy, "package", lambda *_: pytest.fail("the package must not be made"))
    for name in ("AUTH", "DATABASE_URL", "I_KNOW_THIS_IS_OPEN"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(InfraError, match="AUTH=off opens the stage prod to everybody"):
        deploy_to_aws("prod")


def test_make_run_says_whether_it_needs_credentials() -> None:
    assert "Authentication is off: everybody may do everything" in welcome(ENDPOINTS, None)
    locked = welcome(ENDPOINTS, "oee_local_key")
    assert "Authentication is on" in locked
    assert "export OE_KEY=oee_local_key" in locked
    assert 'curl -X POST -H "authorization: Bearer $OE_KEY" http://localhost:8000/api/orders/execute' in locked


@pytest.mark.parametrize("key", [None, "oee_local_key"])
def test_make_run_says_how_to_place_a_first_order_with_the_client(key: str | None) -> None:
    said = welcome(ENDPOINTS, key)
    assert "export OE_URL=http://localhost:8000\n  .venv/bin/oe sell 1.5 SOL USDC --watch" in said
