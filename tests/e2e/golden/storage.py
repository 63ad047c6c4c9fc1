"""The file of the golden session."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import simplejson

from tests.e2e.client import Json, parse

#: Maximum length of a line, in characters.
_WIDTH = 118
FILE = Path(__file__).with_name("session.json")


def load() -> list[Json]:
    """Read the golden session with exact numbers."""
    session: list[Json] = parse(FILE.read_text())
    return session


def save(session: Sequence[Json]) -> None:
    """Replace the golden session by ``session``."""
    # The step name comes first; all other keys are sorted, because their order carries no meaning.
    entries = [{"step": entry["step"], **_sorted(entry)} for entry in session]
    FILE.write_text(f"{_written(entries)}\n")


def _written(value: Any, indent: str = "") -> str:
    """Return JSON with each value on one line if it fits, and otherwise with one line per member."""
    short = simplejson.dumps(value, use_decimal=True)
    if not isinstance(value, dict | list) or len(indent) + len(short) <= _WIDTH:
        return short
    deeper = f"{indent} "
    if isinstance(value, dict):
        lines = [f"{deeper}{simplejson.dumps(name)}: {_written(one, deeper)}" for name, one in value.items()]
    else:
        lines = [deeper + _written(one, deeper) for one in value]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return opening + "\n" + ",\n".join(lines) + f"\n{indent}{closing}"


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(one) for one in value] if isinstance(value, list) else value
