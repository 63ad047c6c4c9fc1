"""An agent that calls the tools of an engine in this process."""

from collections.abc import Callable
from typing import Any

import anyio
import mcp_types as types
import pytest
from mcp.client import Client as Session
from mcp.shared.exceptions import MCPError

from orderengine import Client
from orderengine.mcp.server import build
from orderengine.testing.plugin import engine

__all__ = ["Agent", "agent", "engine"]


class Agent:
    """Calls the tools over a session in memory, each call in a session of its own."""

    def __init__(self, client: Client) -> None:
        self._server = build(client)

    def tools(self) -> dict[str, types.Tool]:
        return {one.name: one for one in self._with(lambda session: session.list_tools()).tools}

    def call(self, tool: str, **arguments: Any) -> types.CallToolResult:
        found: types.CallToolResult = self._with(lambda session: session.call_tool(tool, arguments))
        return found

    def answer(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """The structured answer of a call without an error."""
        found = self.call(tool, **arguments)
        assert not found.is_error, found.structured_content
        return dict(found.structured_content)

    def refusal(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """The structured answer of a call that ends in an error."""
        found = self.call(tool, **arguments)
        assert found.is_error, found.structured_content
        return dict(found.structured_content)

    def go_on(self, preview: dict[str, Any]) -> dict[str, Any]:
        """Make the call of ``next``."""
        return self.answer(preview["next"]["tool"], **preview["next"]["arguments"])

    def _with(self, work: Callable[[Session], Any]) -> Any:
        async def run() -> Any:
            # Out of the session's block an exception would come in a group.
            async with Session(self._server) as session:
                try:
                    return await work(session)
                except MCPError as error:
                    failure = error
            raise failure

        return anyio.run(run)


@pytest.fixture
def agent(engine: Any) -> Agent:
    return Agent(engine.client(user="bot-1"))
