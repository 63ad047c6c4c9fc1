"""What LocalStack's last free version serves of the engine's stack, and what it does not.

``make localstack-check`` runs these tests. They are skipped unless ``AWS_ENDPOINT_URL`` is a LocalStack.
"""

import json
import os
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from infra.aws.template import Template, load_template
from infra.project import ROOT

ADDRESS = os.environ.get("AWS_ENDPOINT_URL", "")
#: The types of the template that LocalStack creates from CloudFormation without Docker.
SERVED = {"AWS::SQS::Queue", "AWS::SQS::QueuePolicy", "AWS::SecretsManager::Secret"}
Aws = Callable[[str], Any]


def is_localstack() -> bool:
    try:
        with urllib.request.urlopen(f"{ADDRESS}/_localstack/health", timeout=5) as answer:  # noqa: S310
            return "edition" in json.loads(answer.read())
    except (OSError, ValueError):
        return False


pytestmark = pytest.mark.skipif(not is_localstack(), reason="AWS_ENDPOINT_URL is no LocalStack")


@pytest.fixture(scope="module")
def aws() -> Aws:
    session = boto3.Session("test", "test", region_name="us-east-1")
    config = Config(retries={"total_max_attempts": 1}, read_timeout=60)
    return lambda service: session.client(service, endpoint_url=ADDRESS, config=config)  # type: ignore[call-overload]


@pytest.fixture(scope="module")
def template() -> Template:
    """The engine's queues with their redrive and policies, and its secret."""
    whole = load_template(ROOT / "infra/aws/resources.yaml")
    kept = {name: one for name, one in whole["Resources"].items() if one.get("Type") in SERVED}
    for one in kept.values():
        one.get("Properties", {}).pop("RedriveAllowPolicy", None)
    return {"Resources": {name: one for name, one in kept.items() if one["Type"] != "AWS::SQS::QueuePolicy"}}


@pytest.fixture(scope="module")
def queues(aws: Aws, template: Template) -> Iterator[dict[str, str]]:
    """The addresses of the deployed queues by their logical names. The template is read from S3, as on AWS."""
    s3, cloudformation = aws("s3"), aws("cloudformation")
    s3.create_bucket(Bucket="engine-templates")
    s3.put_object(Bucket="engine-templates", Key="template.json", Body=json.dumps(template).encode())
    cloudformation.create_stack(StackName="engine", TemplateURL=f"{ADDRESS}/engine-templates/template.json")
    cloudformation.get_waiter("stack_create_complete").wait(StackName="engine", WaiterConfig={"Delay": 1})
    found = cloudformation.describe_stack_resources(StackName="engine")["StackResources"]
    yield {
        one["LogicalResourceId"]: one["PhysicalResourceId"]
        for one in found
        if one["ResourceType"] == "AWS::SQS::Queue"
    }
    cloudformation.delete_stack(StackName="engine")


def test_cloudformation_creates_every_queue_with_its_times_and_its_redrive(
    aws: Aws, template: Template, queues: dict[str, str]
) -> None:
    wanted = {name for name, one in template["Resources"].items() if one["Type"] == "AWS::SQS::Queue"}
    assert queues.keys() == wanted
    sqs = aws("sqs")
    for name, url in queues.items():
        properties = template["Resources"][name].get("Properties", {})
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        for attribute in ("VisibilityTimeout", "MessageRetentionPeriod"):
            if attribute in properties:
                assert found[attribute] == str(properties[attribute]), name
        if "RedrivePolicy" in properties:
            redrive = json.loads(found["RedrivePolicy"])
            assert int(redrive["maxReceiveCount"]) == properties["RedrivePolicy"]["maxReceiveCount"], name


def test_a_message_that_is_received_too_often_goes_to_the_dead_letter_queue(
    aws: Aws, template: Template, queues: dict[str, str]
) -> None:
    sqs = aws("sqs")
    properties = template["Resources"]["OrdersQueue"]["Properties"]
    sqs.send_message(QueueUrl=queues["OrdersQueue"], MessageBody="poison")
    for _ in range(properties["RedrivePolicy"]["maxReceiveCount"]):
        [message] = sqs.receive_message(QueueUrl=queues["OrdersQueue"], WaitTimeSeconds=10)["Messages"]
        sqs.change_message_visibility(
            QueueUrl=queues["OrdersQueue"], ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
        )
    assert "Messages" not in sqs.receive_message(QueueUrl=queues["OrdersQueue"])
    [dead] = sqs.receive_message(QueueUrl=queues["DeadLettersQueue"], WaitTimeSeconds=10)["Messages"]
    assert dead["Body"] == "poison"


@pytest.mark.parametrize(
    ("service", "call", "arguments"),
    [
        ("sts", "get_caller_identity", {}),
        ("iam", "list_roles", {}),
        ("secretsmanager", "list_secrets", {}),
        ("events", "list_rules", {}),
        ("cloudwatch", "describe_alarms", {}),
        ("logs", "describe_log_groups", {}),
        ("apigateway", "get_rest_apis", {}),
        ("lambda", "list_functions", {}),
    ],
)
def test_the_free_version_answers(aws: Aws, service: str, call: str, arguments: dict[str, Any]) -> None:
    assert getattr(aws(service), call)(**arguments)["ResponseMetadata"]["HTTPStatusCode"] == 200


@pytest.mark.parametrize(
    ("service", "call", "arguments"),
    [
        ("apigatewayv2", "create_api", {"Name": "sockets", "ProtocolType": "WEBSOCKET"}),
        ("apigatewaymanagementapi", "post_to_connection", {"ConnectionId": "x", "Data": b"frame"}),
        ("cloudfront", "list_distributions", {}),
    ],
)
def test_websocket_apis_and_cloudfront_need_a_licence(
    aws: Aws, service: str, call: str, arguments: dict[str, Any]
) -> None:
    if os.environ.get("LOCALSTACK_AUTH_TOKEN"):
        pytest.skip("LocalStack may have a licence")
    with pytest.raises(ClientError, match="not included in your current license plan"):
        getattr(aws(service), call)(**arguments)
