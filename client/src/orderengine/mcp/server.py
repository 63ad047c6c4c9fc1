"""The MCP server: it lists the tools, and calls the engine for an agent."""

from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any, TypeVar

import anyio
import mcp_types as types
from anyio import to_thread
from mcp.server import Server, ServerRequestContext
from mcp.server.stdio import stdio_server
from mcp.shared.exceptions import MCPError

from orderengine import errors
from orderengine.client import Client
from orderengine.core.exact_json import loads
from orderengine.mcp.arguments import ArgumentError, check, request_of, with_user
from orderengine.mcp.contract import Operation
from orderengine.mcp.engine import Engine
from orderengine.mcp.results import failed, refused, result
from orderengine.mcp.tools import WAIT, tool_of, wait_tool
from orderengine.mcp.waiting import wait_for_order
from orderengine.mcp.writes import execute, preview

T = TypeVar("T")

INSTRUCTIONS = """\
Swap orders at an order execution engine. Write amounts and prices as decimal text ("1.5"); answers have them as text.
A price is quote per base (USDC per SOL) for buys and sells. Every tool that changes something is a preview unless
execute is true: show the preview, then make the call of its next. An accepted order (202) is kept, not done: use
waitForOrder. It ends as confirmed, failed, cancelled or expired; explainOrder says why. After OUTCOME_UNKNOWN do
what its detail says."""


def serve(connect: Callable[[], Client]) -> None:
    """Serve the engine of a client over stdin and stdout, until stdin ends. ``connect`` makes the client."""
    with connect() as client:
        anyio.run(_serve, build(client))


async def _serve(server: Server[Any]) -> None:
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())


def build(client: Client) -> Server[Any]:
    """A server whose tools are the operations of the client's engine."""
    engine = Engine(client)

    async def list_tools(
        context: ServerRequestContext[Any], parameters: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        found = await _in_thread(lambda: _look(engine))
        return types.ListToolsResult(tools=[*map(tool_of, found.values()), wait_tool()])

    async def call_tool(
        context: ServerRequestContext[Any], parameters: types.CallToolRequestParams
    ) -> types.CallToolResult:
        return await _in_thread(lambda: _call(engine, parameters.name, parameters.arguments or {}))

    return Server(
        "orderengine",
        version=_version(),
        instructions=INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


async def _in_thread(work: Callable[[], T]) -> T:
    # A cancelled call is not awaited any more, and what it has sent cannot be taken back.
    return await to_thread.run_sync(work, abandon_on_cancel=True)


def _look(engine: Engine) -> Mapping[str, Operation]:
    try:
        return engine.look()
    except (errors.OrderEngineError, LookupError, TypeError, AttributeError, ValueError) as error:
        raise MCPError(types.INTERNAL_ERROR, f"The engine's contract cannot be read: {error}") from error


def _call(engine: Engine, name: str, arguments: Mapping[str, Any]) -> types.CallToolResult:
    if not engine.operations:
        _look(engine)
    operation = engine.operations.get(name)
    if operation is None and name != WAIT:
        raise MCPError(types.INVALID_PARAMS, f"There is no tool {name}")
    try:
        return wait_for_order(engine.client, arguments) if operation is None else _run(engine, operation, arguments)
    except ArgumentError as error:
        return refused(error.code, str(error))
    except errors.OrderEngineError as error:
        return failed(error)


def _run(engine: Engine, operation: Operation, arguments: Mapping[str, Any]) -> types.CallToolResult:
    arguments = with_user(operation, arguments, engine.client._session.options.user)
    check(operation, arguments)
    if not operation.is_write:
        return result(loads(engine.read(request_of(operation, arguments)).body))
    return (execute if arguments.get("execute") else preview)(engine, operation, arguments)


def _version() -> str:
    try:
        return version("orderengine")
    except PackageNotFoundError:
        return ""
