"""The PostgreSQL server that a kill may have left in a data directory."""

import time
from pathlib import Path

from infra.local.errors import LocalStackError

#: A server that loses its launcher stops by itself, and writes its last changes first.
_PATIENCE_SECONDS = 10.0
#: The last write of a killed server may wait for a slow disk.
_MAX_WRITING_SECONDS = 60.0
_PROCESSES = Path("/proc")


def await_end(data: Path, patience_seconds: float = _PATIENCE_SECONDS, processes: Path = _PROCESSES) -> None:
    """Wait for the end of the last server of a data directory, so that the next one can start.

    PostgreSQL refuses to start while any process has the number of the last server, or is attached to its shared
    memory. A dead process keeps its number until its parent collects it, which some containers never do, and after a
    reboot another program may have it.

    :raises LocalStackError: if the server still runs afterwards.
    """
    file = data / "postmaster.pid"
    deadline = time.monotonic() + _MAX_WRITING_SECONDS
    while _is_attached(_memory(file), processes) and time.monotonic() < deadline:
        time.sleep(0.02)
    deadline = time.monotonic() + patience_seconds
    while (pid := _number(file)) is not None and (command := _command(processes / str(pid))) is not None:
        is_server = str(data).encode() in command
        if time.monotonic() >= deadline:
            if is_server:
                raise LocalStackError(f"PostgreSQL of an earlier start still runs in {data} (process {pid}).")
            file.unlink(missing_ok=True)
            return
        if command and not is_server:
            file.unlink(missing_ok=True)
            return
        time.sleep(0.02)


def _memory(file: Path) -> str | None:
    """The id of the shared memory of the last server, which is on the seventh line of its file."""
    try:
        return file.read_text().splitlines()[6].split()[1]
    except (OSError, IndexError):
        return None


def _is_attached(memory: str | None, processes: Path) -> bool:
    """True if a process is attached to shared memory of this id (the columns ``shmid`` and ``nattch``)."""
    try:
        rows = [line.split() for line in (processes / "sysvipc/shm").read_text().splitlines()]
    except OSError:
        return False
    return any(row[1] == memory and row[6] != "0" for row in rows)


def _number(file: Path) -> int | None:
    try:
        return int(file.read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None


def _command(process: Path) -> bytes | None:
    """The command of a process, empty if the process is dead; ``None`` if it does not exist."""
    try:
        return (process / "cmdline").read_bytes()
    except OSError:
        return None
