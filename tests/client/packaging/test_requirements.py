"""The client's requirements are ranges around the versions that the tests run with."""

import tomllib
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

from infra.project import ROOT

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "client/pyproject.toml").read_text())["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
ALL = [*PROJECT["dependencies"], *(line for extra in EXTRAS.values() for line in extra)]

#: The engine loads these for Postgres, tokens of an issuer and its logs, which the kit has no use for.
NOT_IN_THE_KIT = {"certifi", "psycopg", "pyjwt", "python-json-logger"}


def _pins(file: str) -> dict[NormalizedName, Requirement]:
    lines = (ROOT / file).read_text().splitlines()
    found = [Requirement(line) for line in lines if line and line[0] not in "#-"]
    return {canonicalize_name(one.name): one for one in found}


@pytest.mark.parametrize("line", [line for line in ALL if not line.startswith("orderengine[")])
def test_a_range_has_two_ends_and_the_tested_version(line: str) -> None:
    wanted = Requirement(line)
    (pin,) = (_pins("requirements.in") | _pins("requirements-dev.in"))[canonicalize_name(wanted.name)].specifier
    assert pin.version in wanted.specifier
    assert {one.operator for one in wanted.specifier} == {">=", "<"}


def test_the_kit_requires_what_the_engine_loads_on_fakes() -> None:
    kit = {canonicalize_name(Requirement(line).name): Requirement(line).extras for line in EXTRAS["test"]}
    engine = {name: one.extras for name, one in _pins("requirements.in").items()}
    assert {name for name in engine if name not in kit} == NOT_IN_THE_KIT
    assert {name: kit[name] for name in engine if name in kit} == {
        name: extras for name, extras in engine.items() if name in kit
    }


def test_the_client_itself_has_two_requirements() -> None:
    assert len(PROJECT["dependencies"]) == 2
