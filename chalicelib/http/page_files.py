"""The files of the page as they are served: without comments and indentation, under names that change with them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path

from chalicelib.http.conditional import digest
from chalicelib.http.page_module import ENTRY, LIBRARY, compose, without_indentation

DIRECTORY = Path(__file__).parent.parent / "ui"
_SCRIPT = "text/javascript; charset=utf-8"
_STYLE_COMMENT = re.compile(r"^[ \t]*/\*(?:(?!\*/)[\s\S])*\*/[ \t]*$", re.MULTILINE)
_MARKUP_COMMENT = re.compile(r"^[ \t]*<!--(?:(?!-->)[\s\S])*-->[ \t]*$", re.MULTILINE)
_PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")


@dataclass(frozen=True, slots=True)
class PageFile:
    """A file that a cache may keep for ever: its name has a digest of its text."""

    name: str
    content_type: str
    text: str

    @property
    def tag(self) -> str:
        """The digest in its name, as an ``ETag``."""
        return f'"{self.name.split(".")[-2]}"'


@cache
def page_files() -> Mapping[str, PageFile]:
    """The files by what the placeholders of ``index.html`` call them.

    :raises PageSourceError: for modules that cannot be composed.
    """
    sources = {path.name: _read(path.name) for path in DIRECTORY.glob("*.js")}
    lit = library_file(sources.pop(LIBRARY))
    # A package has one module, which is composed and minified: its line breaks are part of its texts.
    app = sources[ENTRY] if len(sources) == 1 else compose(sources, lit.text, lit.name)
    return {
        "style": _file("style", "css", "text/css; charset=utf-8", _stripped("style.css", _STYLE_COMMENT)),
        "icon": _file("icon", "svg", "image/svg+xml", _stripped("icon.svg", _MARKUP_COMMENT)),
        "lit": lit,
        "app": _file("app", "js", _SCRIPT, app),
    }


def library_file(text: str) -> PageFile:
    """The library, which is minified: its line breaks may be part of its text."""
    return _file("lit", "js", _SCRIPT, text)


def index_page(values: Mapping[str, str]) -> str:
    """``index.html`` with its placeholders filled in: the names of the files, and these values as text.

    :raises KeyError: for a placeholder without a value.
    """
    known = {**{key: file.name for key, file in page_files().items()}, **values}
    return _PLACEHOLDER.sub(lambda found: escape(known[found[1]]), _stripped("index.html", _MARKUP_COMMENT))


def _file(stem: str, suffix: str, content_type: str, text: str) -> PageFile:
    return PageFile(f"{stem}.{digest(text.encode())}.{suffix}", content_type, text)


def _stripped(name: str, comment: re.Pattern[str]) -> str:
    return without_indentation(comment.sub("", _read(name)))


def _read(name: str) -> str:
    return (DIRECTORY / name).read_text(encoding="utf-8")
