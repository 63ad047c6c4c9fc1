"""Starts the parts of a stack side by side, deploys the app, and waits until it is healthy."""

import time
from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

from infra.aws.package import Package, package
from infra.aws.stack import refusals_reported
from infra.database import migrate_database
from infra.local import caddy, emulator
from infra.local.app import deploy_app
from infra.local.config import LocalConfig
from infra.local.endpoints import Endpoints, endpoints_of, save_environment
from infra.local.metrics import FunctionMetrics, serve
from infra.local.parts import Parts
from infra.local.postgres import Postgres
from infra.local.repairs import run_first_schedule
from infra.project import BUILD

T = TypeVar("T")


def start(config: LocalConfig, parts: Parts) -> Endpoints:
    """Start every part, and return the stack's addresses once all of them answer.

    :raises InfraError: if a part cannot start.
    """
    began = time.monotonic()
    _say("Packaging the app and starting PostgreSQL and the AWS emulator ...")
    # Children start from this thread alone: Linux ties a child to the thread that starts it.
    packaging = _in_background(lambda: _package(config))
    aws = None if config.aws_endpoint_url else parts.keep(lambda: emulator.start(config))
    database_url = config.database_url or _start_postgres(config, parts)
    migrating = _in_background(lambda: migrate_database(database_url))
    if aws:
        aws.wait_until(lambda: emulator.ready(config))
    packaged = packaging.result()
    _say("Deploying ...")
    with refusals_reported():
        app = deploy_app(config, packaged, config.functions_database_url or database_url)
        migrating.result()
        run_first_schedule(config, app.environment["LOOKS_QUEUE_URL"])
    metrics = serve(FunctionMetrics(config.logs))
    front_door = parts.keep(lambda: caddy.start(config, app, metrics.server_port))
    front_door.wait_until(lambda: caddy.ready(config))
    endpoints = endpoints_of(config, app, database_url)
    caddy.wait_until_healthy(endpoints["http"])
    if aws:
        # From here on functions receive messages. Those of the last run would keep the first requests waiting.
        emulator.finish_deployment(config)
    save_environment(config, app)
    _say(f"Ready after {time.monotonic() - began:.1f} s.")
    return endpoints


def _package(config: LocalConfig) -> Package:
    # Our emulator runs functions in this environment; another one needs the dependencies in the zip.
    foreign = config.aws_endpoint_url is not None
    return package("local", BUILD / ("local-full" if foreign else "local"), dependencies=foreign)


def _start_postgres(config: LocalConfig, parts: Parts) -> str:
    """Start the server, which stops after the functions that write to it, and return its address."""
    postgres = Postgres(config)
    parts.uninterrupted(postgres.prepare)
    parts.keep(postgres.start, stops_last=True).wait_until(postgres.ready)
    return postgres.url


def _in_background(work: Callable[[], T]) -> "Future[T]":
    """Run ``work`` on a thread of its own, which does not keep a stopping launcher waiting."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)

    Thread(target=run, daemon=True).start()
    return future


def _say(text: str) -> None:
    print(text, flush=True)
