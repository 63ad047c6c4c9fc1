"""Checks of the numbers that a tester gives, so that a wrong one fails where it is given."""

from typing import Any


def whole(name: str, value: Any, least: int) -> int:
    """:raises ValueError: for anything but a whole number from ``least`` on."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{name} is a whole number from {least} on, and not {value!r}")
    return value


def share(name: str, value: Any) -> float:
    """:raises ValueError: for anything but a number from 0 to 1."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError(f"{name} is a number from 0 to 1, and not {value!r}")
    return value
