"""The emulator's process logs what functions write, and survives a full disk."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from infra.local.emulator_process import append, read_stderr


def test_a_function_goes_on_when_its_log_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE_LOGS", str(tmp_path / "missing"))
    append("engine-local-APIHandler-1", "a line")


def test_what_a_function_writes_is_in_its_log_and_kept_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENGINE_LOGS", str(tmp_path))
    process = SimpleNamespace(stderr=iter(["one\n", "two\n"]))
    read_stderr(SimpleNamespace(func_name="engine-local-APIHandler-1", _proc=process))
    assert (tmp_path / "APIHandler.log").read_text() == "one\ntwo\n"
