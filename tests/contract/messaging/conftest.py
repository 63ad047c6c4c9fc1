"""The queues under test: each fake, and its SQS twin on the deployed template's queues.

The twin runs on moto, or on the emulator at ``AWS_ENDPOINT_URL``.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

from chalicelib.codec.replays import replay_message
from chalicelib.messaging.queues import SqsHighPriorityQueue, SqsLookQueue, SqsOrderQueue, SqsReplayQueue
from orderengine.testing.fakes.queue import FakeOrderQueue
from orderengine.testing.fakes.streams import FakeReplayQueue
from tests.contract.stores.aws import Aws, aws, emulated_queues, resources, settings


@dataclass(frozen=True)
class Queued:
    """A queue, and a function that removes and returns the bodies that it would deliver now."""

    queue: Any
    bodies: Callable[[], list[str]]


@dataclass(frozen=True)
class Sqs:
    """A queue on moto, its client and its address."""

    queue: Any
    client: Any
    url: str

    def receive(self) -> list[dict[str, Any]]:
        answer: dict[str, list[dict[str, Any]]]
        answer = self.client.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10)
        return answer.get("Messages", [])

    def bodies(self) -> list[str]:
        found: list[str] = []
        while messages := self.receive():
            found += [message["Body"] for message in messages]
        return found


@pytest.fixture(scope="module")
def module_aws() -> Iterator[Aws]:
    address = os.environ.get("AWS_ENDPOINT_URL")
    with emulated_queues(resources(), address) if address else aws(resources()) as made:
        yield made


@pytest.fixture
def sqs_orders(module_aws: Aws) -> Sqs:
    module_aws.start_over()
    url = settings().orders_queue_url
    return Sqs(SqsOrderQueue(module_aws.sqs, url, settings().high_priority_queue_url), module_aws.sqs, url)


@pytest.fixture
def sqs_high_priority(sqs_orders: Sqs) -> Sqs:
    """The high-priority queue. It depends on the orders queue, whose fixture creates all queues anew."""
    url = settings().high_priority_queue_url
    return Sqs(
        SqsHighPriorityQueue(sqs_orders.client, url, seconds=15, monotonic=count(step=10).__next__),
        sqs_orders.client,
        url,
    )


@pytest.fixture
def sqs_replays(module_aws: Aws) -> Sqs:
    module_aws.start_over()
    url = settings().replay_queue_url
    return Sqs(SqsReplayQueue(module_aws.sqs, url), module_aws.sqs, url)


@pytest.fixture
def sqs_looks(module_aws: Aws) -> Sqs:
    module_aws.start_over()
    url = settings().looks_queue_url
    return Sqs(SqsLookQueue(module_aws.sqs, module_aws.sqs, url), module_aws.sqs, url)


@pytest.fixture(params=["fake", "sqs"])
def order_queue(request: pytest.FixtureRequest) -> Queued:
    if request.param == "fake":
        fake = FakeOrderQueue()
        return Queued(fake, lambda: list(fake.bodies))
    sqs: Sqs = request.getfixturevalue("sqs_orders")
    return Queued(sqs.queue, sqs.bodies)


@pytest.fixture(params=["fake", "sqs"])
def replay_queue(request: pytest.FixtureRequest) -> Queued:
    if request.param == "fake":
        fake = FakeReplayQueue()
        return Queued(fake, lambda: [replay_message(replay) for replay, _ in fake.sent])
    sqs: Sqs = request.getfixturevalue("sqs_replays")
    return Queued(sqs.queue, sqs.bodies)
