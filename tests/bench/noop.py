"""The no-op: the engine's chain of REST API, SQS and Lambda with handlers that do no work.

The benchmark deploys this module in the zip of the engine's code. Both handlers print a line, as the engine's do,
because the emulator otherwise waits 50 ms for one.
"""

import json
import os
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3
from chalice.app import Chalice, Response, SQSEvent

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

app = Chalice(app_name="noop")


@cache
def _sqs() -> "SQSClient":
    return boto3.client("sqs")


@app.route("/orders", methods=["POST"])
def accept() -> Response:
    assert app.current_request
    order = {"orderId": str(uuid4()), **app.current_request.json_body}
    _sqs().send_message(QueueUrl=os.environ["NOOP_QUEUE_URL"], MessageBody=json.dumps(order))
    print("accepted")
    return Response({"orderId": order["orderId"]}, status_code=202)


@app.on_sqs_message(queue="noop")
def process(event: SQSEvent) -> dict[str, Any]:
    print("processed")
    return {"batchItemFailures": []}
