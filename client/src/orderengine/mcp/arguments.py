"""The arguments of a tool, checked, and the request that they make. The engine itself judges their values."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from orderengine.core.commands import Request
from orderengine.core.exact_json import dumps
from orderengine.core.requests import order_id
from orderengine.errors import InvalidArgument
from orderengine.mcp.contract import Operation

#: A double holds any decimal number of so many digits, so its shortest text is what the agent wrote.
_EXACT_DIGITS = 15


class ArgumentError(Exception):
    """Arguments that no request can be made of. Nothing was sent."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


def check(operation: Operation, arguments: Mapping[str, Any]) -> None:
    """:raises ArgumentError: naming what is unknown, missing or of a wrong type."""
    known = {one.name for one in operation.parameters}
    known |= ({"body"} if operation.body is not None else set()) | ({"execute"} if operation.is_write else set())
    if unknown := sorted(arguments.keys() - known):
        names = f"{operation.name} takes {', '.join(sorted(known))}" if known else f"{operation.name} takes none"
        raise ArgumentError("UNKNOWN_ARGUMENT", f"{', '.join(unknown)}: {names}")
    needed = {one.name for one in operation.parameters if one.required}
    needed |= {"body"} if operation.body is not None else set()
    if missing := sorted(name for name in needed if arguments.get(name) is None):
        raise ArgumentError("MISSING_ARGUMENT", f"{operation.name} needs {', '.join(missing)}")
    if not isinstance(arguments.get("execute", False), bool):
        raise ArgumentError("INVALID_ARGUMENT", "execute is true or false")
    if operation.body is not None and not isinstance(arguments["body"], Mapping):
        raise ArgumentError("INVALID_ARGUMENT", "body is an object")
    _check_exact(arguments)


def _check_exact(value: Any) -> None:
    if isinstance(value, Mapping):
        for one in value.values():
            _check_exact(one)
    elif isinstance(value, list):
        for one in value:
            _check_exact(one)
    elif isinstance(value, float) and len(Decimal(repr(value)).as_tuple().digits) > _EXACT_DIGITS:
        raise ArgumentError("INEXACT_NUMBER", f"{value!r} has more digits than a number keeps: write it as text")


def with_user(operation: Operation, arguments: Mapping[str, Any], user: str | None) -> Mapping[str, Any]:
    """The arguments for the user of the client, where they name none and the request can."""
    if user is None:
        return arguments
    filled = dict(arguments)
    if any(one.name == "userId" for one in operation.parameters):
        filled.setdefault("userId", user)
    schemas = [] if operation.body is None else [operation.body, *operation.body.get("oneOf", ())]
    if isinstance(filled.get("body"), Mapping) and any("userId" in one.get("properties", {}) for one in schemas):
        filled["body"] = {"userId": user, **filled["body"]}
    return filled


def checked_id(name: str, value: Any) -> str:
    """:raises ArgumentError: for what cannot be the id of an order: a path with it would name something else."""
    try:
        return order_id(value)
    except InvalidArgument:
        raise ArgumentError("INVALID_ARGUMENT", f"{name} is the id of an order, and not {value!r}") from None


def request_of(operation: Operation, arguments: Mapping[str, Any]) -> Request:
    """:raises ArgumentError: for an id that no order can have."""
    path, query, headers = operation.path, [], {}
    for one in operation.parameters:
        value = arguments.get(one.name)
        if value is None:
            continue
        text = value if isinstance(value, str) else dumps(value).decode()
        if one.place == "path":
            path = path.replace(f"{{{one.wire}}}", checked_id(one.name, text))
        elif one.place == "query":
            query.append((one.wire, text))
        else:
            headers[one.wire.lower()] = text
    if operation.body is None:
        return Request(operation.method, path, tuple(query), headers)
    headers["content-type"] = "application/json"
    return Request(operation.method, path, tuple(query), headers, dumps(arguments["body"]))
