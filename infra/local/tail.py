"""Follows the log files of a directory, including files that appear later or begin anew."""

from collections.abc import Iterator
from pathlib import Path

#: The log files of the parts of a stack whose lines are not those of functions.
PARTS = frozenset({"postgres.log", "front-door.log", "emulator.log"})
_MAX_READ_BYTES = 1024 * 1024


class Tail:
    """The complete lines that the functions' log files have gained since the last call."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._positions: dict[Path, int] = {}

    def new_lines(self) -> Iterator[tuple[Path, str]]:
        """Yield each line with its file. However long the files are, little of them is in memory at once."""
        for file in sorted(self._logs.glob("*.log")):
            if file.name not in PARTS:
                for line in self._of(file):
                    yield file, line

    def _of(self, file: Path) -> Iterator[str]:
        with file.open("rb") as log:
            if file.stat().st_size < self._positions.get(file, 0):
                self._positions[file] = 0
            while True:
                position = self._positions.get(file, 0)
                log.seek(position)
                new = log.read(_MAX_READ_BYTES)
                whole = new[: new.rfind(b"\n") + 1]
                if not whole and len(new) == _MAX_READ_BYTES:
                    # A line without an end would be read for ever.
                    whole = new
                if not whole:
                    return
                self._positions[file] = position + len(whole)
                yield from whole.decode(errors="replace").splitlines()
