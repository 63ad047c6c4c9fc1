"""Caddy as the local front door, with the rules that CloudFront follows on AWS."""

import json
import socket
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from chalicelib.http.cors import allowed_origin
from infra.aws.front_door import caddy_config
from infra.local import metrics
from infra.local.app import LocalApp
from infra.local.config import HOST, LocalConfig, scrubbed_environment
from infra.local.errors import LocalStackError
from infra.local.ports import has_ipv6
from infra.local.process import Child


def configure(config: LocalConfig, app: LocalApp, metrics_port: int | None = None) -> Path:
    """Write the configuration of a front door before the app's two APIs, and before the metrics if they have a port.

    A front door that runs reads it again at SIGUSR1.
    """
    upstream = urlsplit(app.rest)
    settings = caddy_config(
        listen=[f"{HOST}:{config.port}", *([f"[::1]:{config.port}"] if has_ipv6() else [])],
        upstream=upstream.netloc if upstream.port else f"{upstream.netloc}:80",
        rest_path=upstream.path,
        websocket_path=urlsplit(app.websocket).path,
        origin=allowed_origin(app.environment),
    )
    if metrics_port is not None:
        settings["apps"]["http"]["servers"]["front"]["routes"].insert(0, _metrics_route(metrics_port))
    file = config.state_dir / "front-door.json"
    file.write_text(json.dumps(settings, indent=1))
    return file


def start(config: LocalConfig, app: LocalApp, metrics_port: int | None = None) -> Child:
    """Start the front door before the app's two APIs, and before the metrics if they have a port."""
    file = configure(config, app, metrics_port)
    home = str(config.state_dir / "caddy")
    return Child(
        "The front door",
        [Path(sys.executable).with_name("caddy"), "run", "--config", file],
        config.logs / "front-door.log",
        environment=scrubbed_environment(XDG_CONFIG_HOME=home, XDG_DATA_HOME=home),
        # Open sockets would keep the front door running. It stores nothing.
        grace_seconds=1,
        crash_safe=True,
    )


def _metrics_route(port: int) -> dict[str, Any]:
    """Return the route that the local stack alone has: on AWS, CloudWatch has the metrics."""
    proxy = {"handler": "reverse_proxy", "upstreams": [{"dial": f"{HOST}:{port}"}]}
    return {"match": [{"method": ["GET"], "path": [metrics.PATH]}], "handle": [proxy], "terminal": True}


def ready(config: LocalConfig) -> bool:
    """Return whether the front door accepts connections."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, config.port)) == 0


def wait_until_healthy(base: str, seconds: float = 30) -> None:
    """Wait until the app's health check succeeds.

    :raises LocalStackError: with the app's answer, if it still fails after ``seconds``.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(f"{base}/health", timeout=30) as answer:  # noqa: S310
                answer.read()
                return
        except (urllib.error.URLError, OSError) as error:
            if time.monotonic() > deadline:
                raise LocalStackError(f"{base}/health {_failure(error)}") from None
        time.sleep(0.2)


def _failure(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"answers {error.code}: {error.read().decode(errors='replace')}"
    return f"does not answer: {error}"
