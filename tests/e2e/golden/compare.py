"""Differences between a session and the golden one, in fields for programs or only in sentences for people."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import simplejson

from tests.e2e.client import Json
from tests.e2e.golden.normalize import TEXTS

_NOTHING = object()
#: Number of steps that a report shows in full.
_SHOWN = 10


@dataclass(frozen=True)
class Difference:
    """A value of a step that differs from the golden one. ``text`` is set if both values are sentences."""

    step: str
    path: str
    golden: Any
    found: Any
    text: bool = False

    def __str__(self) -> str:
        return f"  {self.path}\n    golden: {_shown(self.golden)}\n    found:  {_shown(self.found)}"


def differences(golden: Sequence[Json], found: Sequence[Json]) -> list[Difference]:
    """Return every difference, step by step."""
    old, new = ({entry["step"]: entry for entry in session} for session in (golden, found))
    result: list[Difference] = []
    for step in dict.fromkeys([*old, *new]):
        result += _between(step, "", old.get(step, _NOTHING), new.get(step, _NOTHING))
    if not result and list(old) != list(new):
        result.append(Difference("(all)", "order of the steps", list(old), list(new)))
    return result


def report(found: Sequence[Difference]) -> str:
    """Return the number of differences, and those of the first steps that have any."""
    steps: dict[str, list[Difference]] = {}
    for difference in found:
        steps.setdefault(difference.step, []).append(difference)
    parts = [f"{len(found)} differences in {len(steps)} steps"]
    parts += ["\n".join([step, *map(str, some)]) for step, some in list(steps.items())[:_SHOWN]]
    if len(steps) > _SHOWN:
        parts.append("and in: " + "; ".join(list(steps)[_SHOWN:]))
    return "\n\n".join(parts)


def _between(step: str, path: str, golden: Any, found: Any) -> Iterator[Difference]:
    if isinstance(golden, dict) and isinstance(found, dict):
        for name in dict.fromkeys([*golden, *found]):
            yield from _between(step, f"{path}.{name}", golden.get(name, _NOTHING), found.get(name, _NOTHING))
    elif isinstance(golden, list) and isinstance(found, list):
        for number in range(max(len(golden), len(found))):
            one, other = (some[number] if number < len(some) else _NOTHING for some in (golden, found))
            yield from _between(step, f"{path}[{number}]", one, other)
    elif not _same(golden, found):
        text = path.rpartition(".")[2] in TEXTS and isinstance(golden, str) and isinstance(found, str)
        yield Difference(step, path, golden, found, text)


def _same(golden: Any, found: Any) -> bool:
    """Compare the serialized forms: ``1`` equals neither ``1.0`` nor ``true``."""
    if _NOTHING in (golden, found):
        return golden is found
    return simplejson.dumps(golden, use_decimal=True) == simplejson.dumps(found, use_decimal=True)


def _shown(value: Any) -> str:
    return "(nothing)" if value is _NOTHING else simplejson.dumps(value, use_decimal=True, ensure_ascii=False)[:2000]
