"""The local stack for tests: the real launcher as a child process, on free ports.

    @pytest.fixture(scope="session")
    def endpoints(tmp_path_factory):
        state_dir = tmp_path_factory.mktemp("stack")
        with running_stack(state_dir, {"VENUE_TIME_SCALE": "0"}) as stack:
            yield stack.endpoints

``stack.endpoints`` has the content of ``endpoints.json``, such as ``http``, the address of the front door;
``stack.logs()`` returns the output of the launcher and the functions.
"""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.lifetimes import die_with_parent
from infra.project import ROOT

ANY_PORT = {"PORT": "0", "AWS_PORT": "0", "POSTGRES_PORT": "0"}


class StackStartError(Exception):
    """The launcher ended early or was not ready in time; the message is its output."""


@dataclass(frozen=True)
class RunningStack:
    """A stack whose parts all answer."""

    endpoints: dict[str, str]
    state_dir: Path
    #: ``None`` for a stack that ``make run`` started.
    launcher: "subprocess.Popen[bytes] | None" = None
    #: The API key that tests use; ``None`` for a stack without authentication.
    key: str | None = None

    @property
    def is_running(self) -> bool:
        """Whether the launcher that this process started still runs."""
        return self.launcher is not None and self.launcher.poll() is None

    def logs(self) -> str:
        """The output so far: of the launcher first, then of each function and part of the stack."""
        files = [_output(self.state_dir), *sorted((self.state_dir / "logs").glob("*.log"))]
        return "\n".join(f"== {file.name} ==\n{file.read_text(errors='replace')}" for file in files)

    def kill(self, number: signal.Signals = signal.SIGKILL) -> int:
        """Send ``number`` to the launcher and wait for its end; return its exit code."""
        assert self.launcher is not None
        self.launcher.send_signal(number)
        return self.wait(60)

    def wait(self, seconds: float) -> int:
        """Wait for the end of the launcher; return its exit code."""
        assert self.launcher is not None
        return self.launcher.wait(seconds)


def stack_running_in(state_dir: Path) -> RunningStack:
    """Return the stack that ``make run`` started in ``state_dir``.

    :raises StackStartError: if no stack runs there
    """
    try:
        endpoints = json.loads((state_dir / "endpoints.json").read_text())
    except FileNotFoundError:
        raise StackStartError(f"No stack runs in {state_dir}: start one with make run.") from None
    return RunningStack(endpoints, state_dir.resolve())


@contextlib.contextmanager
def running_stack(
    state_dir: Path, env: Mapping[str, str] | None = None, *, timeout_seconds: float = 180, root: Path = ROOT
) -> Iterator[RunningStack]:
    """Run a stack in ``state_dir`` and take it down at the end; the files in ``state_dir`` stay.

    ``env`` replaces the environment of ``make run``: this process's own variables do not reach the stack. Every port
    that ``env`` does not set is a free one. ``root`` is the checkout whose stack it is.

    :raises StackStartError: if the launcher ends early or is not ready in time
    """
    state_dir.mkdir(parents=True, exist_ok=True)
    needed = ("PATH", "HOME", "LANG", "TMPDIR")
    inherited = {name: os.environ[name] for name in needed if name in os.environ}
    environment = {**inherited, **ANY_PORT, **(env or {}), "STATE_DIR": str(state_dir)}
    reading, writing = os.pipe()
    command = [sys.executable, "-m", "infra.local", "run", "--ready-fd", str(writing)]
    with _output(state_dir).open("wb") as output, os.fdopen(reading) as ready:
        launcher = subprocess.Popen(
            command,
            cwd=root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=[writing],
            preexec_fn=die_with_parent(signal.SIGTERM),
        )
        os.close(writing)
        try:
            endpoints = _wait_for_endpoints(ready.fileno(), timeout_seconds)
            if endpoints is None:
                raise StackStartError(_output(state_dir).read_text(errors="replace"))
            yield RunningStack(endpoints, state_dir, launcher)
        finally:
            launcher.terminate()
            launcher.wait(60)


def _wait_for_endpoints(descriptor: int, seconds: float) -> dict[str, str] | None:
    """The endpoints that the launcher writes once it is ready; ``None`` if it closes the pipe or is late."""
    deadline = time.monotonic() + seconds
    text = b""
    while (left := deadline - time.monotonic()) > 0 and select.select([descriptor], [], [], left)[0]:
        part = os.read(descriptor, 65536)
        if not part:
            return dict(json.loads(text)) if text else None
        text += part
    return None


def _output(state_dir: Path) -> Path:
    return state_dir / "launcher.log"
