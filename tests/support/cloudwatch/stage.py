"""A stage in virtual time: clients with orders and sockets, and every minute the looks and the datapoints."""

import logging
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from functools import partial
from random import Random
from typing import Any

import pytest

from chalicelib.logs import configure_logging
from chalicelib.streaming import actions, connections
from orderengine.client import Client
from orderengine.core.commands import Request, Response
from orderengine.testing import gateway
from orderengine.testing.configuration import settings_of
from orderengine.testing.driver import Driver
from orderengine.testing.line import GATEWAY_SECONDS, Line, LostAnswers
from orderengine.testing.parts import new_parts
from orderengine.testing.transport import KitSocket, KitTransport
from tests.support.cloudwatch.alarms import STACK
from tests.support.cloudwatch.datapoints import LineSink
from tests.support.cloudwatch.deployment import FunctionError, WatchedDeployment
from tests.support.kit import ORDER, PATIENCE, post

#: SQS and this stage are measured so often.
_SAMPLE_SECONDS = 10
_SETTINGS: dict[str, Any] = {"public_ws_url": "ws://engine.test/ws"}


class _MeasuredLine(Line):
    """The line to the front door, which CloudFront and API Gateway measure. ``cut`` is what CloudFront sees alone."""

    def __init__(self, deployment: WatchedDeployment, random: Random) -> None:
        super().__init__(deployment, LostAnswers(random))
        self._watched = deployment
        self.cut = False

    def request(self, request: Request, headers: gateway.Headers | None = None) -> "Future[Response]":
        began_ms = self._watched.clock.now_ms()
        if self.cut:
            answered: Future[Response] = Future()
            answered.set_result(Response(504, {}, b""))
            self._count_at_the_door(is_error=True)
            return answered
        answered = super().request(request, headers)
        answered.add_done_callback(partial(self._count, began_ms))
        return answered

    @staticmethod
    def _result(begun: "Future[Any]") -> Any:
        with suppress(FunctionError):
            return Line._result(begun)
        return None

    def _count(self, began_ms: int, answered: "Future[Response]") -> None:
        latency_ms = self._watched.clock.now_ms() - began_ms
        is_late = latency_ms > GATEWAY_SECONDS * 1000
        is_error = is_late or answered.exception() is not None or answered.result().status >= 500
        add = partial(self._watched.datapoints.add, "AWS/ApiGateway", dimensions={"ApiName": STACK, "Stage": "api"})
        add("5XXError", int(is_error))
        add("Latency", min(latency_ms, GATEWAY_SECONDS * 1000))
        self._count_at_the_door(is_error=is_error)

    def _count_at_the_door(self, *, is_error: bool) -> None:
        dimensions = {"DistributionId": "FrontDoor", "Region": "Global"}
        self._watched.datapoints.add("AWS/CloudFront", "5xxErrorRate", 100 * is_error, dimensions)


class Stage:
    """A watched deployment with its clients. Equal calls make equal runs."""

    def __init__(self, **settings: Any) -> None:
        checked = settings_of("alarms", {**_SETTINGS, **settings})
        parts, random = new_parts(checked), Random("alarms")
        # A minute of CloudWatch begins.
        parts.clock.sleep(60 - parts.clock.now_ms() % 60_000 / 1000)
        self.deployment = WatchedDeployment(checked, parts, random)
        self.line = _MeasuredLine(self.deployment, random)
        self.driver = Driver(self.deployment)
        self.transport = KitTransport(self.driver, self.line)
        self.datapoints = self.deployment.datapoints
        self.client = Client("http://engine.test", transport=self.transport, user="bot")

    def place(self, **fields: Any) -> Response:
        """Place an order; returns the answer, whatever it is."""
        return self.transport.send(post("/api/orders/execute", {**ORDER, **fields}), PATIENCE)

    def open(self, path: str = "/ws", **query: str) -> KitSocket:
        return self.transport.open(path, tuple(query.items()), {}, PATIENCE)

    def run(self, minutes: float, each_minute: Callable[[], object] = lambda: None) -> None:
        """Let minutes pass. ``each_minute`` is what clients do at the beginning of each."""
        ends_ms = self.deployment.clock.now_ms() + round(minutes * 60_000)
        asked: set[int] = set()
        while (now_ms := self.deployment.clock.now_ms()) < ends_ms:
            if now_ms // 60_000 not in asked:
                asked.add(now_ms // 60_000)
                self.driver.call(self.deployment.ask_for_looks)
                each_minute()
            self.driver.advance(_SAMPLE_SECONDS - self.deployment.clock.now_ms() / 1000 % _SAMPLE_SECONDS)
            self.driver.call(self.deployment.measure_queues)


@contextmanager
def watched_stage(monkeypatch: pytest.MonkeyPatch, **settings: Any) -> Iterator[Stage]:
    """A stage whose log lines CloudWatch reads."""
    stage = Stage(**settings)
    deployment, root = stage.deployment, logging.getLogger()
    for module, name, function in (
        (gateway, "answer", "APIHandler"),
        (connections, "connect", "WebsocketConnect"),
        (actions, "handle_message", "WebsocketMessage"),
        (connections, "disconnect", "WebsocketDisconnect"),
    ):
        monkeypatch.setattr(module, name, _measured(deployment, function, getattr(module, name)))
    monkeypatch.setenv("STACK_NAME", STACK)
    monkeypatch.setattr(sys, "stdout", LineSink(stage.datapoints))
    # The kit logs what functions fail with, which Lambda does itself.
    kit = logging.getLogger("orderengine")
    monkeypatch.setattr(kit, "propagate", False)
    monkeypatch.setattr(kit, "handlers", [logging.NullHandler()])
    handlers, level = root.handlers, root.level
    configure_logging()
    try:
        yield stage
    finally:
        root.handlers = handlers
        root.setLevel(level)
        stage.driver.call(deployment.hub.close)


def _measured(deployment: WatchedDeployment, name: str, handler: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args: deployment.run_function(name, lambda: handler(*args))
