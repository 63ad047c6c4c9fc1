"""Publishes a running stack: its addresses, and the environment of its functions."""

import json
import os
import shlex

from infra.local import emulator
from infra.local.app import LocalApp
from infra.local.config import LocalConfig

Endpoints = dict[str, str]


def endpoints_of(config: LocalConfig, app: LocalApp, database_url: str) -> Endpoints:
    """Return every address of the stack by its name."""
    return {
        "http": f"http://localhost:{config.port}",
        "ws": f"ws://localhost:{config.port}",
        "rest": app.rest,
        "websocket": app.websocket,
        "postgres": database_url,
        "aws": config.aws,
    }


def save_environment(config: LocalConfig, app: LocalApp) -> None:
    """Write the functions' environment for ``chalice local``, as lines that a shell can source."""
    credentials = emulator.CREDENTIALS if config.aws_endpoint_url is None else {}
    config.environment_file.touch(mode=0o600)
    lines = [f"{name}={shlex.quote(value)}" for name, value in sorted((credentials | app.environment).items())]
    config.environment_file.write_text("\n".join(lines) + "\n")


def publish(config: LocalConfig, endpoints: Endpoints, ready_descriptor: int | None) -> None:
    """Write the endpoints to their file and to ``ready_descriptor``, if it is given, and print them."""
    text = json.dumps(endpoints, indent=2) + "\n"
    # Renaming a complete file keeps a waiting reader from reading half of it.
    partial = config.endpoints_file.with_suffix(".partial")
    partial.touch(mode=0o600)
    partial.write_text(text)
    partial.replace(config.endpoints_file)
    print(welcome(endpoints), flush=True)
    if ready_descriptor is not None:
        with os.fdopen(ready_descriptor, "w") as pipe:
            pipe.write(text)


def welcome(endpoints: Endpoints) -> str:
    """Return the addresses, and a first order to paste."""
    rows = "\n".join(f"  {name:10} {address}" for name, address in endpoints.items())
    order = '{"tokenIn":"SOL","tokenOut":"USDC","amountIn":1.5}'
    return f"""
{rows}

A first order, and its status stream:

  curl -X POST {endpoints["http"]}/api/orders/execute -H 'content-type: application/json' -d '{order}'
  .venv/bin/python -m websockets {endpoints["ws"]}/ws/orders/<orderId>

Ctrl-C stops everything; the data stays until make clean.
"""
