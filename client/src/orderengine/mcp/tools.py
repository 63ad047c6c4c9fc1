"""Tools as an agent sees them, made from operations."""

from typing import Any

import mcp_types as types

from orderengine.mcp.contract import Operation

MAX_WAIT_SECONDS = 60
WAIT = "waitForOrder"
_PREVIEW = (
    " Without execute nothing is done: the answer shows what would happen, and in next the arguments of the call that"
    " does it."
)
_REPEATABLE = " With these the call can be repeated, and has its effect once."
_NOT_REPEATABLE = " Each call with execute has its effect, on the orders or the market at its time."
_EXECUTE = {"type": "boolean", "default": False, "description": "Do it. Without it the call is a preview."}


def tool_of(operation: Operation) -> types.Tool:
    description = f"{operation.summary}. {operation.description}"
    if operation.is_write:
        description += _PREVIEW + (_REPEATABLE if operation.is_repeatable else _NOT_REPEATABLE)
    return types.Tool(
        name=operation.name,
        title=operation.summary,
        description=description,
        input_schema=_input(operation),
        annotations=_annotations(operation.is_write, operation.is_repeatable),
    )


def _annotations(is_write: bool, is_repeatable: bool) -> types.ToolAnnotations:
    return types.ToolAnnotations(
        read_only_hint=not is_write, destructive_hint=is_write, idempotent_hint=is_repeatable
    )


def _input(operation: Operation) -> dict[str, Any]:
    properties: dict[str, Any] = {one.name: dict(one.schema) for one in operation.parameters}
    required = [one.name for one in operation.parameters if one.required]
    if operation.body is not None:
        properties["body"] = operation.body
        required.append("body")
    if operation.is_write:
        properties["execute"] = _EXECUTE
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def wait_tool() -> types.Tool:
    """The tool that a stream is for programs."""
    return types.Tool(
        name=WAIT,
        title="Wait for an order",
        description=(
            "Wait until an order is over, or for so many seconds, and get its events after afterSeq. An order that"
            " goes on is no error: call again with the afterSeq of the answer."
        ),
        input_schema={
            "type": "object",
            "properties": {
                "orderId": {"type": "string", "format": "uuid", "description": "The id of the order."},
                "seconds": {"type": "number", "minimum": 1, "maximum": MAX_WAIT_SECONDS, "default": 30},
                "afterSeq": {"type": "integer", "minimum": 0, "default": 0, "description": "The last event known."},
            },
            "required": ["orderId"],
            "additionalProperties": False,
        },
        annotations=_annotations(is_write=False, is_repeatable=True),
    )
