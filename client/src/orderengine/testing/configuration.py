"""The settings of an engine under test, checked as those of a deployment are."""

import re
from dataclasses import asdict, fields

from chalicelib.settings import InvalidSettingsError, Settings, read_settings
from orderengine.testing.parts import SETTINGS

_NAMES = {field.name for field in fields(Settings)}
_VARIABLE = re.compile(r"\b[A-Z][A-Z_]+\b")
#: A tester writes this setting as the argument ``seed``.
_SEED = "venue_seed"


def settings_of(seed: str, changes: dict[str, object]) -> Settings:
    """The settings of the kit with ``changes``, by the names of ``Settings``.

    :raises TypeError: for a name that is no setting.
    :raises ValueError: naming each setting whose value is not valid.
    """
    if unknown := sorted(changes.keys() - _NAMES):
        raise TypeError(f"no settings of the engine: {', '.join(unknown)}; there are {', '.join(sorted(_NAMES))}")
    values = {**asdict(SETTINGS), _SEED: seed, **changes}
    try:
        return read_settings({name.upper(): _text(value) for name, value in values.items()})
    except InvalidSettingsError as error:
        raise ValueError("\n".join(map(_in_a_testers_words, error.problems))) from None


def _in_a_testers_words(problem: str) -> str:
    """A problem with the names of settings in place of those of variables. The value after ``=`` stays."""
    names, equals, rest = problem.partition("=")
    return _VARIABLE.sub(lambda found: found[0].lower(), names).replace(_SEED, "seed") + equals + rest


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return "" if value is None else str(value)
