"""The file that remembers how far deliveries have come. It is always whole, and one process at a time has it."""

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from orderengine.cli.exits import Exit, Stop

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]
    import msvcrt


@dataclass(frozen=True, slots=True)
class Place:
    """Where a listener goes on: at a cursor of the feed, or at a time as long as it has none.

    ``listener`` names the engine, the user and the receiver that the place belongs to. ``delivered`` is the webhook
    acknowledged last, which the cursor does not cover yet.
    """

    listener: str
    since: str | None = None
    cursor: str | None = None
    delivered: str | None = None


def default_path(listener: str) -> Path:
    """The file of a listener in the state directory of the user (XDG)."""
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "orderengine" / f"listen-{hashlib.sha256(listener.encode()).hexdigest()[:16]}.json"


class CursorFile:
    """A cursor file, locked while it is open."""

    def __init__(self, path: Path, listener: str) -> None:
        self.path = path
        self._listener = listener
        self._lock: IO[bytes] | None = None

    def __enter__(self) -> Self:
        """:raises Stop: if another listener has it, or the directory cannot be written."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = self._beside(".lock").open("ab")
        except OSError as error:
            raise _unusable(self.path, error) from error
        try:
            _lock(self._lock)
        except OSError as error:
            self._lock.close()
            detail = f"Another listener uses {self.path}. Stop it, or give this one a file of its own with --cursor."
            raise Stop(Exit.USAGE, "CURSOR_LOCKED", detail) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._lock is not None:
            self._lock.close()

    def load(self) -> Place | None:
        """The place that was saved last; ``None`` for a new file.

        :raises Stop: if the file is not a cursor, or that of another listener.
        """
        try:
            saved = json.loads(self.path.read_text())
            place = Place(**saved)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unusable(self.path, error) from error
        except (ValueError, TypeError) as error:
            detail = f"{self.path} is not a cursor of 'oe listen'. Remove it, and say where to begin with --since."
            raise Stop(Exit.USAGE, "CURSOR_UNREADABLE", detail) from error
        if place.listener != self._listener:
            detail = f"{self.path} belongs to {place.listener}. Give this listener a file of its own with --cursor."
            raise Stop(Exit.USAGE, "CURSOR_OF_ANOTHER", detail)
        return place

    def save(self, place: Place) -> None:
        """Replace the place at once: after a crash the file has the old one or the new one.

        :raises OSError: if it cannot be written, for instance on a full disk. The old place is still there.
        """
        new = self._beside(".new")
        with new.open("w") as file:
            json.dump(asdict(place), file)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.path)
        _sync_directory(self.path.parent)

    def _beside(self, suffix: str) -> Path:
        return self.path.with_name(self.path.name + suffix)


def _unusable(path: Path, error: OSError) -> Stop:
    detail = f"The cursor file {path} cannot be used: {error.strerror}. Nothing was delivered in this run."
    return Stop(Exit.LATER, "CURSOR_UNUSABLE", detail)


def _lock(file: IO[bytes]) -> None:
    if fcntl is not None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    else:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)


def _sync_directory(path: Path) -> None:
    """Make a rename last. Windows cannot open a directory, and needs no more than the rename."""
    if os.name == "nt":
        return
    directory = os.open(path, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
