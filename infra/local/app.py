"""Deploys the app into the emulator, or into another one at ``AWS_ENDPOINT_URL``."""

import json
import os
from dataclasses import dataclass

import boto3

from chalicelib.http.cors import allowed_origin
from infra.aws.database_secret import keep_secret, own_secret
from infra.aws.deployer import Deployer
from infra.aws.package import Package
from infra.aws.stateful import replaceable
from infra.aws.template import Template
from infra.local.config import API_STAGE, REGION, STACK, LocalConfig
from infra.local.repairs import limit_concurrency, repair_api


@dataclass(frozen=True)
class LocalApp:
    """The addresses at which the emulator serves the app, and the environment of its functions."""

    rest: str
    websocket: str
    environment: dict[str, str]


def deploy_app(config: LocalConfig, packaged: Package, database_url: str) -> LocalApp:
    """Bring the emulator's stack to ``packaged``; tables and queues keep their contents.

    :raises DeploymentError: if the emulator refuses the template.
    """
    session = boto3.Session("test", "test", region_name=REGION)
    secrets = session.client("secretsmanager", endpoint_url=config.aws)
    parameters = config.parameters | {
        "AwsEndpointUrl": config.aws,
        # Without a front door, clients get the address of the WebSocket API itself.
        "PublicWsUrl": f"ws://localhost:{config.port}/ws" if config.port else "",
        "DatabaseSecret": keep_secret(secrets, own_secret(STACK), database_url),
    }
    deployer = Deployer(session, config.aws, poll_seconds=0.05)
    outputs = deployer.deploy(STACK, packaged, parameters, given_up=replaceable(os.environ))
    template: Template = json.loads(packaged.template.read_text())
    aws = session.client("cloudformation", endpoint_url=config.aws)
    resources = aws.describe_stack_resources(StackName=STACK)["StackResources"]
    names = {found["LogicalResourceId"]: found["PhysicalResourceId"] for found in resources}
    limit_concurrency(session, config, template, names)
    functions = session.client("lambda", endpoint_url=config.aws)
    handler = functions.get_function_configuration(FunctionName=names["APIHandler"])
    environment = handler["Environment"]["Variables"]
    repair_api(session, config, template, outputs["RestAPIId"], allowed_origin(environment))
    base = f"{config.aws}/_aws/execute-api"
    return LocalApp(
        rest=f"{base}/{outputs['RestAPIId']}/{API_STAGE}",
        websocket=f"{base}/{outputs['WebsocketAPIId']}/{API_STAGE}".replace("http", "ws", 1),
        environment=environment,
    )
