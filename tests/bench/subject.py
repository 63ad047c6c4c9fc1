"""The stack under measurement: its clients, its history and its queues; every wait is bounded."""

import shlex
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import psycopg
from botocore.config import Config

from infra.local.config import REGION
from tests.bench.errors import BenchError
from tests.support.stack import RunningStack

if TYPE_CHECKING:
    from mypy_boto3_apigateway import APIGatewayClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_sqs import SQSClient

_CONFIG = Config(connect_timeout=5, read_timeout=30, retries={"total_max_attempts": 1})
_DEPTH: Any = [
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
]


class Subject:
    """A running stack with the queries that the benchmarks need."""

    def __init__(self, stack: RunningStack) -> None:
        self.aws = stack.endpoints["aws"]
        self.http, self.ws = stack.endpoints["http"], stack.endpoints["ws"]
        self.orders_url = f"{stack.endpoints['rest']}/api/orders/execute"
        self.state_dir: Path = stack.state_dir
        self._postgres = stack.endpoints["postgres"]
        lines = shlex.split((stack.state_dir / "app.env").read_text())
        #: The environment of the deployed functions.
        self.environment = dict(line.split("=", 1) for line in lines)
        session = boto3.Session("test", "test", region_name=REGION)
        self.sqs: SQSClient = session.client("sqs", endpoint_url=self.aws, config=_CONFIG)
        self.functions: LambdaClient = session.client("lambda", endpoint_url=self.aws, config=_CONFIG)
        self.apis: APIGatewayClient = session.client("apigateway", endpoint_url=self.aws, config=_CONFIG)

    @property
    def orders_queue(self) -> str:
        return self.environment["ORDERS_QUEUE_URL"]

    def query(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        """The rows that a statement returns from the history."""
        with psycopg.connect(self._postgres, connect_timeout=5, autocommit=True) as connection:
            return connection.execute(statement.encode(), parameters).fetchall()

    def confirmed(self, user_id: str) -> int:
        """The number of a user's orders that are confirmed in the history."""
        rows = self.query("select count(*) from orders where user_id = %s and status = 'confirmed'", user_id)
        return int(rows[0][0])

    def is_drained(self, queue_url: str) -> bool:
        """Return whether a queue has no visible, in-flight or delayed messages."""
        answer = self.sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=_DEPTH)
        return not any(int(depth) for depth in answer["Attributes"].values())

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
