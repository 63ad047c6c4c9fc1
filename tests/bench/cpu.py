"""CPU time of the emulator's Lambda workers, one process each, read from Linux's ``/proc``."""

import contextlib
import os
from pathlib import Path

_PROC = Path("/proc")
_PARENT = 1
_USER_AND_SYSTEM = (11, 12)


def worker_seconds(state_dir: Path, function: str) -> dict[int, float] | None:
    """User and system CPU seconds of each worker by process id, for functions whose name begins with ``function``.

    ``None`` on a system without ``/proc``.
    """
    if not (_PROC / "self" / "stat").exists():
        return None
    return {process: _seconds(fields) for process, fields in _workers(state_dir, function).items()}


def emulator_seconds(state_dir: Path) -> dict[int, float]:
    """CPU seconds of the emulator, the parent process of every worker; empty until the first worker starts."""
    parents = {int(fields[_PARENT]) for fields in _workers(state_dir, "").values()}
    return {process: _seconds(_fields(_PROC / str(process))) for process in parents}


def spent(before: dict[int, float], after: dict[int, float]) -> float:
    """CPU seconds between two measurements; a worker started in between counts with its whole startup."""
    return sum(seconds - before.get(process, 0) for process, seconds in after.items())


def _workers(state_dir: Path, function: str) -> dict[int, list[str]]:
    """Find workers by their code directory, which the emulator names after the function in the stack's ``TMPDIR``."""
    start = bytes(state_dir.resolve() / "tmp" / f"ministack-lambda-{function}")
    found = {}
    for process in _PROC.iterdir():
        # A process may end while it is read.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError, PermissionError):
            if process.name.isdecimal() and start in (process / "cmdline").read_bytes():
                found[int(process.name)] = _fields(process)
    return found


def _fields(process: Path) -> list[str]:
    """The fields of ``/proc/PID/stat`` after the process name, which may contain spaces and parentheses."""
    return (process / "stat").read_text().rpartition(")")[2].split()


def _seconds(fields: list[str]) -> float:
    return sum(int(fields[number]) for number in _USER_AND_SYSTEM) / os.sysconf("SC_CLK_TCK")
