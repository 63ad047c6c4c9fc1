"""The parts of a problem document that a program decides by: the bad fields, and the verdict on an order."""

from collections.abc import Mapping
from typing import Any, NamedTuple


class FieldProblem(NamedTuple):
    """A problem of a field, with its code of the contract and a message for people."""

    code: str
    message: str


class Verdict(NamedTuple):
    """What an order had become when the engine refused a change: ``too_late`` or ``moved_on`` at this ``seq``."""

    outcome: str
    status: str
    seq: int


def fields_of(body: Mapping[str, Any]) -> dict[str, list[FieldProblem]]:
    found: dict[str, list[FieldProblem]] = {}
    errors = body.get("errors")
    for error in errors if isinstance(errors, list) else []:
        if isinstance(error, dict):
            problem = FieldProblem(text_of(error, "code"), text_of(error, "message"))
            found.setdefault(text_of(error, "field"), []).append(problem)
    return found


def verdict_of(body: Mapping[str, Any]) -> Verdict | None:
    verdict = body.get("verdict")
    if not isinstance(verdict, dict) or not isinstance(verdict.get("seq"), int):
        return None
    return Verdict(text_of(verdict, "outcome"), text_of(verdict, "status"), verdict["seq"])


def text_of(fields: Mapping[str, Any], name: str) -> str:
    """The text of a field; empty if it is missing or null."""
    value = fields.get(name)
    return "" if value is None else str(value)
