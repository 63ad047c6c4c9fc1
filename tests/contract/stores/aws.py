"""DynamoDB and SQS in this process: moto, with the tables and queues of the template that is deployed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.exceptions import ReadTimeoutError
from moto import mock_aws
from moto.core.botocore_stubber import BotocoreStubber

from chalicelib.settings import Settings
from infra.aws.template import Template, load_template
from infra.project import ROOT

REGION = "us-east-1"
#: The properties of a resource that moto supports.
_TABLE = ("KeySchema", "AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes")
_QUEUE = ("VisibilityTimeout", "MessageRetentionPeriod")
#: The account of the queues' addresses, which is moto's too.
_ACCOUNT = "123456789012"


@dataclass
class Wire:
    """The connection to moto. Requests go one at a time, as DynamoDB handles those for one item.

    ``lose_answer_to`` names operations whose next request is carried out while its answer is lost.
    """

    lock: Lock = field(default_factory=Lock)
    lose_answer_to: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)

    def carry(self, stubber: BotocoreStubber, event_name: str, request: AWSPreparedRequest, **rest: Any) -> Any:
        operation = event_name.rsplit(".", 1)[-1]
        with self.lock:
            self.calls.append(operation)
            answer = _moto(stubber, event_name, request, **rest)
            if operation in self.lose_answer_to:
                self.lose_answer_to.remove(operation)
                raise ReadTimeoutError(endpoint_url=str(request.url))
            return answer


_moto = BotocoreStubber.__call__


@dataclass
class Aws:
    """The tables and queues of ``template``, in moto or an emulator."""

    template: Template
    wire: Wire
    dynamodb: Any
    sqs: Any

    def start_over(self) -> None:
        """Create all tables and queues anew, empty."""
        self.wire.lose_answer_to.clear()
        self.delete_all()
        for name, resource in self.template["Resources"].items():
            properties = resource.get("Properties", {})
            if resource.get("Type") == "AWS::DynamoDB::Table":
                wanted = {key: properties[key] for key in _TABLE if key in properties}
                self.dynamodb.create_table(TableName=name, **wanted)
            elif resource.get("Type") == "AWS::SQS::Queue":
                attributes = {key: str(properties[key]) for key in _QUEUE if key in properties}
                self.sqs.create_queue(QueueName=name, Attributes=attributes)
        self.wire.calls.clear()

    def delete_all(self) -> None:
        for name in self.dynamodb.list_tables()["TableNames"]:
            self.dynamodb.delete_table(TableName=name)
        for url in self.sqs.list_queues().get("QueueUrls", []):
            self.sqs.delete_queue(QueueUrl=url)


@contextmanager
def aws(template: Template) -> Iterator[Aws]:
    """moto for the duration of the context; it is empty before ``start_over``."""
    wire = Wire()
    with pytest.MonkeyPatch.context() as patch:
        for variable in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_DEFAULT_PROFILE"):
            patch.delenv(variable, raising=False)
        patch.setattr(BotocoreStubber, "__call__", lambda stubber, *args, **rest: wire.carry(stubber, *args, **rest))
        with mock_aws():
            yield Aws(template, wire, boto3.client("dynamodb", REGION), boto3.client("sqs", REGION))


@contextmanager
def emulated_queues(template: Template, address: str) -> Iterator[Aws]:
    """The emulator at ``address``, without tables: not every emulator has DynamoDB."""
    # Emulators take the account of a call from its access key.
    sqs: Any = boto3.client(
        "sqs", REGION, endpoint_url=address, aws_access_key_id=_ACCOUNT, aws_secret_access_key="test"
    )
    queues = {name: one for name, one in template["Resources"].items() if one.get("Type") == "AWS::SQS::Queue"}
    made = Aws({"Resources": queues}, Wire(), _NoTables(), sqs)
    yield made
    made.delete_all()


class _NoTables:
    def list_tables(self) -> dict[str, list[str]]:
        return {"TableNames": []}


def resources() -> Template:
    """The tables and queues as they are deployed."""
    return load_template(ROOT / "infra/aws/resources.yaml")


def settings() -> Settings:
    """Settings for the resources of ``aws``, which have their logical names."""
    queues = f"https://sqs.{REGION}.amazonaws.com/{_ACCOUNT}"
    return Settings(
        orders_table="OrdersTable",
        streams_table="StreamsTable",
        ledger_table="LedgerTable",
        idempotency_table="IdempotencyTable",
        rate_limit_table="RateLimitTable",
        market_table="MarketTable",
        api_keys_table="ApiKeysTable",
        orders_queue_url=f"{queues}/OrdersQueue",
        high_priority_queue_url=f"{queues}/HighPriorityQueue",
        dead_letters_queue_url=f"{queues}/DeadLettersQueue",
        unprocessable_queue_url=f"{queues}/UnprocessableQueue",
        replay_queue_url=f"{queues}/ReplayQueue",
        fan_out_queue_url=f"{queues}/FanOutQueue",
        looks_queue_url=f"{queues}/LooksQueue",
        websocket_endpoint="http://localhost",
        public_ws_url="ws://localhost/ws",
        database_secret="DatabaseSecret",
        auth_secret="AuthSecret",
        stage="local",
        auth=False,
        aws_region=REGION,
    )
