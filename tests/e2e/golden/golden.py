"""The file of the golden session."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import simplejson

from tests.e2e.client import Json, parse

FILE = Path(__file__).with_name("session.json")


def load() -> list[Json]:
    """The golden session, with exact numbers."""
    session: list[Json] = parse(FILE.read_text())
    return session


def save(session: Sequence[Json]) -> None:
    """Makes this the golden session."""
    # The name of a step comes first; else keys are sorted, as their order means nothing.
    entries = [{"step": entry["step"], **_sorted(entry)} for entry in session]
    FILE.write_text(simplejson.dumps(entries, use_decimal=True, indent=1) + "\n")


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(one) for one in value] if isinstance(value, list) else value
