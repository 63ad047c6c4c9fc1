"""Sets, after a deployment, the properties that the emulator's CloudFormation ignores. See ``PATCHES.md``."""

from typing import Any

import boto3

from chalicelib.codec.looks import look_message
from chalicelib.ports.queues import LooksFromNow
from infra.aws.cors import ORIGIN
from infra.aws.template import Template
from infra.local.config import API_STAGE, REGION, LocalConfig


def limit_concurrency(session: boto3.Session, config: LocalConfig, template: Template, names: dict[str, str]) -> None:
    """Reserve each function's concurrency: the emulator's CloudFormation ignores ``ReservedConcurrentExecutions``.

    ``names`` are the functions' deployed names by their logical ones.
    """
    functions = session.client("lambda", endpoint_url=config.aws)
    for logical, resource in template["Resources"].items():
        limit = resource.get("Properties", {}).get("ReservedConcurrentExecutions")
        if limit is not None:
            functions.put_function_concurrency(FunctionName=names[logical], ReservedConcurrentExecutions=limit)


def repair_api(session: boto3.Session, config: LocalConfig, template: Template, api: str, origin: str) -> None:
    """Add the CORS preflights and gateway responses that the emulator's import of the REST API ignores.

    ``origin`` is the one that the template's conditions yield. Each API is repaired once for it: a changed API has a
    new id.
    """
    repaired, state = config.state_dir / "repaired-api", f"{api} {origin}"
    if repaired.exists() and repaired.read_text() == state:
        return
    gateway = session.client("apigateway", endpoint_url=config.aws)
    properties = template["Resources"]["RestAPI"]["Properties"]
    _repair_preflights(gateway, properties["DefinitionBody"]["paths"], api, origin)
    for kind, response in properties.get("GatewayResponses", {}).items():
        headers = _with_origin(response["ResponseParameters"]["Headers"], origin)
        gateway.put_gateway_response(
            restApiId=api,
            responseType=kind,
            statusCode=response["StatusCode"],
            responseParameters={f"gatewayresponse.header.{name}": value for name, value in headers.items()},
            responseTemplates=response["ResponseTemplates"],
        )
    gateway.create_deployment(restApiId=api, stageName=API_STAGE)
    repaired.write_text(state)


def _with_origin(headers: dict[str, Any], origin: str) -> dict[str, str]:
    """The headers with the text of the allowed origin in place of the template's conditions."""
    texts = {name: value for name, value in headers.items() if value != ORIGIN}
    conditional = headers.keys() - texts.keys()
    return texts | dict.fromkeys(conditional, f"'{origin}'") if origin else texts


def _repair_preflights(gateway: Any, paths: dict[str, Any], api: str, origin: str) -> None:
    """Set the headers of the mock answers that Chalice generates for CORS."""
    wanted = {path: methods["options"] for path, methods in paths.items() if "options" in methods}
    if not wanted:
        return
    pages = gateway.get_paginator("get_resources").paginate(restApiId=api)
    ids = {item["path"]: item["id"] for page in pages for item in page["items"]}
    for path, options in wanted.items():
        answer: Any = {"restApiId": api, "resourceId": ids[path], "httpMethod": "OPTIONS", "statusCode": "200"}
        default = options["x-amazon-apigateway-integration"]["responses"]["default"]
        headers = _with_origin(default["responseParameters"], origin)
        gateway.put_method_response(**answer, responseParameters=dict.fromkeys(headers, False))
        gateway.put_integration_response(**answer, responseParameters=headers)


def run_first_schedule(config: LocalConfig, looks_queue: str) -> None:
    """Ask for looks from now on: a schedule first runs a minute after its creation.

    Until then an open order whose price or expiry has come would wait. Additional looks are harmless: each change is
    one conditional write.
    """
    session = boto3.Session("test", "test", region_name=REGION)
    queues = session.client("sqs", endpoint_url=config.aws)
    queues.send_message(QueueUrl=looks_queue, MessageBody=look_message(LooksFromNow()))
