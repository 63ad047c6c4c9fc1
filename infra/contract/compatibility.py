"""Refuses a change of the contract that breaks clients and that the changelog does not name.

``python -m infra.contract.compatibility --base v0.2.0`` compares the documents with those of a revision of git; the
default is the commit of the last release. A line of CHANGELOG.md under [Unreleased] that begins with ``Breaking:``
names a break by its place, as in ``Breaking: GET /api/orders 200.orders[].side``; every place beneath is included.
"""

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from chalicelib.http.contract import DIRECTORY
from infra.command import run
from infra.contract.parts import Part, parts_of
from infra.errors import InfraError
from infra.project import ROOT

Document = dict[str, Any]
NAMES = ("openapi.json", "asyncapi.json")


class NoBaseError(InfraError):
    """There is nothing to compare with."""


def breaks(before: Document, after: Document) -> list[str]:
    """What a client of the one document misses in the other, each with its place first."""
    old, new = ({part.place: part for part in parts_of(document)} for document in (before, after))
    return [*_removed(old, new), *_demanded(old, new), *_changed(old, new)]


def _removed(old: dict[str, Part], new: dict[str, Part]) -> Iterator[str]:
    gone: list[str] = []
    for place in old:
        if place not in new and not _is_beneath(place, gone):
            gone.append(place)
            yield f"{place}: removed"


def _demanded(old: dict[str, Part], new: dict[str, Part]) -> Iterator[str]:
    for place, part in new.items():
        is_new = place not in old and part.parent in old
        if part.is_input and part.required and (is_new or (place in old and not old[place].required)):
            yield f"{place}: required from now on"


def _changed(old: dict[str, Part], new: dict[str, Part]) -> Iterator[str]:
    for place in (place for place in old if place in new):
        before, after = old[place], new[place]
        if lost := sorted(before.values - after.values) if after.values else []:
            yield f"{place}: the values {', '.join(lost)} are removed"
        elif before.is_input and after.values and not before.values:
            yield f"{place}: takes {', '.join(sorted(after.values))} alone"
        narrowed = before.types - after.types if before.is_input else after.types - before.types
        if narrowed and before.types and after.types:
            yield f"{place}: {_types(before)} becomes {_types(after)}"
        if before.required and not after.required and not before.is_input:
            yield f"{place}: may be absent from now on"


def _types(part: Part) -> str:
    return " or ".join(sorted(part.types))


def unnamed(found: list[str], changelog: str) -> list[str]:
    """The breaks that no line of the changelog's [Unreleased] names."""
    unreleased = re.split(r"^## ", changelog.partition("## [Unreleased]")[2], maxsplit=1, flags=re.MULTILINE)[0]
    places = [
        line.partition("Breaking:")[2].strip().strip("`")
        for line in unreleased.splitlines()
        if line.lstrip("- ").startswith("Breaking:")
    ]
    return [one for one in found if not _is_beneath(one.partition(": ")[0], places)]


def _is_beneath(place: str, places: list[str]) -> bool:
    return any(place == one or re.match(re.escape(one) + r"[ .\[]", place) for one in places)


def unnamed_breaks_since(revision: str) -> list[str]:
    """The breaks since a revision that the changelog does not name. A revision without a document breaks nothing.

    :raises NoBaseError: if git does not know the revision.
    """
    found: list[str] = []
    for name in NAMES:
        if before := committed(name, revision):
            found += breaks(before, json.loads((DIRECTORY / name).read_text()))
    return unnamed(found, (ROOT / "CHANGELOG.md").read_text())


def committed(name: str, revision: str) -> Document | None:
    """The document as a revision has it; ``None`` if the revision has none.

    :raises NoBaseError: if git does not know the revision.
    """
    if _git("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}") is None:
        raise NoBaseError(f"git knows no revision {revision}.")
    text = _git("show", f"{revision}:{(DIRECTORY / name).relative_to(ROOT)}")
    return None if text is None else json.loads(text)


def last_release() -> str | None:
    """The commit that set the version of the package; ``None`` where there is no history."""
    found = _git("log", "--max-count=1", "--format=%H", "-G^VERSION = ", "--", "chalicelib/__init__.py")
    return found.strip() or None if found else None


def _git(*arguments: str) -> str | None:
    """The output of git; ``None`` if it fails, or is not installed."""
    try:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout if done.returncode == 0 else None


def main() -> int:
    """Print the breaks that the changelog does not name, and return 1 if there are any."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", default=last_release(), help="a revision of git")
    base = parser.parse_args().base
    if base is None:
        raise NoBaseError("Git has no history of the version here: name a revision by --base.")
    refused = unnamed_breaks_since(base)
    for one in refused:
        print(f"{one}. CHANGELOG.md must name it in a line that begins with Breaking:", file=sys.stderr)
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(run(main))
