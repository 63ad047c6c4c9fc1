"""HTML as text: elements escape what is not HTML yet."""

from collections.abc import Iterable
from html import escape

#: Elements without content and end tag.
_VOID = frozenset({"link", "meta"})


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def element(tag: str, *children: str, **attributes: str | None) -> Html:
    """One element. Children that are not HTML are escaped.

    The attribute ``class_`` loses its underscore, ``aria_label`` becomes ``aria-label``. An attribute that is
    ``None`` is left out.
    """
    given = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for name, value in attributes.items()
        if value is not None
    )
    return Html(f"<{tag}{given}>" if tag in _VOID else f"<{tag}{given}>{join(children)}</{tag}>")


def join(parts: Iterable[str], separator: str = "") -> Html:
    """The parts after one another, each escaped unless it is HTML."""
    return Html(separator.join(part if isinstance(part, Html) else escape(part, quote=False) for part in parts))
