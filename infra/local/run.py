"""Starts the whole stack, watches it, and takes all of it down again, however it ends."""

import contextlib
import json
import os
import shlex
import shutil
import signal
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn

from infra.deploy import migrate
from infra.local import emulator, front
from infra.local.config import LocalConfig, config_from, state_dir_from
from infra.local.deployment import Deployed, deploy, watch_market
from infra.local.errors import LocalStackError, StopRequested
from infra.local.lock import locked
from infra.local.logs import LogFollower
from infra.local.postgres import Postgres
from infra.local.process import Child
from infra.package import BUILD, package

Endpoints = dict[str, str]


def run(environment: Mapping[str, str], ready_descriptor: int | None = None) -> None:
    """Runs a stack until a signal ends it.

    Once everything answers, the endpoints are written to ``endpoints.json`` and, when given, to
    ``ready_descriptor``. Raises ``LocalStackError`` when a part cannot start or dies.
    """
    # The lock comes first: a start that is refused must not have touched the running stack's files.
    with locked(state_dir_from(environment)), _interruptible():
        config = config_from(environment)
        follower = LogFollower(config.logs)
        with contextlib.ExitStack() as cleanup:
            _fresh_files(config, cleanup)
            children, endpoints = _start(config, cleanup)
            _publish(config, endpoints, ready_descriptor)
            follower.start()
            cleanup.callback(follower.stop)
            _watch(children)


def _fresh_files(config: LocalConfig, cleanup: contextlib.ExitStack) -> None:
    config.endpoints_file.unlink(missing_ok=True)
    environment = config.state_dir / "app.env"
    for file in (config.endpoints_file, environment):
        cleanup.callback(file.unlink, missing_ok=True)
    shutil.rmtree(config.logs, ignore_errors=True)
    config.logs.mkdir(parents=True)
    cleanup.callback(shutil.rmtree, emulator.temporary_directory(config), ignore_errors=True)


def _start(config: LocalConfig, cleanup: contextlib.ExitStack) -> tuple[list[Child], Endpoints]:
    """Starts the parts side by side where none needs another, children from this thread alone."""
    began = time.monotonic()
    children: list[Child] = []

    def keep(child: Child) -> Child:
        children.append(child)
        cleanup.callback(child.stop)
        return child

    _say("Packaging the app and starting PostgreSQL and the AWS emulator ...")
    with ThreadPoolExecutor(2) as threads:
        # The emulator runs functions in this environment; any other runs them in one of its own.
        foreign = config.aws_endpoint_url is not None
        packaging = threads.submit(
            package, "local", BUILD / ("local-full" if foreign else "local"), dependencies=foreign
        )
        aws = None if config.aws_endpoint_url else keep(emulator.start(config))
        database_url = config.database_url
        if database_url is None:
            postgres = Postgres(config)
            postgres.prepare()
            keep(postgres.start()).wait_until(postgres.ready)
            database_url = postgres.url
        migrating = threads.submit(migrate, database_url)
        if aws:
            aws.wait_until(lambda: emulator.ready(config))
        packaged = packaging.result()
        _say("Deploying ...")
        deployed = deploy(config, packaged, database_url)
        migrating.result()
    watch_market(config, deployed)
    keep(front.start(config, deployed)).wait_until(lambda: front.ready(config))
    endpoints = _endpoints(config, deployed, database_url)
    front.check(endpoints["http"])
    _save_environment(config, deployed)
    _say(f"Ready after {time.monotonic() - began:.1f} s.")
    return children, endpoints


def _endpoints(config: LocalConfig, deployed: Deployed, database_url: str) -> Endpoints:
    return {
        "http": f"http://localhost:{config.port}",
        "ws": f"ws://localhost:{config.port}",
        "rest": deployed.rest,
        "websocket": deployed.websocket,
        "postgres": database_url,
        "aws": config.aws,
    }


def _save_environment(config: LocalConfig, deployed: Deployed) -> None:
    """For ``chalice local``: what the deployed functions see, as lines for a shell to source."""
    credentials = emulator.CREDENTIALS if config.aws_endpoint_url is None else {}
    file = config.state_dir / "app.env"
    file.touch(mode=0o600)
    lines = [f"{name}={shlex.quote(value)}" for name, value in sorted((credentials | deployed.environment).items())]
    file.write_text("\n".join(lines) + "\n")


def _publish(config: LocalConfig, endpoints: Endpoints, ready_descriptor: int | None) -> None:
    text = json.dumps(endpoints, indent=2) + "\n"
    # Written aside and renamed: whoever waits for the file must never read half of it.
    partial = config.endpoints_file.with_suffix(".partial")
    partial.touch(mode=0o600)
    partial.write_text(text)
    partial.replace(config.endpoints_file)
    print(welcome(endpoints), flush=True)
    if ready_descriptor is not None:
        with os.fdopen(ready_descriptor, "w") as pipe:
            pipe.write(text)


def welcome(endpoints: Endpoints) -> str:
    """The addresses, and a first order to paste."""
    rows = "\n".join(f"  {name:10} {address}" for name, address in endpoints.items())
    order = '{"tokenIn":"SOL","tokenOut":"USDC","amountIn":1.5}'
    return f"""
{rows}

A first order, and its status stream:

  curl -X POST {endpoints["http"]}/api/orders/execute -H 'content-type: application/json' -d '{order}'
  .venv/bin/python -m websockets {endpoints["ws"]}/ws/orders/<orderId>

Ctrl-C stops everything; the data stays until make clean.
"""


def _watch(children: list[Child]) -> NoReturn:
    while True:
        for child in children:
            if child.exit_code is not None:
                raise LocalStackError(child.obituary())
        time.sleep(0.2)


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Turns the first signal that asks to stop into ``StopRequested``; cleaning up is not disturbed by more."""
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def interrupt(*_: Any) -> None:
        for number in signals:
            signal.signal(number, signal.SIG_IGN)
        raise StopRequested

    for number in signals:
        signal.signal(number, interrupt)
    try:
        yield
    except StopRequested:
        _say("Stopped.")
    finally:
        for number in signals:
            signal.signal(number, signal.SIG_IGN)


def _say(text: str) -> None:
    print(text, flush=True)
