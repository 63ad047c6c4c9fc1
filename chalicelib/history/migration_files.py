"""The files of the schema's migrations, and how each is applied.

A file is one transaction, unless its first line is the marker ``OUTSIDE``. The statements of a marked file run one by
one, each outside a transaction, and a run that is interrupted repeats them all from the first: each must be safe to
repeat. Such a file contains no semicolon but those that end its statements, or stand in a body between ``$$``.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

OUTSIDE = "-- migrate: outside a transaction"

_COMMENT = re.compile("--.*")
_STATEMENT = re.compile(r"(?:\$\$.*?\$\$|[^;])+", re.DOTALL)
_BUILT_INDEX = re.compile(
    r"\s*create\s+(?:unique\s+)?index\s+concurrently\s+if\s+not\s+exists\s+(\w+)", re.IGNORECASE
)
_LETS_WRITERS_PASS = re.compile(
    r"\s*(?:vacuum|(?:create|drop)\s.*\bconcurrently|alter\s+table\s+\w+\s+validate\s+constraint)\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Statement:
    text: str

    @property
    def built_index(self) -> str | None:
        """The index that the statement builds concurrently."""
        match = _BUILT_INDEX.match(self.text)
        return match and match[1]

    @property
    def makes_writers_wait(self) -> bool:
        """True if no row can be written while the statement waits for its lock."""
        return _LETS_WRITERS_PASS.match(self.text) is None


@dataclass(frozen=True, slots=True)
class MigrationFile:
    name: str
    content: str

    @property
    def checksum(self) -> str:
        return sha256(self.content.encode()).hexdigest()

    @property
    def is_transaction(self) -> bool:
        return not self.content.startswith(OUTSIDE)

    @property
    def statements(self) -> list[Statement]:
        """The parts that are run one by one: of a transaction, the whole file."""
        if self.is_transaction:
            return [Statement(self.content)]
        parts = _STATEMENT.findall(_COMMENT.sub("", self.content))
        return [Statement(part.strip()) for part in parts if part.strip()]


def migration_files(directory: Path) -> Iterator[MigrationFile]:
    """The files of a directory in the order of their names."""
    for path in sorted(directory.glob("*.sql")):
        yield MigrationFile(path.name, path.read_bytes().decode())
