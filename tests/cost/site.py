"""The engine on moto with the deployed defaults: authentication and the rate limit are on.

Each entry point is called as AWS calls it, one invocation at a time, and every invocation is metered. The clock is
virtual, so an order takes no real time; seeds make the ids, so equal code gives equal bytes.
"""

import io
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, replace
from random import Random
from time import thread_time
from typing import Any
from unittest import mock
from uuid import UUID

import boto3

from chalicelib.auth.derived_keys import derived_key
from chalicelib.auth.key_text import new_key
from chalicelib.auth.key_verifier import LABEL
from chalicelib.bootstrap import build_engine, using
from chalicelib.connect import connect
from chalicelib.domain.identity import Scope
from chalicelib.engine import Engine
from chalicelib.logs import configure_logging
from chalicelib.ports.api_keys import ApiKey
from chalicelib.ports.history import History
from chalicelib.runtime import Runtime
from infra.ops.api_key_table import ApiKeyTable
from orderengine.testing.fakes.clock import FakeClock
from orderengine.testing.fakes.history import FakeHistory
from orderengine.testing.fakes.streams import FakeSockets
from orderengine.testing.inline import InlineExecutor
from tests.contract.stores.aws import REGION, Aws, aws, resources, settings
from tests.cost.meter import Meter, Usage

_SECRET = "the secret of the measurement"
USER = "alice"


@dataclass(frozen=True)
class Invocation:
    """What one invocation of a function used. CPU is without that of the emulator; pushes are frames to sockets."""

    function: str
    usage: Usage
    cpu_seconds: float
    venue_seconds: float
    pushes: int
    history_calls: int
    log_lines: int
    log_bytes: int


class _CountedHistory:
    """A history that counts the calls, each of which is one round trip."""

    def __init__(self, history: History) -> None:
        self._history = history
        self.calls = 0

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._history, name)
        if not callable(attribute):
            return attribute

        def counted(*args: Any, **rest: Any) -> Any:
            self.calls += 1
            return attribute(*args, **rest)

        return counted


class Site:
    """The engine, its clock, and what its functions have used since ``take``."""

    def __init__(self, stand_in: Aws, clock: FakeClock, history: History | None = None) -> None:
        random = Random("cost")
        self.aws = stand_in
        self.clock = clock
        self.meter = Meter(stand_in.template)
        self.settings = replace(settings(), auth=True, stage="prod")
        self._sockets = FakeSockets()
        self._history = _CountedHistory(history or FakeHistory())
        self._slept = 0.0
        self._invocations: list[Invocation] = []
        self.authorization = f"Bearer {self._add_key()}"
        adapters: Any = {"history": self._history, "sockets": self._sockets}
        runtime = Runtime(
            now=self.clock.now,
            sleep=self._sleep,
            monotonic=lambda: self.clock.now_ms() / 1000,
            threads=InlineExecutor,
            new_id=lambda: str(UUID(int=random.getrandbits(128), version=4)),
            uniform=random.uniform,
        )
        self.engine: Engine = build_engine(self.settings, replace(connect(self.settings), **adapters), runtime)

    def invoke(self, function: str, work: Callable[[], Any]) -> Any:
        """Run one invocation, and note what it used."""
        log, slept = io.StringIO(), self._slept
        pushed, recorded = self._pushed(), self._history.calls
        with self.meter.measuring() as usage, _logging_to(log), using(self.engine):
            began = thread_time()
            try:
                return work()
            finally:
                cpu = thread_time() - began - usage.foreign_cpu
                text = log.getvalue()
                self._invocations.append(
                    Invocation(
                        function=function,
                        usage=usage,
                        cpu_seconds=cpu,
                        venue_seconds=self._slept - slept,
                        pushes=self._pushed() - pushed,
                        history_calls=self._history.calls - recorded,
                        log_lines=text.count("\n"),
                        log_bytes=len(text.encode()),
                    )
                )

    def take(self) -> list[Invocation]:
        """The invocations since the last time."""
        taken, self._invocations = self._invocations, []
        return taken

    def last_sent(self) -> list[tuple[str, str]]:
        """The messages that the last invocation sent, each with its queue."""
        return self._invocations[-1].usage.sent

    def items(self, table: str) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = self.aws.dynamodb.scan(TableName=table)["Items"]
        return found

    def _pushed(self) -> int:
        return sum(map(len, self._sockets.frames.values()))

    def _sleep(self, seconds: float) -> None:
        self._slept += seconds
        self.clock.sleep(seconds)

    def _add_key(self) -> str:
        boto3.client("secretsmanager", REGION).create_secret(Name=self.settings.auth_secret, SecretString=_SECRET)
        key = new_key(self.settings.stage)
        stored = ApiKey(key.id, USER, frozenset(Scope), key.digest(derived_key(_SECRET, LABEL)), 0)
        ApiKeyTable(self.aws.dynamodb, self.settings.api_keys_table).add(stored)
        return key.text


@contextmanager
def site(history: History | None = None) -> Iterator[Site]:
    """The engine on new and empty tables."""
    with aws(resources()) as stand_in:
        stand_in.start_over()
        clock = FakeClock()
        # The stores take the time from the process; here it is that of the virtual clock.
        with mock.patch("chalicelib.connect._now_ms", clock.now_ms):
            yield Site(stand_in, clock, history)


@contextmanager
def _logging_to(log: io.StringIO) -> Iterator[None]:
    """Write the engine's log lines as a function does, but to ``log``."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    try:
        with redirect_stdout(log):
            configure_logging()
            yield
    finally:
        root.handlers = handlers
        root.setLevel(level)
