"""Part C: the AWS calls of one order, counted in this process at the SDK.

The order passes through the engine's submit and processor code against the stack's tables, but over a queue without
a consumer, so that the deployed processor does not receive it first. On AWS the event source mapping receives and
deletes the message; these calls are not counted.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest import mock

from botocore.client import BaseClient

from chalicelib.bootstrap import build_engine
from chalicelib.connect import connect
from chalicelib.consumers.batch import Record
from chalicelib.consumers.orders import process_orders
from chalicelib.engine import Engine
from tests.bench.errors import BenchError
from tests.bench.orders import spec_of
from tests.bench.subject import Subject
from tests.bench.sustained import ORDER
from tests.support.callers import ANYONE

#: The counter of items that queries read; it is not an AWS call.
READ = "items read by queries"
_USER = "bench-calls"


@dataclass(frozen=True)
class Call:
    """A call to AWS, and the client that made it."""

    client: Any
    operation: str
    parameters: Any

    @property
    def name(self) -> str:
        return f"{self.client.meta.service_model.service_name} {self.operation}"


class Line:
    """The engine in this process, on a queue of its own in the stack."""

    def __init__(self, subject: Subject) -> None:
        self._sqs = subject.sqs
        self._queue = subject.sqs.create_queue(QueueName="bench-calls")["QueueUrl"]
        settings = replace(
            subject.settings,
            orders_queue_url=self._queue,
            # The deployed watchdog leaves these orders alone, also those of calls that are made again later.
            pending_deadline_seconds=3600,
            deadline_grace_seconds=3600,
        )
        self.engine: Engine = build_engine(settings, connect(settings))

    def submit(self) -> str:
        """Submit an order and return its id."""
        return self.engine.submit(ANYONE, spec_of({**ORDER, "userId": _USER})).order_id

    def receive(self) -> Record:
        """Take the next message off the queue, in the form in which Lambda hands it to the processor.

        :raises BenchError: if there is none.
        """
        answer = self._sqs.receive_message(
            QueueUrl=self._queue, WaitTimeSeconds=5, MessageSystemAttributeNames=["All"], VisibilityTimeout=600
        )
        for message in answer.get("Messages", ()):
            return {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": message["Attributes"],
            }
        raise BenchError("an order that was submitted came as no message")

    def execute(self, record: Record) -> None:
        """:raises BenchError: if the processor does not finish the message."""
        if failures := process_orders(self.engine, {"Records": [record]})["batchItemFailures"]:
            raise BenchError(f"the processor did not finish an order: {failures}")

    def delete(self, record: Record) -> None:
        self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=record["receiptHandle"])


def count(subject: Subject) -> dict[str, dict[str, int]]:
    """Return the number of calls of each operation, under ``submit`` and under ``execute``.

    :raises BenchError: if the order is not confirmed.
    """
    with mock.patch.dict(os.environ, subject.environment):
        line = Line(subject)
        _order(line)
        return _order(line)


def _order(line: Line) -> dict[str, dict[str, int]]:
    with counting() as submitting:
        order_id = line.submit()
    record = line.receive()
    with counting() as executing:
        line.execute(record)
    line.delete(record)
    status = line.engine.queries.order(ANYONE, order_id).current_status.value
    if status != "confirmed":
        raise BenchError(f"the order whose calls were counted is {status}")
    for made in (submitting, executing):
        made.pop(READ, None)
    return {"submit": dict(submitting), "execute": dict(executing)}


@contextmanager
def counting() -> Iterator[Counter[str]]:
    """Count the calls of every boto3 and pynamodb client in this process, and the items that queries read."""
    made: Counter[str] = Counter()

    def count_call(call: Call, answer: Any) -> None:
        made[call.name] += 1
        if call.operation == "Query":
            made[READ] += answer["ScannedCount"]

    with observing(count_call):
        yield made


@contextmanager
def observing(observe: Callable[[Call, Any], None]) -> Iterator[None]:
    """Pass every call of a boto3 or pynamodb client in this process, with its answer, to ``observe``."""
    send = BaseClient._make_api_call  # type: ignore[attr-defined]

    def observed(client: Any, operation: str, parameters: Any) -> Any:
        answer = send(client, operation, parameters)
        observe(Call(client, operation, parameters), answer)
        return answer

    with mock.patch.object(BaseClient, "_make_api_call", observed):
        yield
