"""The local stack that trials run on, with its own PostgreSQL server that a trial can stop."""

import json
import os
import shlex
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from chalicelib.clock import utc_now
from chalicelib.codec.events import event_from_json
from chalicelib.codec.looks import look_message
from chalicelib.codec.messages import order_message
from chalicelib.codec.times import to_ms
from chalicelib.domain.invariants import violations_of
from chalicelib.domain.orders import Order
from chalicelib.domain.status import TERMINAL, Status
from chalicelib.ports.orders import StoredOrder
from chalicelib.ports.queues import WatchdogLook
from chalicelib.stores.order_items import has_ended_shard
from infra.local.config import REGION
from infra.ops.deployment import local_deployment
from infra.ops.doctor import examine
from infra.ops.evidence import EvidenceReader
from infra.ops.items import evidence_of
from tests.bench.cpu import worker_seconds
from tests.e2e.client import Client
from tests.faults.result import Result
from tests.support.postgres import PostgresServer, postgres_server
from tests.support.stack import RunningStack, running_stack

#: Maximum wait for a condition. A correct engine is always faster.
PATIENCE_SECONDS = 240
_CLIENTS = 16
_CONFIG = Config(connect_timeout=5, read_timeout=70, retries={"total_max_attempts": 1}, max_pool_connections=_CLIENTS)
#: Short deadlines, so that the watchdog repairs orders while the trial runs.
ENVIRONMENT = {
    "VENUE_TIME_SCALE": "0.1",
    "RATE_LIMIT_PER_MINUTE": "0",
    "PENDING_DEADLINE_SECONDS": "5",
    "DEADLINE_GRACE_SECONDS": "5",
}
#: The venue times and deadlines of ``make run``, without its rate limit.
DEFAULT_TIMES = {"RATE_LIMIT_PER_MINUTE": "0"}

Item = Mapping[str, Any]


class StackUnderTest:
    """A running stack."""

    def __init__(self, stack: RunningStack, postgres: PostgresServer | None = None) -> None:
        self.stack = stack
        self._postgres = postgres
        self.client = Client(stack.endpoints["http"], stack.endpoints["ws"])
        lines = shlex.split((stack.state_dir / "app.env").read_text())
        #: Environment variables of the deployed functions.
        self.environment = dict(line.split("=", 1) for line in lines)
        session = boto3.Session("test", "test", region_name=REGION)
        where: Any = {"endpoint_url": stack.endpoints["aws"], "config": _CONFIG}
        self.sqs = session.client("sqs", **where)
        self.functions = session.client("lambda", **where)
        dynamodb = session.resource("dynamodb", **where)
        self.orders = dynamodb.Table(self.environment["ORDERS_TABLE"])
        self.threads = ThreadPoolExecutor(_CLIENTS)

    @property
    def postgres(self) -> PostgresServer:
        """The server that a trial can stop; a stack with a PostgreSQL of its own has none."""
        assert self._postgres is not None
        return self._postgres

    # --- actions -------------------------------------------------------------------------------------------

    def accept(self, number: int, user: str, simulate: Callable[[int], str | None] = lambda _: None) -> list[str]:
        """Submit this many orders concurrently; return their ids."""
        answers = self.threads.map(lambda one: self.client.accept(userId=user, simulate=simulate(one)), range(number))
        return [answer["orderId"] for answer in answers]

    def watch(self) -> None:
        """Run a look of the watchdog now."""
        event = {"Records": [{"messageId": "trial", "body": look_message(WatchdogLook(to_ms(utc_now())))}]}
        self.functions.invoke(FunctionName=self.function_name("RunLooks"), Payload=json.dumps(event).encode())

    def function_name(self, function: str) -> str:
        """Return the deployed name of a function by its logical name, such as ``ProcessOrders``."""
        names = [found["FunctionName"] for found in self.functions.list_functions()["Functions"]]
        return next(name for name in names if name.startswith(f"engine-local-{function}-"))

    def workers(self, function: str) -> list[int]:
        """Return the ids of the processes that run a function now."""
        return list(worker_seconds(self.stack.state_dir, f"engine-local-{function}-") or {})

    @contextmanager
    def environment_of(self, functions: Iterable[str], **changes: str) -> Iterator[None]:
        """Change environment variables of functions for the duration of the context."""
        names = [self.function_name(function) for function in functions]
        before = {
            name: self.functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
            for name in names
        }
        try:
            for name, variables in before.items():
                self._set_environment(name, {**variables, **changes})
            yield
        finally:
            for name, variables in before.items():
                self._set_environment(name, variables)

    def _set_environment(self, name: str, variables: Mapping[str, str]) -> None:
        self.functions.update_function_configuration(FunctionName=name, Environment={"Variables": dict(variables)})

    def send(self, body: str, delay_seconds: int = 0) -> None:
        """A message into the orders queue."""
        self.sqs.send_message(
            QueueUrl=self.environment["ORDERS_QUEUE_URL"], MessageBody=body, DelaySeconds=delay_seconds
        )

    def depth(self, queue: str) -> int:
        """Return the number of messages in a queue: visible, in flight and delayed."""
        names: Any = [f"ApproximateNumberOfMessages{kind}" for kind in ("", "NotVisible", "Delayed")]
        url = self.environment[f"{queue}_QUEUE_URL"]
        found = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(found[name]) for name in names)

    # --- reads ---------------------------------------------------------------------------------------------

    def item(self, order_id: str) -> Item | None:
        return self.orders.get_item(Key={"orderId": order_id}, ConsistentRead=True).get("Item")

    def items(self, ids: Iterable[str]) -> dict[str, Item]:
        """Return the items of the orders that exist, by order id."""
        found = self.threads.map(self.item, ids)
        return {str(item["orderId"]): item for item in found if item}

    def message_of(self, order_id: str) -> str:
        """Return the message that first queued the order."""
        item = self.item(order_id)
        assert item is not None
        spec = evidence_of(item, {}, None).spec
        assert spec is not None
        return order_message(StoredOrder(Order.replayed(order_id, spec, events_of(item)[:1])))

    def wait_for(
        self,
        ids: Iterable[str],
        done: Callable[[Item], bool],
        watch: bool = False,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> float:
        """Wait until each order meets a condition; return the duration in seconds. ``watch`` runs the watchdog.

        After ``patience_seconds`` the wait ends, and the checks of the trial report the remaining orders.
        """
        began = watched = time.monotonic()
        waiting = list(ids)
        while waiting and time.monotonic() - began < patience_seconds:
            items = self.items(waiting)
            waiting = [one for one in waiting if one not in items or not done(items[one])]
            if watch and time.monotonic() - watched > 2:
                self.watch()
                watched = time.monotonic()
            if waiting:
                time.sleep(0.1)
        return time.monotonic() - began

    def wait_until(self, done: Callable[[], bool]) -> bool:
        """Wait for a condition; return False if ``PATIENCE_SECONDS`` pass without it."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (held := done()) and time.monotonic() < deadline:
            time.sleep(0.2)
        return held

    def wait_until_finalized(self, ids: Iterable[str], watch: bool = False) -> float:
        """Wait until all orders are terminal and have no deadline; return the duration in seconds."""
        return self.wait_for(ids, is_finalized, watch)

    def judge(self, ids: list[str], result: Result) -> None:
        """Wait until the history has these orders, and add their violations to the result."""
        result.orders += len(ids)
        deadline = time.monotonic() + 20
        while (found := self._violations(ids)) and time.monotonic() < deadline:
            # The history of a terminal order may follow its last write by some seconds.
            time.sleep(0.5)
        result.violations += found

    def examine(self, result: Result, requests: int) -> None:
        """Add the findings of the doctor to the result, dead letters, and more orders than ``requests`` for them."""
        report = examine(local_deployment(self.stack.endpoints))
        result.violations += [f"doctor: {one.invariant} {one.order_id}: {one.detail}" for one in report.violations]
        result.violations += [report.history_missing] if report.history_missing else []
        result.violations += [
            f"{number} messages in {name}" for name, number in report.dead_letters.items() if number
        ]
        if report.statuses.total() > requests:
            result.violations.append(f"{requests} keys made {report.statuses.total()} orders")

    def _violations(self, ids: list[str]) -> list[str]:
        items = self.items(ids)
        found = [f"I3 {order_id}: accepted and not there" for order_id in ids if order_id not in items]
        found += [f"I3 {order_id}: {one['status']}" for order_id, one in items.items() if not is_terminal(one)]
        with closing(EvidenceReader(local_deployment(self.stack.endpoints))) as reader:
            swaps, copies = reader.swaps(), reader.copies(ids)
            found += [reader.history_missing] if reader.history_missing else []
        for order_id, item in items.items():
            evidence = evidence_of(item, swaps.get(order_id, {}), copies.get(order_id))
            judged = violations_of(evidence, int(time.time() * 1000), overdue_ms=60_000)
            found += [f"{one.invariant} {order_id}: {one.detail}" for one in judged]
        return found


def events_of(item: Item) -> tuple[Any, ...]:
    return tuple(event_from_json(text) for text in item["events"])


def is_finalized(item: Item) -> bool:
    """True if the order is terminal and recorded."""
    return is_terminal(item) and has_ended_shard(item.get("attentionShard"))


def is_terminal(item: Item) -> bool:
    return Status(item["status"]) in TERMINAL


def span_of(item: Item) -> tuple[int, int]:
    """Return the time of the first routing and of the last event of an order, in milliseconds since the epoch."""
    events = events_of(item)
    return to_ms(events[1].at), to_ms(events[-1].at)


@contextmanager
def a_state_directory() -> Iterator[Path]:
    """Make a directory for a stack, and delete it with its data at the end of the context."""
    with tempfile.TemporaryDirectory(prefix="faults-", ignore_cleanup_errors=True) as directory:
        # PostgreSQL runs as another user, which needs access to this directory.
        os.chmod(directory, 0o755)  # noqa: S103
        yield Path(directory)


@contextmanager
def a_stack_under_test(settings: Mapping[str, str] = ENVIRONMENT, **changes: str) -> Iterator[StackUnderTest]:
    """Start a new stack; stop it and delete its data at the end of the context."""
    with a_state_directory() as directory, postgres_server() as postgres:
        environment = {**settings, **changes, "DATABASE_URL": postgres.url}
        with running_stack(directory, environment) as stack:
            yield StackUnderTest(stack, postgres)
