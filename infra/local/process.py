"""Child processes that never outlive the launcher."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from infra.lifetimes import die_with_parent
from infra.local.errors import LocalStackError


class Child:
    """A long-running part of the stack, in a session of its own, with its output in a log file.

    Start children from the main thread: Linux sends ``stop_signal`` when the *thread* that started a child dies.
    ``crash_safe``: the child loses nothing when it is killed, so a kill after its grace is a clean stop too.
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
        crash_safe: bool = False,
        user: int | None = None,
        group: int | None = None,
    ) -> None:
        self.name = name
        self.log = log
        self._stop_signal = stop_signal
        self._grace = grace_seconds
        self._crash_safe = crash_safe
        self._was_ready = False
        if not Path(command[0]).exists():
            raise LocalStackError(f"{command[0]} is missing: run make venv.")
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
        self._was_ready = True

    def obituary(self) -> str:
        """Return a message that the child ended, with the end of its log."""
        return f"{self.name} ended with code {self.exit_code}.\n{self.last_words()}"

    def last_words(self, lines: int = 12) -> str:
        """Return the end of the child's log."""
        text = self.log.read_text(errors="replace").splitlines()[-lines:]
        return "\n".join(f"  {line}" for line in text)

    def stop(self) -> str:
        """Ask the child to stop, wait, and then kill it and every process that it has started.

        Return an empty text after a clean stop, else what went wrong. A child that was never ready loses nothing.
        """
        has_data = self._was_ready and self.exit_code is None and not self._crash_safe
        if self.exit_code is None:
            self._process.send_signal(self._stop_signal)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(self._grace)
        was_killed = self.exit_code is None
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        if not has_data or self.exit_code == 0:
            return ""
        if was_killed:
            return f"{self.name} did not stop within {self._grace:g} s and was killed."
        return f"{self.name} stopped with code {self.exit_code}.\n{self.last_words()}"
