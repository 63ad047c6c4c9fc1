"""The changes of a change set, as CloudFormation describes them, and as a table for the operator."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_MAX_DETAIL_CHARACTERS = 60
_COLUMNS = ("action", "resource", "type", "replaced", "changes")
#: The order of the table: what may hurt comes first.
_ORDER = ("Remove", "Import", "Modify", "Dynamic", "Add")
_REPLACED = {"True": "yes", "Conditional": "perhaps", "False": "no"}


@dataclass(frozen=True)
class Change:
    """The change of one resource.

    ``replacement`` is ``True``, ``False``, ``Conditional`` or empty. ``details`` name the changed properties with the
    parameter or resource that causes each, ``recreating`` those that may take a new resource.
    """

    action: str
    resource: str
    kind: str
    replacement: str = ""
    details: tuple[str, ...] = ()
    recreating: tuple[str, ...] = ()


def change_of(described: dict[str, Any]) -> Change:
    """Return the change in a member of ``Changes`` of a described change set."""
    one = described["ResourceChange"]
    found = one.get("Details", [])
    return Change(
        one["Action"],
        one["LogicalResourceId"],
        one["ResourceType"],
        one.get("Replacement", ""),
        tuple(dict.fromkeys(_detail(detail) for detail in found)),
        tuple(
            dict.fromkeys(
                _property(detail)
                for detail in found
                if detail.get("Target", {}).get("RequiresRecreation", "Never") != "Never"
            )
        ),
    )


def changes_table(changes: Sequence[Change]) -> str:
    """Return a table with a line for each change; of added resources, with a line for each type."""
    kept = sorted((one for one in changes if one.action != "Add"), key=_place)
    rows = [(one.action, one.resource, one.kind, _replaced(one), _details(one)) for one in kept]
    added = Counter(one.kind for one in changes if one.action == "Add")
    names = {
        kind: ", ".join(one.resource for one in changes if (one.action, one.kind) == ("Add", kind)) for kind in added
    }
    rows += [("Add", f"{count} new", kind, "", _short(names[kind])) for kind, count in sorted(added.items())]
    return aligned([_COLUMNS, *rows])


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as text whose columns begin below each other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def _place(change: Change) -> tuple[bool, int, str]:
    known = change.action in _ORDER
    return (
        change.replacement not in ("True", "Conditional"),
        _ORDER.index(change.action) if known else 0,
        change.resource,
    )


def _replaced(change: Change) -> str:
    return _REPLACED.get(change.replacement, "")


def _details(change: Change) -> str:
    return _short(", ".join(change.details))


def _short(text: str) -> str:
    return text if len(text) <= _MAX_DETAIL_CHARACTERS else f"{text[: _MAX_DETAIL_CHARACTERS - 4]} ..."


def _property(detail: dict[str, Any]) -> str:
    target = detail.get("Target", {})
    return str(target.get("Name") or target.get("Attribute", ""))


def _detail(detail: dict[str, Any]) -> str:
    cause = detail.get("CausingEntity")
    return f"{_property(detail)} ({cause})" if cause else _property(detail)
