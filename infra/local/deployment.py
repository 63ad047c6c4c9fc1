"""Deploys the app into the emulator, and mends what the emulator's CloudFormation leaves undone."""

import json
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

from infra.deploy import Deployer
from infra.local.config import API_STAGE, REGION, STACK, LocalConfig
from infra.package import Package, Template

#: What a schedule tells a function, all of which Chalice reads before it calls one.
_AS_SCHEDULED = {
    "version": "0",
    "id": "first-look",
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "account": "000000000000",
    "time": "1970-01-01T00:00:00Z",
    "region": REGION,
    "resources": [],
    "detail": {},
}


@dataclass(frozen=True)
class Deployed:
    """Where the emulator serves the app, and with what environment it runs."""

    rest: str
    websocket: str
    environment: dict[str, str]
    market_watcher: str


def deploy(config: LocalConfig, packaged: Package, database_url: str) -> Deployed:
    """Brings the emulator's stack to ``packaged``; tables and queues keep what is in them."""
    session = boto3.Session("test", "test", region_name=REGION)
    parameters = config.parameters | {
        "AwsEndpointUrl": config.aws,
        "PublicWsUrl": f"ws://localhost:{config.port}/ws",
        "DatabaseUrl": database_url,
    }
    deployer = Deployer(session, config.aws, poll_seconds=0.05)
    outputs = deployer.deploy(STACK, packaged, parameters)
    template: Template = json.loads(packaged.template.read_text())
    aws = session.client("cloudformation", endpoint_url=config.aws)
    resources = aws.describe_stack_resources(StackName=STACK)["StackResources"]
    names = {found["LogicalResourceId"]: found["PhysicalResourceId"] for found in resources}
    _limit_concurrency(session, config, template, names)
    _mend_api(session, config, template, outputs["RestAPIId"])
    functions = session.client("lambda", endpoint_url=config.aws)
    deployed = functions.get_function_configuration(FunctionName=names["APIHandler"])
    base = f"{config.aws}/_aws/execute-api"
    return Deployed(
        rest=f"{base}/{outputs['RestAPIId']}/{API_STAGE}",
        websocket=f"{base}/{outputs['WebsocketAPIId']}/{API_STAGE}".replace("http", "ws", 1),
        environment=deployed["Environment"]["Variables"],
        market_watcher=names["WatchMarket"],
    )


def watch_market(config: LocalConfig, deployed: Deployed) -> None:
    """Has the market watched from now on, once the history has its tables.

    The emulator counts a schedule's minute from the rule's creation, so nobody would look in the first one: an order
    whose price is there, or whose time is up, would wait for most of it. Two who look at once change nothing twice.
    """
    session = boto3.Session("test", "test", region_name=REGION)
    functions = session.client("lambda", endpoint_url=config.aws)
    functions.invoke(FunctionName=deployed.market_watcher, InvocationType="Event", Payload=json.dumps(_AS_SCHEDULED))


def _limit_concurrency(
    session: boto3.Session, config: LocalConfig, template: Template, names: dict[str, str]
) -> None:
    """The emulator's CloudFormation drops ``ReservedConcurrentExecutions``."""
    functions = session.client("lambda", endpoint_url=config.aws)
    for logical, resource in template["Resources"].items():
        limit = resource.get("Properties", {}).get("ReservedConcurrentExecutions")
        if limit is not None:
            name = names[logical]
            functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=limit)


def _mend_api(session: boto3.Session, config: LocalConfig, template: Template, api: str) -> None:
    """Puts in place what the emulator drops from the REST API, once for each API; a changed one has a new id."""
    mended = config.state_dir / "mended-api"
    if mended.exists() and mended.read_text() == api:
        return
    gateway = session.client("apigateway", endpoint_url=config.aws, config=Config(parameter_validation=False))
    properties = template["Resources"]["RestAPI"]["Properties"]
    _answer_preflights(gateway, properties["DefinitionBody"]["paths"], api)
    for kind, response in properties.get("GatewayResponses", {}).items():
        headers = response["ResponseParameters"]["Headers"]
        gateway.put_gateway_response(
            restApiId=api,
            responseType=kind,
            statusCode=response["StatusCode"],
            responseParameters={f"gatewayresponse.header.{name}": value for name, value in headers.items()},
            responseTemplates=response["ResponseTemplates"],
        )
    gateway.create_deployment(restApiId=api, stageName=API_STAGE)
    mended.write_text(api)


def _answer_preflights(gateway: Any, paths: dict[str, Any], api: str) -> None:
    """The headers of the mock answers that Chalice writes for CORS."""
    wanted = {path: methods["options"] for path, methods in paths.items() if "options" in methods}
    if not wanted:
        return
    pages = gateway.get_paginator("get_resources").paginate(restApiId=api)
    ids = {item["path"]: item["id"] for page in pages for item in page["items"]}
    for path, options in wanted.items():
        where: Any = {"restApiId": api, "resourceId": ids[path], "httpMethod": "OPTIONS", "statusCode": "200"}
        headers = options["x-amazon-apigateway-integration"]["responses"]["default"]["responseParameters"]
        gateway.put_method_response(**where, responseParameters=dict.fromkeys(headers, False))
        gateway.put_integration_response(**where, responseParameters=headers)
