"""Where results go: tables for people, JSON for programs. Notes and problems go to stderr."""

import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from orderengine.cli.exact_text import json_text, plain

if TYPE_CHECKING:
    from rich.console import Console, RenderableType


#: A column that may be folded needs this much to be read.
_FOLDED_WIDTH = 8


class Output:
    """Results as JSON, or as tables of rich, which loads at the first one."""

    def __init__(self, is_json: bool) -> None:
        self.is_json = is_json

    def document(self, value: Any) -> None:
        """Print one JSON document: indented on a terminal, else on one line."""
        self.line(json_text(value, 2 if sys.stdout.isatty() else None))

    def frame(self, value: Any) -> None:
        """Print one line of NDJSON, at once."""
        self.line(json_text(value))

    def line(self, text: str) -> None:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

    def note(self, text: str) -> None:
        """Tell people something on stderr that is not the result. Programs are told nothing."""
        if not self.is_json:
            sys.stderr.write(plain(text) + "\n")
            sys.stderr.flush()

    def show(self, *things: "RenderableType") -> None:
        console = self.console()
        for one in things:
            console.print(one)

    def problem(self, code: str, detail: str, **facts: object) -> None:
        """Tell people and programs on stderr of a problem that does not end the run."""
        text = json_text({"code": code, "detail": detail, **facts}) if self.is_json else plain(detail)
        sys.stderr.write(text + "\n")
        sys.stderr.flush()

    def facts(self, facts: Mapping[str, Any], whole: Sequence[str] = ()) -> None:
        """Print names and values in two columns; those without a value are left out.

        Values wrap between words, and those named in ``whole`` nowhere, so that a hash or a command can be copied.
        """
        from rich.text import Text

        console = self.console()
        shown = {name: plain(value) for name, value in facts.items() if value is not None and value != ""}
        indent = max(map(len, shown), default=0) + 2
        for name, text in shown.items():
            room = len(text) if name in whole else console.width - indent
            lines = textwrap.wrap(text, max(room, 1), break_long_words=False, break_on_hyphens=False)
            value = f"\n{' ' * indent}".join(lines)
            console.print(Text.assemble((name.ljust(indent), "bold"), value), soft_wrap=True)

    def table(self, names: Sequence[str], rows: Iterable[Sequence[Any]], whole: Sequence[str] = ()) -> None:
        """Print rows below their names. The columns in ``whole`` are never folded or cut.

        Where there is no room for the columns, each row is a line that is cut after the widest whole value.
        """
        from rich.table import Table

        cells = [tuple(map(plain, row)) for row in rows]
        width = self.console().width
        if cells and width < _least_width(names, cells, whole):
            for row in cells:
                self.line(_cut(row, width))
            return
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", show_edge=False)
        for name in names:
            table.add_column(name, overflow="fold", no_wrap=name in whole)
        for row in cells:
            table.add_row(*row)
        self.show(table)

    def console(self) -> "Console":
        from rich.console import Console

        return Console(file=sys.stdout, markup=False, highlight=False, emoji=False)


def _least_width(names: Sequence[str], rows: Sequence[Sequence[str]], whole: Sequence[str]) -> int:
    """The width of a table whose whole columns are as wide as their values. Two spaces part its columns."""
    if not whole:
        return 0
    widths = [
        max(len(name), *map(len, column)) if name in whole else _FOLDED_WIDTH
        for name, column in zip(names, zip(*rows, strict=True), strict=True)
    ]
    return sum(widths) + 2 * (len(widths) - 1)


def _cut(row: Sequence[str], width: int) -> str:
    """A row as one line, cut at the width, but never within its longest word."""
    line = "  ".join(one for one in row if one)
    longest = max(line.split(), key=len)
    room = max(width, line.index(longest) + len(longest) + 1)
    return line if len(line) <= room else f"{line[: room - 1]}…"
