"""The process tree of a running stack, read from Linux's ``/proc``, and SIGKILL for its members."""

import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

_PROC = Path("/proc")
#: Reason why this machine cannot run a trial that kills processes; empty on Linux.
UNAVAILABLE = "" if (_PROC / "self" / "stat").exists() else "needs Linux's /proc"
#: Fields of ``/proc/PID/stat`` after the process name.
_STATE, _PARENT, _SESSION, _STARTED = 0, 1, 3, 19
#: The emulator names a worker's code directory after its function.
_WORKER = re.compile(r"ministack-lambda-engine-local-(\w+)-")


@dataclass(frozen=True)
class Process:
    """A process. ``started`` tells it from a later process with the same id; its parent changes when that ends."""

    pid: int
    parent: int = field(compare=False)
    session: int = field(compare=False)
    started: int

    @property
    def command(self) -> str:
        """The command line; empty once the process has ended."""
        with suppress(OSError):
            return (_PROC / str(self.pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        return ""

    @property
    def function(self) -> str | None:
        """The logical name of the function that this worker runs; ``None`` before it has loaded its program."""
        found = _WORKER.search(self.command)
        return found and found[1]

    @property
    def age_seconds(self) -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME) - self.started / os.sysconf("SC_CLK_TCK")

    def kill(self) -> bool:
        """Send SIGKILL; return False if the process has ended."""
        if process(self.pid) != self:
            return False
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
            return True
        return False


def process(pid: int) -> Process | None:
    """Return the live process with this id."""
    try:
        text = (_PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The process name may contain spaces and parentheses.
    fields = text.rpartition(")")[2].split()
    if fields[_STATE] in "ZX":
        return None
    return Process(pid, int(fields[_PARENT]), int(fields[_SESSION]), int(fields[_STARTED]))


def processes() -> Iterator[Process]:
    """Yield every live process of the machine."""
    for pid in process_ids():
        if found := process(pid):
            yield found


def process_ids() -> set[int]:
    return {int(name) for name in os.listdir(_PROC) if name.isdecimal()}


def tree_of(root: int) -> list[Process]:
    """Return a process and all its descendants, each parent before its children."""
    every = list(processes())
    tree = [one for one in every if one.pid == root]
    # The list grows while the loop reads it.
    for member in tree:
        tree += [one for one in every if one.parent == member.pid]
    return tree


def part_of(root: int, program: str) -> Process:
    """Return the child of ``root`` whose command line contains ``program``.

    :raises LookupError: if no child has it.
    """
    for one in processes():
        if one.parent == root and program in one.command:
            return one
    raise LookupError(f"process {root} has no child with {program} in its command line")


def kill_part(root: int, program: str | None) -> int:
    """Kill the child of ``root`` whose command line contains ``program``, or ``root`` alone without a program."""
    found = part_of(root, program) if program else process(root)
    return int(bool(found and found.kill()))


def kill_tree(root: int) -> int:
    """Kill a process and all its descendants, children first, and wait for their end; return how many were killed.

    Children lead sessions of their own: a worker that starts meanwhile is found by the session of its dead parent.
    """
    tree = tree_of(root)
    killed = {one for one in reversed(tree) if one.kill()}
    # The root's own session may hold processes of others.
    sessions = {one.session for one in tree} & {one.pid for one in tree if one.pid != root}
    # The kernel takes a moment to end a process that it has sent SIGKILL.
    while left := [one for one in processes() if one.session in sessions or one in tree]:
        killed |= {one for one in left if one.kill()}
    return len(killed)
