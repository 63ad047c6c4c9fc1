"""CPU time of the emulator's Lambda workers, one process each, out of Linux's ``/proc``."""

import contextlib
import os
from pathlib import Path

_PROC = Path("/proc")
_PARENT = 1
_USER_AND_SYSTEM = (11, 12)


def worker_seconds(state_dir: Path, function: str) -> dict[int, float] | None:
    """User and system seconds so far of each worker, by process, of the function whose name begins so.

    ``None`` where there is no ``/proc``.
    """
    if not (_PROC / "self" / "stat").exists():
        return None
    return {process: _seconds(fields) for process, fields in _workers(state_dir, function).items()}


def emulator_seconds(state_dir: Path) -> dict[int, float]:
    """The same of the emulator, the parent of every worker; nothing while there is no worker yet."""
    parents = {int(fields[_PARENT]) for fields in _workers(state_dir, "").values()}
    return {process: _seconds(_fields(_PROC / str(process))) for process in parents}


def spent(before: dict[int, float], after: dict[int, float]) -> float:
    """Seconds between two looks; a worker that has come since counts with its whole start."""
    return sum(seconds - before.get(process, 0) for process, seconds in after.items())


def _workers(state_dir: Path, function: str) -> dict[int, list[str]]:
    """A worker runs from a directory named after its function in the temporary directory of its stack."""
    start = bytes(state_dir.resolve() / "tmp" / f"ministack-lambda-{function}")
    found = {}
    for process in _PROC.iterdir():
        # Processes end while they are looked at.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError, PermissionError):
            if process.name.isdecimal() and start in (process / "cmdline").read_bytes():
                found[int(process.name)] = _fields(process)
    return found


def _fields(process: Path) -> list[str]:
    """What the kernel tells of a process behind its name, which may hold anything."""
    return (process / "stat").read_text().rpartition(")")[2].split()


def _seconds(fields: list[str]) -> float:
    return sum(int(fields[number]) for number in _USER_AND_SYSTEM) / os.sysconf("SC_CLK_TCK")
