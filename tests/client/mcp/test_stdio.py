"""The server in a process of its own, as an agent's host starts it."""

import os
import sys
from typing import Any

import anyio
import pytest
from mcp.client import Client as Session
from mcp.client.stdio import StdioServerParameters, stdio_client


@pytest.mark.parametrize("module", [["orderengine.mcp"], ["orderengine.cli", "mcp"]])
def test_an_agent_trades_over_stdio(engine: Any, module: list[str]) -> None:
    environment = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    environment |= {"OE_URL": engine.serve(), "OE_USER": "bot-1", "PYTHONPATH": os.pathsep.join(sys.path)}
    server = StdioServerParameters(command=sys.executable, args=["-m", *module], env=environment)

    async def trade() -> dict[str, Any]:
        async with Session(stdio_client(server)) as session:
            order = {"tokenIn": "SOL", "tokenOut": "USDC", "amountIn": "1.5"}
            shown = (await session.call_tool("executeOrder", {"body": order})).structured_content
            placed = (await session.call_tool("executeOrder", shown["next"]["arguments"])).structured_content
            # Over a port, time is what the test says.
            engine.advance("1m")
            wait = {"orderId": placed["answer"]["orderId"], "seconds": 30}
            found: dict[str, Any] = (await session.call_tool("waitForOrder", wait)).structured_content
            return found

    assert anyio.run(trade)["status"] == "confirmed"
