"""The lock that keeps a second launcher out of a state directory."""

import contextlib
import fcntl
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from infra.local.errors import LocalStackError


class AlreadyRunningError(LocalStackError):
    """Another launcher has locked the directory."""


@contextlib.contextmanager
def locked(state_dir: Path) -> Iterator[None]:
    """Lock ``state_dir`` for this process. The system releases the lock however the process ends.

    :raises AlreadyRunningError: if another launcher has locked it; the directory stays unchanged.
    """
    state_dir.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(_file(state_dir), os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = os.read(descriptor, 32).decode().strip()
            raise AlreadyRunningError(f"A stack is already running in {state_dir} (process {pid}).") from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def holder(state_dir: Path) -> int | None:
    """Return the id of the process that has locked ``state_dir``, or ``None``."""
    try:
        descriptor = os.open(_file(state_dir), os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return int(os.read(descriptor, 32) or 0) or None
    else:
        return None
    finally:
        os.close(descriptor)


def stop_holder(state_dir: Path, seconds: float = 60) -> bool:
    """Stop the launcher that has locked ``state_dir`` and wait for its end; return ``False`` if there is none.

    :raises LocalStackError: if the launcher does not end within ``seconds``.
    """
    pid = holder(state_dir)
    if pid is None:
        return False
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + seconds
    while holder(state_dir) == pid:
        if time.monotonic() > deadline:
            raise LocalStackError(f"Process {pid} did not stop within {seconds:.0f} s.")
        time.sleep(0.05)
    return True


def _file(state_dir: Path) -> Path:
    return state_dir / "lock"
