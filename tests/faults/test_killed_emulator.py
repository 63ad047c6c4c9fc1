"""A kill of the emulator, which holds all tables and queues, takes back nothing that the engine answered."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from infra.ops.deployment import local_deployment
from infra.ops.doctor import examine
from tests.bench.cpu import emulator_seconds
from tests.e2e.client import Client
from tests.support.stack import running_stack

ORDERS = 20
ENVIRONMENT = {"VENUE_TIME_SCALE": "0.1", "RATE_LIMIT_PER_MINUTE": "0"}


@pytest.mark.stack
def test_every_accepted_order_is_executed_after_a_kill_of_the_emulator(tmp_path: Path) -> None:
    with running_stack(tmp_path, ENVIRONMENT) as stack, ThreadPoolExecutor(8) as threads:
        client = Client(stack.endpoints["http"], stack.endpoints["ws"])
        users = [f"user-{number % 5}" for number in range(ORDERS)]
        ids = [answer["orderId"] for answer in threads.map(lambda user: client.accept(userId=user), users)]
        (emulator,) = emulator_seconds(tmp_path)
        os.kill(emulator, signal.SIGKILL)
        assert stack.wait(60) == 1
    with running_stack(tmp_path, ENVIRONMENT) as stack:
        client = Client(stack.endpoints["http"], stack.endpoints["ws"])
        for order_id in ids:
            client.ended(order_id)
        assert not examine(local_deployment(stack.endpoints)).violations
