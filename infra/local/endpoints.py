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
        "metrics": f"http://localhost:{config.port}/metrics",
    }


def save_environment(config: LocalConfig, app: LocalApp) -> None:
    """Write the functions' environment for ``chalice local``, as lines that a shell can source."""
    credentials = emulator.CREDENTIALS if config.aws_endpoint_url is None else {}
    config.environment_file.touch(mode=0o600)
    lines = [f"{name}={shlex.quote(value)}" for name, value in sorted((credentials | app.environment).items())]
    config.environment_file.write_text("\n".join(lines) + "\n")


def publish(config: LocalConfig, endpoints: Endpoints, key: str | None, ready_descriptor: int | None) -> None:
    """Write the endpoints to their file and to ``ready_descriptor``, if it is given, and print them.

    ``key`` is the first API key of a stack with authentication.
    """
    text = json.dumps(endpoints, indent=2) + "\n"
    # Renaming a complete file keeps a waiting reader from reading half of it.
    partial = config.endpoints_file.with_suffix(".partial")
    partial.touch(mode=0o600)
    partial.write_text(text)
    partial.replace(config.endpoints_file)
    print(welcome(endpoints, key), flush=True)
    if ready_descriptor is not None:
        with os.fdopen(ready_descriptor, "w") as pipe:
            pipe.write(text)


def welcome(endpoints: Endpoints, key: str | None) -> str:
    """Return the addresses, who may use them, and a first order to paste."""
    rows = "\n".join(f"  {name:10} {address}" for name, address in endpoints.items())
    order = '{"tokenIn":"SOL","tokenOut":"USDC","amountIn":1.5}'
    execute = f"{endpoints['http']}/api/orders/execute -H 'content-type: application/json' -d '{order}'"
    return f"""
{rows}
{_open_welcome(endpoints, execute) if key is None else _locked_welcome(endpoints, execute, key)}
Ctrl-C stops everything; the data stays until make clean.
"""


def _open_welcome(endpoints: Endpoints, execute: str) -> str:
    return f"""
Authentication is off: everybody may do everything, in the name of every user. AUTH=on make run asks for API keys.

A first order, step by step; and the same request without the client:

  export OE_URL={endpoints["http"]}
  .venv/bin/oe sell 1.5 SOL USDC --watch

  curl -X POST {execute}
"""


def _locked_welcome(endpoints: Endpoints, execute: str, key: str) -> str:
    return f"""
Authentication is on. The first API key, of the user "local" with every scope; make keys lists and makes others:

  export OE_KEY={key}

A first order, step by step; and the same request without the client:

  export OE_URL={endpoints["http"]}
  .venv/bin/oe sell 1.5 SOL USDC --watch

  curl -X POST -H "authorization: Bearer $OE_KEY" {execute}
"""
