"""Child processes that never outlive the launcher."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from infra.local.errors import LocalStackError

PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class Child:
    """A long-running part of the stack, in a session of its own, with its output in a log file.

    Start children from the main thread: Linux sends ``stop_signal`` when the *thread* that started a child dies.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        log: Path,
        *,
        environment: Mapping[str, str],
        stop_signal: signal.Signals = signal.SIGTERM,
        grace_seconds: float = 20,
        user: int | None = None,
        group: int | None = None,
    ) -> None:
        self.name = name
        self.log = log
        self._stop_signal = stop_signal
        self._grace = grace_seconds
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=user,
                group=group,
                extra_groups=None if user is None else [],
                preexec_fn=die_with_parent(stop_signal),
            )

    @property
    def exit_code(self) -> int | None:
        """The exit code, or ``None`` while the child runs."""
        return self._process.poll()

    @property
    def process_id(self) -> int:
        return self._process.pid

    def wait_until(self, ready: Callable[[], bool], seconds: float = 30) -> None:
        """Wait for ``ready``.

        :raises LocalStackError: if the child dies first, or is not ready after ``seconds``.
        """
        deadline = time.monotonic() + seconds
        while not ready():
            if self.exit_code is not None:
                raise LocalStackError(self.obituary())
            if time.monotonic() > deadline:
                late = f"{self.name} did not answer within {seconds:.0f} s."
                raise LocalStackError(f"{late}\n{self.last_words()}")
            time.sleep(0.02)

    def obituary(self) -> str:
        """Return a message that the child ended, with the end of its log."""
        return f"{self.name} ended with code {self.exit_code}.\n{self.last_words()}"

    def last_words(self, lines: int = 12) -> str:
        """Return the end of the child's log."""
        text = self.log.read_text(errors="replace").splitlines()[-lines:]
        return "\n".join(f"  {line}" for line in text)

    def stop(self) -> None:
        """Ask the child to stop, wait, and then kill it and every process that it has started."""
        if self.exit_code is None:
            self._process.send_signal(self._stop_signal)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(self._grace)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def die_with_parent(stop_signal: signal.Signals) -> Callable[[], None] | None:
    """Return a function that, run in a child before its program, has Linux stop the child when its parent dies."""
    if _LIBC is None:
        return None
    libc, parent = _LIBC, os.getpid()

    def prepare() -> None:
        libc.prctl(PR_SET_PDEATHSIG, int(stop_signal))
        if os.getppid() != parent:
            os._exit(1)

    return prepare
