"""Writes: first a preview, which answers the arguments of the call that has the effect."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import mcp_types as types

from orderengine.core.commands import Request, Response
from orderengine.core.exact_json import loads
from orderengine.core.retry import Unanswered
from orderengine.mcp.arguments import ArgumentError, request_of
from orderengine.mcp.contract import Operation
from orderengine.mcp.engine import Engine
from orderengine.mcp.results import refused, result, unknown
from orderengine.models.words import TERMINAL_PHASES

MAX_PAGE = 200
_REPEATABLE = "Nothing is done. The call of next does it, once, however often it is made."
_NOT_REPEATABLE = "Nothing is done. The call of next does it, each time that it is made."


def preview(engine: Engine, operation: Operation, arguments: Mapping[str, Any]) -> types.CallToolResult:
    """What a write would do, and the call that does it.

    :raises OrderEngineError: if the engine refuses it now.
    :raises ArgumentError: if what it would change is not as the contract says.
    """
    shown: dict[str, Any] = {}
    if operation.body is not None and (rehearsal := _rehearsal_of(engine, operation)):
        shown["preview"] = _read(engine, rehearsal, arguments)
    elif look := _look_at(engine, operation):
        shown = _present(engine, look, operation, arguments)
    wanted = {**arguments, **_guard(operation, arguments, shown.get("present", {})), "execute": True}
    answer = {
        "executed": False,
        "detail": _REPEATABLE if operation.is_repeatable else _NOT_REPEATABLE,
        **shown,
        "request": _shown(request_of(operation, wanted)),
        "next": {"tool": operation.name, "arguments": wanted},
    }
    return result(answer)


def _guard(operation: Operation, arguments: Mapping[str, Any], present: Mapping[str, Any]) -> dict[str, str]:
    """The argument that makes a repeat harmless: the agent's own, a new key, or the event that the order is at."""
    guard = operation.guard
    if guard is None or arguments.get(guard.name) is not None:
        return {}
    if guard.wire == "Idempotency-Key":
        return {guard.name: str(uuid4())}
    if "seq" not in present:
        raise ArgumentError("NOT_THE_ENGINE", "the record has no seq, which a change of it would name")
    return {guard.name: f'"{present["seq"]}"'}


def execute(engine: Engine, operation: Operation, arguments: Mapping[str, Any]) -> types.CallToolResult:
    """Do it. A write with a guard needs the one that its preview has answered.

    :raises OrderEngineError: if the engine refuses it.
    """
    guard = operation.guard
    if guard is not None and arguments.get(guard.name) is None:
        detail = f"execute needs {guard.name}, so that a repeat does nothing twice: call without execute to get it"
        return refused("PREVIEW_FIRST", detail)
    try:
        response = engine.write(request_of(operation, arguments))
    except Unanswered as error:
        again = {"tool": operation.name, "arguments": arguments}
        return unknown(error, again, is_repeatable=operation.is_repeatable)
    answer = {"executed": True, "status": response.status, "answer": loads(response.body)}
    if (replayed := response.headers.get("idempotent-replayed")) is not None:
        answer["replayed"] = replayed == "true"
    return result(answer)


def _rehearsal_of(engine: Engine, operation: Operation) -> Operation | None:
    """The operation that takes the same body, and keeps nothing."""
    same = (one for one in engine.operations.values() if one.method == "POST" and not one.is_write)
    return next((one for one in same if one.body == operation.body), None)


def _look_at(engine: Engine, operation: Operation) -> Operation | None:
    """The operation that reads what a write would change."""
    same = (one for one in engine.operations.values() if one.method == "GET" and one.path == operation.path)
    return next(same, None)


def _present(engine: Engine, look: Operation, operation: Operation, arguments: Mapping[str, Any]) -> dict[str, Any]:
    limit = {"limit": MAX_PAGE} if any(one.name == "limit" for one in look.parameters) else {}
    found = _read(engine, look, {**arguments, **limit})
    if isinstance(found.get("orders"), list):
        # Only those that are not over can change.
        rest = [one for one in found["orders"] if one.get("phase") not in TERMINAL_PHASES]
        return {"present": {"orders": rest, "isComplete": found.get("nextCursor") is None}}
    body: Mapping[str, Any] = arguments.get("body") or {}
    changes = {name: {"from": found[name], "to": to} for name, to in body.items() if name in found}
    return {"present": found} | ({"changes": changes} if changes else {})


def _read(engine: Engine, operation: Operation, arguments: Mapping[str, Any]) -> dict[str, Any]:
    names = {one.name for one in operation.parameters} | {"body"}
    own = {name: value for name, value in arguments.items() if name in names}
    answer: Response = engine.read(request_of(operation, own))
    found: dict[str, Any] = loads(answer.body)
    return found


def _shown(request: Request) -> dict[str, Any]:
    headers = {name: value for name, value in request.headers.items() if name != "content-type"}
    body = None if request.body is None else loads(request.body)
    shown = {"query": dict(request.query), "headers": headers, "body": body}
    return {"method": request.method, "path": request.path} | {name: of for name, of in shown.items() if of}
