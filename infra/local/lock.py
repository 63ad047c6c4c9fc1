"""The lock that keeps a second launcher out of a state directory, and tells ``stop`` how the launcher ended.

The lock file holds the process id of the launcher in its first line. A launcher that ends adds ``stopped`` or its
error. A launcher that is killed adds nothing.
"""

import contextlib
import fcntl
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from infra.local.errors import LocalStackError, UncleanStopError

_STOPPED = "stopped"
_MAX_OUTCOME_BYTES = 4096


class AlreadyRunningError(LocalStackError):
    """Another launcher has locked the directory."""


class Lock:
    """A locked state directory."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)

    def note_end(self, error: str = "") -> None:
        """Write down for ``stop`` how this launcher ends: with ``error``, or with every part stopped."""
        outcome = (error or _STOPPED).encode()[:_MAX_OUTCOME_BYTES]
        # A full disk costs the note, and its absence reads as an unclean end.
        with contextlib.suppress(OSError):
            os.pwrite(self._descriptor, outcome, os.fstat(self._descriptor).st_size)


@contextlib.contextmanager
def locked(state_dir: Path) -> Iterator[Lock]:
    """Lock ``state_dir`` for this process. The system releases the lock however the process ends.

    :raises AlreadyRunningError: if another launcher has locked it; the directory stays unchanged.
    :raises LocalStackError: if the directory cannot be made or written.
    """
    try:
        state_dir.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(_file(state_dir), os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise LocalStackError(f"STATE_DIR={state_dir} cannot be used: {error.strerror}.") from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = _lines(descriptor)[0]
            # The other launcher may not have written its number yet.
            number = f" (process {pid})" if pid else ""
            raise AlreadyRunningError(f"A stack is already running in {state_dir}{number}.") from None
        yield Lock(descriptor)
    finally:
        os.close(descriptor)


def holder(state_dir: Path) -> int | None:
    """Return the id of the process that has locked ``state_dir``, or ``None``.

    :raises LocalStackError: if the lock file cannot be read.
    """
    try:
        descriptor = os.open(_file(state_dir), os.O_RDWR)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise LocalStackError(f"{_file(state_dir)} cannot be read: {error.strerror}.") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pid = _lines(descriptor)[0]
        return int(pid) if pid.isdigit() else None
    else:
        return None
    finally:
        os.close(descriptor)


def stop_holder(state_dir: Path, seconds: float = 60) -> bool:
    """Stop the launcher that has locked ``state_dir`` and wait for its end; return ``False`` if there is none.

    :raises UncleanStopError: if this launcher did not stop each of its parts cleanly, or the last one was killed.
    :raises LocalStackError: if the launcher does not end within ``seconds``.
    """
    pid = holder(state_dir)
    if pid is None:
        _check_last(state_dir)
        return False
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        # The process ended between the two calls, and the lock file says how.
        pass
    except OSError as error:
        raise LocalStackError(f"Process {pid} cannot be stopped: {error.strerror}.") from None
    deadline = time.monotonic() + seconds
    while holder(state_dir) == pid:
        if time.monotonic() > deadline:
            raise LocalStackError(f"Process {pid} did not stop within {seconds:.0f} s.")
        time.sleep(0.05)
    _check_outcome(state_dir, pid)
    return True


def _check_outcome(state_dir: Path, pid: int) -> None:
    owner, outcome = _noted(state_dir)
    # Another owner means that the next launcher has the directory already.
    if owner == str(pid) and outcome != _STOPPED:
        raise _unclean(owner, outcome)


def _check_last(state_dir: Path) -> None:
    owner, outcome = _noted(state_dir)
    if owner and not outcome:
        raise _unclean(owner, outcome)


def _noted(state_dir: Path) -> tuple[str, str]:
    """Return the last launcher and how it ended, as far as they are known."""
    try:
        owner, _, outcome = _file(state_dir).read_text(errors="replace").partition("\n")
    except OSError:
        return "", ""
    return owner, outcome


def _unclean(owner: str, outcome: str) -> UncleanStopError:
    reason = outcome or f"Process {owner} ended before it had stopped every part."
    return UncleanStopError(f"The stack did not stop cleanly. {reason}")


def _lines(descriptor: int) -> list[str]:
    return os.pread(descriptor, _MAX_OUTCOME_BYTES, 0).decode(errors="replace").splitlines() or [""]


def _file(state_dir: Path) -> Path:
    return state_dir / "lock"
