"""The enumerations of the contract, each value with its meaning."""

from enum import Enum
from typing import Any

from infra.contract import code_words
from infra.contract.errors import UndescribedError

_WORDS: dict[str, dict[str, str]] = {
    "ProblemCode": code_words.PROBLEM_CODES,
    "FieldCode": code_words.FIELD_CODES,
    "FailureCode": code_words.FAILURE_CODES,
    "WarningCode": code_words.WARNING_CODES,
    "Status": code_words.STATUSES,
    "Phase": code_words.PHASES,
    **code_words.OTHERS,
}
#: Enumerations whose values speak for themselves.
_PLAIN = {"VenueName": "A venue of the registry.", "TokenName": "A token of the registry, by symbol or mint."}


def described(kind: type[Enum]) -> dict[str, Any]:
    """The schema of an enumeration. ``x-enum-descriptions`` has the meaning of each value, in the same order.

    :raises UndescribedError: for a value without words.
    """
    values, name = [str(member.value) for member in kind], kind.__name__
    if name in _PLAIN:
        return {"type": "string", "description": _PLAIN[name], "enum": values}
    words = _WORDS.get(name, {})
    if missing := [value for value in values if value not in words]:
        raise UndescribedError(f"infra/contract/code_words.py: describe {name} {', '.join(missing)}.")
    return {"type": "string", "enum": values, "x-enum-descriptions": {value: words[value] for value in values}}
