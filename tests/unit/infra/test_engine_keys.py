"""The scan of the repository finds the engine's own credentials."""

import importlib
import sys
from types import SimpleNamespace

import pytest

CHARACTERS = "0123456789abcdefghijABCDEFGHIJ0123456789abc" + "ABCDEF"


def found(monkeypatch: pytest.MonkeyPatch, text: str) -> bool:
    """Whether the detector finds a credential. Only the environment of the audit has detect-secrets."""
    base = SimpleNamespace(RegexBasedDetector=object)
    monkeypatch.setitem(sys.modules, "detect_secrets.plugins.base", base)
    monkeypatch.delitem(sys.modules, "infra.audit.engine_keys", raising=False)
    [pattern] = importlib.import_module("infra.audit.engine_keys").EngineKeyDetector.denylist
    return bool(pattern.search(text))


@pytest.mark.parametrize("stage", ["local", "dev", "prod"])
def test_an_api_key_of_any_stage_is_found(monkeypatch: pytest.MonkeyPatch, stage: str) -> None:
    assert found(monkeypatch, f"KEY='oee_{stage}_0123456789AB_{CHARACTERS}'")


def test_a_ticket_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(monkeypatch, f"ws://localhost:8000/ws?token=oet_{CHARACTERS}")


@pytest.mark.parametrize("text", ["oee_<stage>_<id>_<secret>", "oee_prod_", "x" + "oee", "KEY=oee_..."])
def test_the_form_of_a_key_alone_is_no_finding(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    assert not found(monkeypatch, text)
