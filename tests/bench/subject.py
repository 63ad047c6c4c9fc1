"""The stack under measurement: its clients, its history and its queues; every wait is bounded."""

import shlex
import time
from collections.abc import Callable
from dataclasses import MISSING, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import psycopg
from botocore.config import Config

from chalicelib.settings import Settings, read_settings
from infra.local.config import REGION
from infra.project import ROOT
from tests.bench.errors import BenchError
from tests.support.stack import RunningStack

if TYPE_CHECKING:
    from mypy_boto3_apigateway import APIGatewayClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_sqs import SQSClient

_CONFIG = Config(connect_timeout=5, read_timeout=30, retries={"total_max_attempts": 1})
_IDLE_SECONDS = 300
_POLL_SECONDS = 0.2
_PREFIX = "engine-local-"
_DEPTH: Any = [
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
]


class Subject:
    """A running stack with the queries that the benchmarks need."""

    def __init__(self, stack: RunningStack, root: Path = ROOT) -> None:
        #: The zip of the deployed functions.
        self.package = root / "build" / "local" / "deployment.zip"
        self.aws = stack.endpoints["aws"]
        self.http, self.ws = stack.endpoints["http"], stack.endpoints["ws"]
        self.orders_url = f"{stack.endpoints['rest']}/api/orders/execute"
        self.state_dir: Path = stack.state_dir
        #: The management API of the sockets.
        self.management = stack.endpoints["websocket"].replace("ws", "http", 1)
        self.postgres = stack.endpoints["postgres"]
        lines = shlex.split((stack.state_dir / "app.env").read_text())
        #: The environment of the deployed functions.
        self.environment = dict(line.split("=", 1) for line in lines)
        # An earlier revision has no value for a resource that was added since.
        unknown = {field.name.upper(): "unknown" for field in fields(Settings) if field.default is MISSING}
        self.settings = read_settings(unknown | self.environment)
        session = boto3.Session("test", "test", region_name=REGION)
        self.sqs: SQSClient = session.client("sqs", endpoint_url=self.aws, config=_CONFIG)
        self.functions: LambdaClient = session.client("lambda", endpoint_url=self.aws, config=_CONFIG)
        self.secrets: Any = session.client("secretsmanager", endpoint_url=self.aws, config=_CONFIG)
        self.apis: APIGatewayClient = session.client("apigateway", endpoint_url=self.aws, config=_CONFIG)

    @property
    def orders_queue(self) -> str:
        return self.environment["ORDERS_QUEUE_URL"]

    def query(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        """The rows that a statement returns from the history."""
        with psycopg.connect(self.postgres, connect_timeout=5, autocommit=True) as connection:
            return connection.execute(statement.encode(), parameters).fetchall()

    def confirmed(self, user_id: str) -> int:
        """The number of a user's orders that are confirmed in the history."""
        rows = self.query("select count(*) from orders where user_id = %s and status = 'confirmed'", user_id)
        return int(rows[0][0])

    def is_drained(self, queue_url: str) -> bool:
        """Return whether a queue has no visible, in-flight or delayed messages."""
        answer = self.sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=_DEPTH)
        return not any(int(depth) for depth in answer["Attributes"].values())

    def is_idle(self) -> bool:
        """Return whether no message of the engine's waits or is in flight, but for looks."""
        queues = {name: url for name, url in self.environment.items() if name.endswith("_QUEUE_URL")}
        return all(self.is_drained(url) for name, url in queues.items() if name != "LOOKS_QUEUE_URL")

    def wait_until_idle(self) -> None:
        """Wait until the engine has done its work, also what it does some seconds later.

        :raises BenchError: if a message still waits after minutes.
        """
        wait_until(self.is_idle, _IDLE_SECONDS, _POLL_SECONDS, lambda: "messages wait in the queues")

    def function_names(self) -> list[str]:
        """The deployed names of the engine's functions."""
        found = self.functions.list_functions()["Functions"]
        return [one["FunctionName"] for one in found if one["FunctionName"].startswith(_PREFIX)]

    def function_name(self, function: str) -> str:
        """The deployed name of a function by its logical name, such as ``ProcessOrders``."""
        return next(name for name in self.function_names() if name.startswith(f"{_PREFIX}{function}-"))

    def statuses(self, user_id: str) -> str:
        """The number of a user's orders by status in the history, as text for an error message."""
        counts = "select status, count(*) from orders where user_id = %s group by status"
        return ", ".join(f"{number} {status}" for status, number in self.query(counts, user_id)) or "none"


def wait_until(done: Callable[[], bool], seconds: float, pause: float, failure: Callable[[], str]) -> float:
    """Poll ``done`` until it returns true, and return that time on the monotonic clock.

    :raises BenchError: with the text of ``failure`` if ``done`` stays false for ``seconds``.
    """
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            raise BenchError(f"not done after {seconds:.0f} s: {failure()}")
        time.sleep(pause)
    return time.monotonic()
