"""Part C: the AWS calls of one order, counted in this process at the SDK.

The order passes through the engine's submit and processor code against the stack's tables, but over a queue without
a consumer, so that the deployed processor does not receive it first. On AWS the event source mapping receives and
deletes the message; these calls are not counted.
"""

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest import mock

from botocore.client import BaseClient

from chalicelib.adapters import connect
from chalicelib.bootstrap import build_engine
from chalicelib.consumers.orders import process_orders
from chalicelib.engine import Engine
from chalicelib.settings import read_settings
from tests.bench.errors import BenchError
from tests.bench.orders import spec_of
from tests.bench.subject import Subject
from tests.bench.sustained import ORDER
from tests.support.callers import ANYONE

#: The counter of items that queries read; it is not an AWS call.
READ = "items read by queries"
_USER = "bench-calls"


def count(subject: Subject) -> dict[str, dict[str, int]]:
    """Return the number of calls of each operation, under ``submit`` and under ``execute``.

    :raises BenchError: if the order is not confirmed.
    """
    queue = subject.sqs.create_queue(QueueName="bench-calls")["QueueUrl"]
    with mock.patch.dict(os.environ, subject.environment):
        settings = replace(read_settings(subject.environment), orders_queue_url=queue)
        engine = build_engine(settings, connect(settings))
        _order(subject, engine, queue)
        return _order(subject, engine, queue)


def _order(subject: Subject, engine: Engine, queue: str) -> dict[str, dict[str, int]]:
    with counting() as submitting:
        submission = engine.submit(ANYONE, spec_of({**ORDER, "userId": _USER}))
    messages = subject.sqs.receive_message(
        QueueUrl=queue, WaitTimeSeconds=5, MessageSystemAttributeNames=["All"]
    ).get("Messages", [])
    records = [
        {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message["Attributes"],
        }
        for message in messages
    ]
    with counting() as executing:
        failures = process_orders(engine, {"Records": records})["batchItemFailures"]
    for message in messages:
        subject.sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    status = engine.queries.order(ANYONE, submission.order_id).current_status.value
    if len(records) != 1 or failures or status != "confirmed":
        raise BenchError(f"the order whose calls were counted came as {len(records)} messages and is {status}")
    for made in (submitting, executing):
        made.pop(READ, None)
    return {"submit": dict(submitting), "execute": dict(executing)}


@contextmanager
def counting() -> Iterator[Counter[str]]:
    """Count the calls of every boto3 and pynamodb client in this process, and the items that queries read."""
    made: Counter[str] = Counter()
    call = BaseClient._make_api_call  # type: ignore[attr-defined]

    def counted(client: Any, operation: str, parameters: Any) -> Any:
        made[f"{client.meta.service_model.service_name} {operation}"] += 1
        answer = call(client, operation, parameters)
        if operation == "Query":
            made[READ] += answer["ScannedCount"]
        return answer

    with mock.patch.object(BaseClient, "_make_api_call", counted):
        yield made
