"""The snippets of a Markdown document, in their order."""

import re
from pathlib import Path
from typing import NamedTuple

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Snippet(NamedTuple):
    language: str
    text: str
    line: int


def snippets(path: Path) -> list[Snippet]:
    document = path.read_text()
    return [
        Snippet(found[1], found[2], document.count("\n", 0, found.start()) + 2) for found in _FENCE.finditer(document)
    ]
