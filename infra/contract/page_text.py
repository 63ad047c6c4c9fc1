"""Text blocks of the reference: prose, code, tables, links, and the two columns of an entry."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from chalicelib.codec.exact_json import dumps
from infra.contract.markup import Html, element, join

#: Code between backticks, as CommonMark and the docstrings of the models write it.
_CODE = re.compile(r"``(.+?)``|`(.+?)`")
_MAX_LINE = 80


def prose(text: str) -> Html:
    """Paragraphs and lists of a CommonMark text that has no more than those and code."""
    blocks = [block.strip() for block in re.split(r"\n\s*\n", text) if block.strip()]
    return join(_block(block) for block in blocks)


def _block(text: str) -> Html:
    if text.startswith("- "):
        items = re.split(r"\n- ", text.removeprefix("- "))
        return element("ul", *(element("li", inline(item)) for item in items))
    return element("p", inline(text))


def inline(text: str) -> Html:
    """One run of text with its code."""
    parts = _CODE.split(" ".join(text.split()))
    # The text before a match, then the two groups of which one is None.
    return join(
        part if index % 3 == 0 else element("code", part) for index, part in enumerate(parts) if part is not None
    )


def code(text: str) -> Html:
    return element("code", text)


def link(target: str, *children: str) -> Html:
    return element("a", *children, href=target)


def breakable(text: str) -> Html:
    """Code that a narrow column breaks after an underscore."""
    return join(text.split("_"), Html("_<wbr>"))


def block(text: str) -> Html:
    """A block of code. It wraps, so that it never scrolls sideways."""
    return element("pre", element("code", text))


def json_block(value: Any) -> Html:
    return block(laid_out(value))


def laid_out(value: Any, scalar: Callable[[Any], str] = dumps, indent: str = "") -> str:
    """JSON whose objects and lists take one line if they fit there. ``scalar`` writes all other values."""
    if not value or not isinstance(value, dict | list):
        return scalar(value)
    deeper = indent + "  "
    if isinstance(value, dict):
        parts = [f"{dumps(name)}: {laid_out(part, scalar, deeper)}" for name, part in value.items()]
        opening, closing = "{", "}"
    else:
        parts = [laid_out(part, scalar, deeper) for part in value]
        opening, closing = "[", "]"
    line = opening + ", ".join(parts) + closing
    if "\n" not in line and len(indent) + len(line) <= _MAX_LINE:
        return line
    return f"{opening}\n{deeper}" + f",\n{deeper}".join(parts) + f"\n{indent}{closing}"


def table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Html:
    """A table whose first cell heads its row. HTML derives the scope of a header from its place."""
    head = element("tr", *(element("th", name) for name in heads))
    body = [element("tr", element("th", first), *(element("td", cell) for cell in cells)) for first, *cells in rows]
    return element("table", element("caption", caption), element("thead", head), element("tbody", join(body, "\n")))


def details(summary: str, *children: str) -> Html:
    """A part that a reader opens."""
    return element("details", element("summary", summary), *children)


def entry(anchor: str, title: str, described: Iterable[str], shown: Iterable[str] = ()) -> Html:
    """A section with an anchor: its description and, on a wide screen beside it, its samples."""
    if not (samples := list(shown)):
        return element("section", element("h3", title), *described, id=anchor)
    columns = [element("div", join(described, "\n")), element("div", join(samples, "\n"), class_="shown")]
    return element("section", element("h3", title), *columns, id=anchor, class_="pair")
