"""The emulator's process logs what functions write and how they fail, in JSON, and survives a full disk."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from infra.local.function_logs import FunctionLogs, append, log_failure, read_stderr

NAME = "engine-local-APIHandler-1"


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ENGINE_LOGS", str(tmp_path))
    return tmp_path / "APIHandler.log"


def records(log: Path) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in log.read_text().splitlines()]
    assert all(isinstance(record, dict) for record in found)
    return found


def test_a_function_goes_on_when_its_log_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE_LOGS", str(tmp_path / "missing"))
    append(NAME, "a line")


def test_what_a_function_writes_is_in_its_log_and_kept_nowhere_else(log: Path) -> None:
    lines = ['{"level": "INFO", "message": "one"}\n', '{"level": "INFO", "message": "two"}\n']
    read_stderr(SimpleNamespace(func_name=NAME, _proc=SimpleNamespace(stderr=iter(lines))))
    assert log.read_text() == "".join(lines)


def test_a_line_that_is_no_json_object_becomes_one(log: Path) -> None:
    lines = ["Fatal Python error: Aborted\n", "\n", "[1, 2]\n", '{"cut\n']
    read_stderr(SimpleNamespace(func_name=NAME, _proc=SimpleNamespace(stderr=iter(lines))))
    assert [record["message"] for record in records(log)] == ["Fatal Python error: Aborted", "[1, 2]", '{"cut']


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Task timed out after 16.00 seconds", "Task timed out after 16.00 seconds"),
        ("Worker process died", "Worker process died"),
        ("Traceback (most recent call last):\n  File x\nValueError: no\n", "ValueError: no"),
    ],
)
def test_a_failed_invocation_is_one_line_with_its_request(log: Path, text: str, message: str) -> None:
    log_failure({"config": {"FunctionName": NAME}}, "the-request", text, True, 5, log_source=None)
    [record] = records(log)
    assert (record["level"], record["message"], record["requestId"]) == ("ERROR", message, "the-request")
    assert record["exc_info"] == text


def test_an_invocation_that_succeeds_adds_no_line(log: Path) -> None:
    log_failure({"config": {"FunctionName": NAME}}, "the-request", "", False, 5)
    assert not log.exists()


def test_a_worker_that_cannot_start_says_why(log: Path) -> None:
    def spawn(_: Any) -> None:
        raise RuntimeError("Worker init failed: No module named 'x'")

    worker = SimpleNamespace(_spawn=spawn)
    FunctionLogs(SimpleNamespace(), worker).install()
    with pytest.raises(RuntimeError):
        worker._spawn(SimpleNamespace(func_name=NAME))
    assert [record["message"] for record in records(log)] == ["Worker init failed: No module named 'x'"]
