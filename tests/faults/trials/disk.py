"""A disk that fills up under a running stack, and is cleared again."""

import errno
import os
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.effort import Effort
from tests.faults.order_flow import Posted, accepted
from tests.faults.result import Result
from tests.faults.stack_under_test import DEFAULT_TIMES, StackUnderTest, a_state_directory, is_terminal
from tests.support.stack import running_stack

#: Room for the state of a stack and some orders, beyond what the launcher asks for.
_DISK_MEGABYTES = 400
_MEBIBYTE = 1024 * 1024


def crowded_disk(effort: Effort) -> Result:
    """Fill the disk, post orders, clear it: an order is refused with 503, or accepted and over in the end.

    The stack then stops, starts again, and still has every accepted order.
    """
    result = Result("a disk that fills up")
    with a_state_directory() as directory, _small_disk(directory, result):
        if result.skipped:
            return result
        with running_stack(directory, DEFAULT_TIMES) as stack:
            posted = _fill_and_clear(StackUnderTest(stack), effort.pick(12, 60), result)
        with running_stack(directory, DEFAULT_TIMES) as stack:
            site = StackUnderTest(stack)
            site.wait_until_finalized(accepted(posted))
            site.judge(accepted(posted), result)
            site.examine(result, len(posted))
    return result


def _fill_and_clear(site: StackUnderTest, number: int, result: Result) -> list[Posted]:
    """Post orders before, while and after the disk is full, and expect each to be over on the cleared disk."""
    posted = _posted(site, "before", 3)
    with _filled(site.stack.state_dir):
        result.faults += 1
        crowded = _posted(site, "crowded", number)
    cleared = time.monotonic()
    result.notes.append(f"answers while the disk is full: {dict(Counter(one.answer[:3] for one in crowded))}")
    result.violations += [
        f"key {one.key} is neither accepted nor refused with 503: {one.answer}"
        for one in crowded
        if one.answer[:3] not in ("202", "503")
    ]
    posted += crowded
    if not site.stack.is_running:
        result.violations.append("the full disk ended the stack")
        return posted
    posted += _posted(site, "after", 3)
    ids = accepted(posted)
    site.wait_for(ids, is_terminal)
    result.recovered(time.monotonic() - cleared)
    items = site.items(ids)
    stuck = [one for one in ids if one not in items or not is_terminal(items[one])]
    result.violations += [f"I3 {one}: not over on the cleared disk" for one in stuck]
    return posted


def _posted(site: StackUnderTest, name: str, number: int) -> list[Posted]:
    """Post this many orders once each."""
    posted = [Posted(f"{name}-{one}", {"userId": name}) for one in range(number)]
    list(site.threads.map(lambda one: one.post(site.client), posted))
    return posted


@contextmanager
def _small_disk(directory: Path, result: Result) -> Iterator[None]:
    """Mount a small file system at ``directory``; skip the trial where this process may not."""
    options = f"size={_DISK_MEGABYTES}m,mode=755"
    command = ["mount", "-t", "tmpfs", "-o", options, "faults", str(directory)]
    try:
        mounted = subprocess.run(command, capture_output=True, text=True, check=False)
        result.skipped = (mounted.stderr.strip() or "mount failed") if mounted.returncode else ""
    except FileNotFoundError as error:
        result.skipped = str(error)
    try:
        yield
    finally:
        if not result.skipped:
            subprocess.run(["umount", "--lazy", str(directory)], check=True)


@contextmanager
def _filled(directory: Path) -> Iterator[None]:
    """Leave no free byte on the disk."""
    filler = directory / "filler"
    try:
        with filler.open("wb", buffering=0) as file:
            for size in (_MEBIBYTE, 4096, 1):
                _write_until_full(file.fileno(), bytes(size))
        yield
    finally:
        filler.unlink()


def _write_until_full(descriptor: int, block: bytes) -> None:
    for _ in range(_DISK_MEGABYTES * _MEBIBYTE // len(block)):
        try:
            os.write(descriptor, block)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            return
