"""The places of ``docs/scaling.md`` whose text comes from a command: between two comments that name the place."""

import re
from collections.abc import Mapping

from infra.project import ROOT

FILE = ROOT / "docs/scaling.md"
_PLACE = re.compile(r"(<!-- (?P<name>[\w-]+): written by make (?P<command>\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def places(command: str) -> dict[str, str]:
    """The present text of each place that a command writes."""
    text = FILE.read_text()
    found = {}
    for place in _PLACE.finditer(text):
        if place["command"] == command:
            found[place["name"]] = place[0][len(place[1]) : -len(place[4])].strip("\n")
    return found


def write(command: str, texts: Mapping[str, str]) -> None:
    """Replace the text of every place of a command.

    :raises KeyError: if the document has a place that the command does not know.
    """

    def replaced(place: re.Match[str]) -> str:
        if place["command"] != command:
            return place[0]
        return f"{place[1]}\n{texts[place['name']]}\n\n{place[4]}"

    FILE.write_text(_PLACE.sub(replaced, FILE.read_text()))
