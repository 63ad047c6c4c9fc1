"""Starts the whole stack, watches it, and stops all of it again, however it ends."""

import contextlib
import shutil
import signal
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn

from chalicelib.history.migrate import migrate
from infra.aws.package import package
from infra.local import caddy, emulator
from infra.local.app import deploy_app
from infra.local.config import LocalConfig, config_from, state_dir_from
from infra.local.endpoints import Endpoints, endpoints_of, publish, save_environment
from infra.local.errors import LocalStackError, StopRequested
from infra.local.lock import locked
from infra.local.logs import LogFollower
from infra.local.postgres import Postgres
from infra.local.process import Child
from infra.local.repairs import run_first_schedule
from infra.project import BUILD


def run(environment: Mapping[str, str], ready_descriptor: int | None = None) -> None:
    """Run a stack until a signal ends it.

    Once every part answers, the launcher writes the endpoints to ``endpoints.json`` and, if given, to
    ``ready_descriptor``.

    :raises InfraError: if a setting is invalid, or a part cannot start or dies.
    """
    # Lock first: a refused start must leave the running stack's files untouched.
    with locked(state_dir_from(environment)), _interruptible():
        config = config_from(environment)
        follower = LogFollower(config.logs)
        with contextlib.ExitStack() as cleanup:
            _fresh_files(config, cleanup)
            children, endpoints = _start(config, cleanup)
            publish(config, endpoints, ready_descriptor)
            follower.start()
            cleanup.callback(follower.stop)
            _watch(children)


def _fresh_files(config: LocalConfig, cleanup: contextlib.ExitStack) -> None:
    config.endpoints_file.unlink(missing_ok=True)
    for file in (config.endpoints_file, config.environment_file):
        cleanup.callback(file.unlink, missing_ok=True)
    shutil.rmtree(config.logs, ignore_errors=True)
    config.logs.mkdir(parents=True)
    cleanup.callback(shutil.rmtree, emulator.temporary_directory(config), ignore_errors=True)


def _start(config: LocalConfig, cleanup: contextlib.ExitStack) -> tuple[list[Child], Endpoints]:
    """Start independent parts side by side, but every child from this thread: Linux ties a child to its thread."""
    began = time.monotonic()
    children: list[Child] = []

    def keep(child: Child) -> Child:
        children.append(child)
        cleanup.callback(child.stop)
        return child

    _say("Packaging the app and starting PostgreSQL and the AWS emulator ...")
    with ThreadPoolExecutor(2) as threads:
        # Our emulator runs functions in this environment; another one needs the dependencies in the zip.
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
        app = deploy_app(config, packaged, database_url)
        migrating.result()
    run_first_schedule(config, app.environment["LOOKS_QUEUE_URL"])
    keep(caddy.start(config, app)).wait_until(lambda: caddy.ready(config))
    endpoints = endpoints_of(config, app, database_url)
    caddy.wait_until_healthy(endpoints["http"])
    save_environment(config, app)
    _say(f"Ready after {time.monotonic() - began:.1f} s.")
    return children, endpoints


def _watch(children: list[Child]) -> NoReturn:
    while True:
        for child in children:
            if child.exit_code is not None:
                raise LocalStackError(child.obituary())
        time.sleep(0.2)


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Turn the first signal to stop into ``StopRequested``, and ignore further ones while the stack cleans up."""
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
