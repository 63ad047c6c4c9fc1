"""Commands that a user can run next."""

import shlex
from collections.abc import Mapping


def command_text(words: list[str], options: Mapping[str, object]) -> str:
    """A command that a shell reads back as it is, with the options that have a value."""
    parts = ["oe", *words]
    for name, value in options.items():
        if value is True:
            parts.append(name)
        elif value not in (None, False):
            parts += [name, str(value)]
    return shlex.join(parts)
