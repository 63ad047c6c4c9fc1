"""The stacks that requests are sent to."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3

from chalicelib.domain.identity import Scope
from infra.ops.deployment import local_deployment
from tests.e2e.client import Client
from tests.fuzz.fuzzing import Fuzz
from tests.support.locked import SETTINGS, WITHOUT_SOCKET_LIMITS, LockedStack
from tests.support.stack import RunningStack, running_stack


@contextlib.contextmanager
def a_fuzz(auth: str, state_dir: Path) -> Iterator[Fuzz]:
    """Requests to a stack of its own, with this ``AUTH``."""
    with running_stack(state_dir, {**SETTINGS, **WITHOUT_SOCKET_LIMITS, "AUTH": auth}) as stack:
        http, ws = stack.endpoints["http"], stack.endpoints["ws"]
        locked = LockedStack(stack, local_deployment(stack.endpoints))
        key = locked.key("operator", *Scope) if auth == "on" else None
        stranger = Client(http, ws) if auth == "on" else None
        yield Fuzz(Client(http, ws, key), stranger, stored=lambda: stored_orders(stack))


def stored_orders(stack: RunningStack) -> set[str]:
    """The ids of all items of the orders table."""
    dynamodb: Any = boto3.resource(
        "dynamodb",
        endpoint_url=stack.endpoints["aws"],
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    table = next(table for table in dynamodb.tables.all() if "orderstable" in table.name.lower())
    found: set[str] = set()
    start: dict[str, Any] = {}
    while True:
        page = table.scan(ProjectionExpression="orderId", ConsistentRead=True, **start)
        found.update(item["orderId"] for item in page["Items"])
        if "LastEvaluatedKey" not in page:
            return found
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
