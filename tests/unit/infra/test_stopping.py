"""A stop that did not succeed says so: ``stop`` learns from the lock file how the launcher ended."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from infra.local.errors import LocalStackError, UncleanStopError
from infra.local.lock import holder, locked, stop_holder
from infra.local.process import Child

LAUNCHER = """
import signal, sys, time
from pathlib import Path
from infra.local.lock import locked
with locked(Path(sys.argv[1])) as lock:
    signal.signal(signal.SIGTERM, lambda *_: (eval(sys.argv[2]), sys.exit(0)))
    print("locked", flush=True)
    time.sleep(60)
"""


@contextmanager
def launcher(state_dir: Path, at_the_end: str) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-c", LAUNCHER, str(state_dir), at_the_end]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "locked\n"
        try:
            yield process
        finally:
            process.kill()


def test_a_clean_stop_is_told_from_no_stack(tmp_path: Path) -> None:
    with launcher(tmp_path, "lock.note_end()"):
        assert stop_holder(tmp_path)
    assert not stop_holder(tmp_path)
    assert not stop_holder(tmp_path / "missing")


def test_a_part_that_did_not_stop_is_named(tmp_path: Path) -> None:
    with (
        launcher(tmp_path, "lock.note_end('The AWS emulator did not stop within 3 s and was killed.')"),
        pytest.raises(UncleanStopError, match="The AWS emulator did not stop within 3 s"),
    ):
        stop_holder(tmp_path)


def test_a_launcher_that_ends_without_a_word_did_not_stop_its_parts(tmp_path: Path) -> None:
    with launcher(tmp_path, "None") as process, pytest.raises(UncleanStopError, match=f"Process {process.pid} ended"):
        stop_holder(tmp_path)


def test_a_launcher_that_does_not_end_in_time_is_named(tmp_path: Path) -> None:
    with launcher(tmp_path, "time.sleep(60)"), pytest.raises(LocalStackError, match="did not stop within 0 s"):
        stop_holder(tmp_path, seconds=0.2)


def test_a_stop_after_the_launcher_was_killed_says_so_until_the_next_start(tmp_path: Path) -> None:
    with launcher(tmp_path, "None") as process:
        process.kill()
        process.wait()
        with pytest.raises(UncleanStopError, match=f"Process {process.pid} ended before"):
            stop_holder(tmp_path)
    assert holder(tmp_path) is None
    with locked(tmp_path) as lock:
        lock.note_end()
    assert not stop_holder(tmp_path)


def test_a_refused_start_is_not_an_unclean_stop(tmp_path: Path) -> None:
    with locked(tmp_path) as lock:
        lock.note_end("Port 8000 for the front door cannot be used.")
    assert not stop_holder(tmp_path)


def child(tmp_path: Path, program: str, *, crash_safe: bool = False) -> Child:
    """Start a Python program and wait until it is ready."""
    ready = tmp_path / "ready"
    command: list[str | Path] = [sys.executable, "-c", f"import signal, sys, time\n{program}\n"]
    command[2] = f"{command[2]}open({str(ready)!r}, 'w').close()\ntime.sleep(60)"
    started = Child("A part", command, tmp_path / "log", environment={}, grace_seconds=0.5, crash_safe=crash_safe)
    started.wait_until(ready.exists)
    return started


IGNORING = "signal.signal(signal.SIGTERM, signal.SIG_IGN)"


@pytest.mark.parametrize(
    ("program", "problem"),
    [
        ("signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))", ""),
        ("signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))", "A part stopped with code 3."),
        ("", f"A part stopped with code {-signal.SIGTERM}."),
        (IGNORING, "A part did not stop within 0.5 s and was killed."),
    ],
)
def test_a_part_that_does_not_stop_cleanly_says_how(tmp_path: Path, program: str, problem: str) -> None:
    assert child(tmp_path, program).stop().split("\n")[0] == problem


def test_a_crash_safe_part_may_be_killed(tmp_path: Path) -> None:
    began = time.monotonic()
    assert child(tmp_path, IGNORING, crash_safe=True).stop() == ""
    assert time.monotonic() - began < 30


def test_a_part_without_its_program_is_named(tmp_path: Path) -> None:
    with pytest.raises(LocalStackError, match="nowhere is missing"):
        Child("A part", [tmp_path / "nowhere"], tmp_path / "log", environment={})
