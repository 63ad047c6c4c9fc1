"""Deploys the no-op into the emulator that runs the engine, with the engine's concurrency."""

import io
import zipfile
from pathlib import Path
from typing import Any

from infra.project import PYTHON
from tests.bench import noop
from tests.bench.subject import Subject

API = "bench-noop-api"
PROCESSOR = "bench-noop-processor"
_CONCURRENCY = 10


def deploy(subject: Subject) -> tuple[str, str]:
    """Deploy the no-op, and return its POST URL and its queue's URL."""
    queue = subject.sqs.create_queue(QueueName="bench-noop", Attributes={"VisibilityTimeout": "360"})["QueueUrl"]
    attributes = subject.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    code = _code(subject)
    front = _function(subject, f"{API}-0", "noop.app", code, queue, timeout=29)
    _function(subject, f"{PROCESSOR}-0", "noop.process", code, queue, timeout=60)
    subject.functions.put_function_concurrency(
        FunctionName=f"{PROCESSOR}-0", ReservedConcurrentExecutions=_CONCURRENCY
    )
    subject.functions.create_event_source_mapping(
        EventSourceArn=attributes["QueueArn"],
        FunctionName=f"{PROCESSOR}-0",
        BatchSize=1,
        FunctionResponseTypes=["ReportBatchItemFailures"],
        ScalingConfig={"MaximumConcurrency": _CONCURRENCY},
    )
    return f"{subject.aws}/_aws/execute-api/{_api(subject, front)}/api/orders", queue


def _code(subject: Subject) -> bytes:
    """The engine's zip with the no-op's module added."""
    packed = io.BytesIO(subject.package.read_bytes())
    with zipfile.ZipFile(packed, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.write(Path(noop.__file__), "noop.py")
    return packed.getvalue()


def _function(subject: Subject, name: str, handler: str, code: bytes, queue: str, timeout: int) -> str:
    runtime: Any = f"python{PYTHON}"
    created = subject.functions.create_function(
        FunctionName=name,
        Runtime=runtime,
        Role="arn:aws:iam::000000000000:role/bench-noop",
        Handler=handler,
        Code={"ZipFile": code},
        MemorySize=512,
        Timeout=timeout,
        Environment={"Variables": {"NOOP_QUEUE_URL": queue, "AWS_ENDPOINT_URL": subject.aws}},
    )
    return created["FunctionArn"]


def _api(subject: Subject, function: str) -> str:
    apis = subject.apis
    api = apis.create_rest_api(name="bench-noop")["id"]
    root = apis.get_resources(restApiId=api)["items"][0]["id"]
    path = apis.create_resource(restApiId=api, parentId=root, pathPart="orders")["id"]
    apis.put_method(restApiId=api, resourceId=path, httpMethod="POST", authorizationType="NONE")
    region = subject.apis.meta.region_name
    apis.put_integration(
        restApiId=api,
        resourceId=path,
        httpMethod="POST",
        type="AWS_PROXY",
        integrationHttpMethod="POST",
        uri=f"arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{function}/invocations",
    )
    apis.create_deployment(restApiId=api, stageName="api")
    return api
