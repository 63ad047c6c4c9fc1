"""The results of tools: JSON, as text and structured. Fractions are decimal text, so that no reader rounds them."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import mcp_types as types

from orderengine import errors


def result(value: Any, *, is_error: bool = False) -> types.CallToolResult:
    exact = _exact(value)
    text = types.TextContent(type="text", text=json.dumps(exact, ensure_ascii=False))
    return types.CallToolResult(content=[text], structured_content=exact, is_error=is_error)


def _exact(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _exact(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_exact(one) for one in value]
    return format(value, "f") if isinstance(value, Decimal) else value


def refused(code: str, detail: str, **more: Any) -> types.CallToolResult:
    """An error of the call itself: nothing was done."""
    return result({"code": code, "detail": detail, **more}, is_error=True)


def failed(error: errors.OrderEngineError) -> types.CallToolResult:
    """An error of the engine: its problem document, or what the client knows."""
    if isinstance(error, errors.ProblemError):
        return result({**error.body, "retryAfterSeconds": error.retry_after}, is_error=True)
    if isinstance(error, errors.NotTheEngine):
        return refused("NOT_THE_ENGINE", str(error), status=error.status)
    if isinstance(error, errors.StreamRefused):
        return refused(error.code, error.detail, lastSeq=error.last_seq)
    return refused("UNREACHABLE" if isinstance(error, errors.Unreachable) else type(error).__name__, str(error))


_REPEAT = (
    "Make the call of next, with exactly these arguments: if it had, the engine does nothing again, and answers as it"
    " did then, or with 409 or 412 and the order's status."
)
_LOOK = "Look what it changed before you make the call of next, which has its effect again."


def unknown(error: Exception, again: Mapping[str, Any], *, is_repeatable: bool) -> types.CallToolResult:
    """A write without an answer, which may have had its effect. ``again`` is the call that repeats it."""
    detail = f"{error}. The request may have had its effect. {_REPEAT if is_repeatable else _LOOK}"
    return refused("OUTCOME_UNKNOWN", detail, executed="unknown", next=again)
