"""Deploys the app into an emulator that runs already, at ``AWS_ENDPOINT_URL``, and starts nothing.

The package, the template and the steps are those of ``make run``. There is no front door: the two APIs answer at
addresses of their own, and the WebSocket API knows no paths.
"""

import json
import time
from collections.abc import Mapping

from infra.aws.package import package
from infra.aws.stack import refusals_reported
from infra.database import migrate_database
from infra.errors import InfraError
from infra.local.app import deploy_app
from infra.local.caddy import wait_until_healthy
from infra.local.config import foreign_config_from, state_dir_from
from infra.local.endpoints import save_environment
from infra.local.lock import locked
from infra.local.preflight import check_start
from infra.local.repairs import run_first_schedule
from infra.project import BUILD


def deploy(environment: Mapping[str, str]) -> dict[str, str]:
    """Bring the emulator's stack to this checkout, and return its addresses once the app is healthy.

    The addresses are written to ``endpoints.json`` too, where the operators' commands find them.

    :raises InfraError: if a variable is invalid or missing, a server does not answer, or the deployment fails.
    """
    with locked(state_dir_from(environment)) as lock:
        try:
            endpoints = _deploy(environment)
        except InfraError as error:
            lock.note_end(str(error))
            raise
        lock.note_end()
    return endpoints


def _deploy(environment: Mapping[str, str]) -> dict[str, str]:
    config, database_url = foreign_config_from(environment)
    check_start(config)
    began = time.monotonic()
    print(f"Packaging the app and deploying it to {config.aws} ...", flush=True)
    packaged = package("local", BUILD / "local-full")
    migrate_database(database_url)
    with refusals_reported():
        app = deploy_app(config, packaged, config.functions_database_url or database_url)
        run_first_schedule(config, app.environment["LOOKS_QUEUE_URL"])
    wait_until_healthy(app.rest)
    save_environment(config, app)
    bare = {"rest": app.rest, "websocket": app.websocket}
    endpoints = {"http": app.rest, "ws": app.websocket, **bare, "postgres": database_url, "aws": config.aws}
    config.endpoints_file.touch(mode=0o600)
    config.endpoints_file.write_text(json.dumps(endpoints, indent=2) + "\n")
    print(f"Deployed after {time.monotonic() - began:.1f} s.\n", flush=True)
    for name in ("rest", "websocket", "aws"):
        print(f"  {name:10} {endpoints[name]}", flush=True)
    return endpoints
