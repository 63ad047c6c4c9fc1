"""Numbers and text as they are shown: every digit, and nothing that a terminal would obey."""

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any


def json_text(value: Any, indent: int | None = None) -> str:
    """JSON in ASCII whose numbers have the digits that the engine sent."""
    return _write(value, "" if indent is None else "\n", " " * (indent or 0))


def _write(value: Any, line: str, step: str) -> str:
    inner = line + step
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Mapping):
        colon = ": " if line else ":"
        parts = [
            json.dumps(str(name)) + colon + _write(one, inner if line else "", step) for name, one in value.items()
        ]
        return _bracket("{}", parts, line, inner)
    if isinstance(value, list | tuple):
        return _bracket("[]", [_write(one, inner if line else "", step) for one in value], line, inner)
    return json.dumps(value)


def _bracket(pair: str, parts: list[str], line: str, inner: str) -> str:
    if not parts:
        return pair
    return pair[0] + (inner if line else "") + ("," + (inner if line else "")).join(parts) + line + pair[1]


def plain(value: Any) -> str:
    """A value as text for a terminal. Control characters in it, which could move the cursor, are replaced."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in str(value))
