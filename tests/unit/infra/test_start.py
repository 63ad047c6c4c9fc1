"""A mistake in the environment ends ``make run`` with one line, before any part starts."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local import preflight
from infra.local.errors import LocalStackError, StopRequested
from infra.local.interruption import Interruption
from infra.local.preflight import check_room
from infra.project import ROOT

ANY_PORT = {"PORT": "0", "AWS_PORT": "0", "POSTGRES_PORT": "0"}


def refused(**environment: str) -> str:
    """Return the only line of a start that is refused."""
    done = subprocess.run(
        [sys.executable, "-m", "infra.local", "run"],
        cwd=ROOT,
        env={**ANY_PORT, "PATH": "", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    [line] = done.stderr.splitlines()
    return line


@pytest.fixture
def nobody() -> str:
    """A port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def test_a_database_that_does_not_answer_is_named(tmp_path: Path, nobody: str) -> None:
    line = refused(STATE_DIR=str(tmp_path), DATABASE_URL=f"postgresql://u:secret@127.0.0.1:{nobody}/orders")
    assert line.startswith("DATABASE_URL cannot be used: ")
    assert "secret" not in line


def test_an_emulator_that_does_not_answer_is_named(tmp_path: Path, nobody: str) -> None:
    address = f"http://127.0.0.1:{nobody}"
    assert refused(STATE_DIR=str(tmp_path), AWS_ENDPOINT_URL=address).startswith(f"AWS_ENDPOINT_URL={address} ")


@pytest.mark.parametrize("below", ["", "directory"])
def test_a_state_directory_that_cannot_be_made_is_named(tmp_path: Path, below: str) -> None:
    file = tmp_path / "file"
    file.touch()
    assert refused(STATE_DIR=str(file / below)).startswith(f"STATE_DIR={file / below} cannot be used: ")


def test_a_nearly_full_disk_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check_room(tmp_path)
    monkeypatch.setattr(preflight, "MIN_FREE_BYTES", 10**18)
    with pytest.raises(LocalStackError, match=f"STATE_DIR={tmp_path} has .* MB of free disk space"):
        check_room(tmp_path)


@pytest.fixture
def interruption() -> Interruption:
    """A handler that the tests call in place of a signal."""
    return Interruption()


def test_a_signal_before_the_start_ends_it_at_its_first_step(interruption: Interruption) -> None:
    interruption._handle()
    with pytest.raises(StopRequested), interruption.allowed():
        pytest.fail("the block must not run")


def test_a_signal_waits_for_the_end_of_a_deferred_block(interruption: Interruption) -> None:
    steps = []

    def work() -> None:
        with interruption.deferred():
            interruption._handle()
            steps.append("completed")
        steps.append("not reached")

    with pytest.raises(StopRequested), interruption.allowed():
        work()
    assert steps == ["completed"]


def test_further_signals_leave_the_stop_undisturbed(interruption: Interruption) -> None:
    with pytest.raises(StopRequested), interruption.allowed():
        interruption._handle()
    interruption._handle()
