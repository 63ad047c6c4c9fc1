"""The complete system, deployed as ``make run`` deploys it: once without authentication, and once with it.

With ``RUNNING_STACK=.local`` the tests use the stack that ``make run`` started in that directory. With
``AWS_ENDPOINT_URL`` they deploy to the emulator that runs there, and start the front door and PostgreSQL themselves,
unless ``DATABASE_URL`` names one.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from tests.e2e.client import Client
from tests.support.locked import locked_stack, operated
from tests.support.stack import RunningStack, running_stack, stack_running_in

#: Maximum number of open limit and sniper orders per user.
OPEN_ORDERS = 20
#: Settings of the stack: venue latencies divided by ten, no rate limit, and few open orders per user. A busy machine
#: may quote late, and a second attempt would change what the tests compare.
STACK_SETTINGS = {
    "VENUE_TIME_SCALE": "0.1",
    "QUOTE_TIMEOUT_SECONDS": "5",
    "RATE_LIMIT_PER_MINUTE": "0",
    "MARKET_TICK_SECONDS": "1",
    "MAX_OPEN_ORDERS_PER_USER": str(OPEN_ORDERS),
}
#: The variables of servers that the caller has. ``FUNCTIONS_DATABASE_URL`` is as in ``make deploy-local``.
FOREIGN = ("AWS_ENDPOINT_URL", "DATABASE_URL", "FUNCTIONS_DATABASE_URL")
#: The modules that run on both stacks. What the others test comes after the check of credentials and is the same on
#: both, so they run on the one with authentication, as a deployment has it.
_ON_BOTH_STACKS = {
    "test_golden_session",
    "test_http_surface",
    "test_market_order",
    "test_page",
    "test_smoke",
}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what runs on the stack with authentication alone, unless the caller's stack has none."""
    if os.environ.get("RUNNING_STACK") or os.environ.get("AWS_ENDPOINT_URL"):
        return
    left = {one for one in items if _is_repetition(one)}
    config.hook.pytest_deselected(items=[*left])
    items[:] = [one for one in items if one not in left]


def _is_repetition(item: pytest.Item) -> bool:
    return (
        Path(__file__).parent in item.path.parents and "[open" in item.name and item.path.stem not in _ON_BOTH_STACKS
    )


@pytest.fixture(scope="session", params=["open", "locked"])
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """The running system. Where it is locked, its key is an operator's, who may act for every user."""
    state_dir: Path = tmp_path_factory.mktemp("stack")
    if running := os.environ.get("RUNNING_STACK"):
        if request.param == "locked":
            pytest.skip("the running stack has no authentication")
        yield stack_running_in(Path(running))
    elif os.environ.get("AWS_ENDPOINT_URL"):
        if request.param == "locked":
            pytest.skip("the emulator has one stack, which has no authentication")
        foreign = {name: os.environ[name] for name in FOREIGN if name in os.environ}
        with running_stack(state_dir, STACK_SETTINGS | foreign, timeout_seconds=600) as stack:
            yield stack
    elif request.param == "locked":
        with locked_stack(state_dir, **STACK_SETTINGS) as locked:
            yield operated(locked)
    else:
        with running_stack(state_dir, STACK_SETTINGS) as stack:
            yield stack


@pytest.fixture(scope="session")
def client(stack: RunningStack) -> Client:
    return Client(stack.endpoints["http"], stack.endpoints["ws"], stack.key)


@pytest.fixture(scope="module")
def leaves_no_open_orders(client: Client) -> Iterator[None]:
    """Cancels the open orders of a module, which would count against the limit of the next one."""
    yield
    for user in {order.user_id for order in client.engine.orders(status="open")}:
        client.engine.cancel_all(user)


@pytest.fixture(scope="session")
def tables(stack: RunningStack) -> "dict[str, object]":
    """The deployed DynamoDB tables: ``orders``, ``ledger``, ``streams``, ``idempotency``, ``market``."""
    dynamodb = boto3.resource(
        "dynamodb",
        endpoint_url=stack.endpoints["aws"],
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    found: dict[str, object] = {}
    for table in dynamodb.tables.all():
        for name in ("orders", "ledger", "streams", "idempotency", "market"):
            if f"{name}table" in table.name.lower():
                found[name] = table
    return found
