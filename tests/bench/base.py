"""Another revision of the project, to measure the present one beside it."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.project import ROOT
from tests.bench.errors import BenchError
from tests.bench.figures import Row

_SEPARATOR = " / "


@contextmanager
def checked_out(revision: str) -> Iterator[Path]:
    """Check a revision out into a temporary worktree.

    :raises BenchError: if there is no such revision.
    """
    with tempfile.TemporaryDirectory(prefix="bench-base-", ignore_cleanup_errors=True) as directory:
        worktree = Path(directory) / "checkout"
        _git("worktree", "add", "--detach", str(worktree), revision)
        try:
            yield worktree
        finally:
            _git("worktree", "remove", "--force", str(worktree))


def _git(*arguments: str) -> None:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchError(f"git {' '.join(arguments)} failed: {done.stderr.strip()}")


def side_by_side(before: list[Row], now: list[Row]) -> str:
    """The rows of both as a table with the ratio of each figure, now to before."""
    found = {what: measured for what, measured in _labelled(before)}
    lines = [f"{'':50} {'before':>24} {'now':>24} {'ratio':>16}   aim"]
    for (what, measured), row in zip(_labelled(now), now, strict=True):
        earlier = found.get(what, "")
        ratio = _ratio(earlier, measured)
        lines.append(f"{row.what:50} {earlier:>24} {measured:>24} {ratio:>16}   {row.aim}".rstrip())
    return "\n".join(lines)


def _labelled(rows: list[Row]) -> list[tuple[tuple[str, ...], str]]:
    """Each row's measure under its own label and those of the rows that it is indented under."""
    path: list[str] = []
    found = []
    for row in rows:
        depth = (len(row.what) - len(row.what.lstrip())) // 2
        path = [*path[:depth], row.what.strip()]
        found.append((tuple(path), row.measured))
    return found


def _ratio(before: str, now: str) -> str:
    try:
        pairs = zip(before.split(_SEPARATOR), now.split(_SEPARATOR), strict=True)
        return _SEPARATOR.join(f"{_number(new) / _number(old):.2f}" for old, new in pairs)
    except (ValueError, ZeroDivisionError):
        return ""


def _number(text: str) -> float:
    return float(text.removesuffix(" ms"))
