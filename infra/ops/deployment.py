"""Finds a running deployment for the operators' commands: its stack, its outputs and its database."""

import json
import os
from argparse import ArgumentParser
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from chalicelib.domain.invariants import MAX_ATTEMPTS
from chalicelib.setting_rules import Switch
from infra.aws.database_secret import readable_url
from infra.errors import InfraError
from infra.local.config import REGION, STACK, state_dir_from
from infra.project import APP, STAGES
from infra.settings import is_pooled

#: Errors that keep a command from inspecting a deployment; the command prints them as one sentence.
ACCESS_ERRORS = (InfraError, BotoCoreError, ClientError, ResponseParserError, OSError)
_CONFIG = Config(connect_timeout=5, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 3})


@dataclass(frozen=True)
class Deployment:
    """A CloudFormation stack with its outputs and, where it is known, its database."""

    stack: str
    session: boto3.Session
    endpoint_url: str | None
    outputs: Mapping[str, str]
    database_url: str | None = field(repr=False)
    max_attempts: int = MAX_ATTEMPTS
    requires_credentials: bool = True

    @property
    def location(self) -> str:
        return f"{self.stack} at {self.endpoint_url or self.session.region_name}"

    def output(self, name: str) -> str:
        """:raises InfraError: if an older version deployed the stack, without this output."""
        if name not in self.outputs:
            raise InfraError(f"Stack {self.stack} has no output {name}: an older version deployed it.")
        return self.outputs[name]

    def client(self, service: str) -> Any:
        create: Any = self.session.client
        return create(service, endpoint_url=self.endpoint_url, config=_CONFIG)

    def resource(self, service: str) -> Any:
        create: Any = self.session.resource
        return create(service, endpoint_url=self.endpoint_url, config=_CONFIG)


def stage_parser(description: str | None) -> ArgumentParser:
    """Return a command-line parser with the option that names the deployment."""
    parser = ArgumentParser(description=description)
    parser.add_argument("--stage", choices=STAGES, default="local", help="local is the stack on this machine")
    return parser


def find_deployment(stage: str, environment: Mapping[str, str] = os.environ) -> Deployment:
    """Return the deployment of a stage: ``local`` is the stack on this machine, any other is a stack on AWS.

    The database of a stack on AWS is the one at ``DATABASE_URL``, or else the one that its functions use
    without a pooler.

    :raises InfraError: if there is no such deployment.
    :raises BotoCoreError: if AWS cannot be reached.
    :raises ClientError: if AWS refuses to describe the stack.
    """
    if stage != "local":
        return _described(f"{APP}-{stage}", boto3.Session(), None, environment.get("DATABASE_URL"))
    aws, postgres = _local_endpoints(environment, "aws", "postgres")
    return local_deployment({"aws": aws, "postgres": postgres})


def front_door(deployment: Deployment, stage: str, environment: Mapping[str, str] = os.environ) -> tuple[str, str]:
    """Return the addresses of the front door for HTTP and for WebSockets.

    :raises InfraError: if there is no such deployment, or an older version deployed it.
    """
    if stage == "local":
        http, ws = _local_endpoints(environment, "http", "ws")
        return http, ws
    http = deployment.output("FrontDoorUrl")
    return http, http.replace("http", "ws", 1)


def _local_endpoints(environment: Mapping[str, str], *names: str) -> list[str]:
    """Return addresses of the stack on this machine.

    :raises InfraError: if none runs.
    """
    file = state_dir_from(environment) / "endpoints.json"
    if not file.exists():
        raise InfraError("No stack is running: start it with make run.")
    try:
        endpoints = json.loads(file.read_text())
        if not str(endpoints["aws"]).startswith("http"):
            raise ValueError(endpoints["aws"])
        return [str(endpoints[name]) for name in names]
    except (ValueError, LookupError, TypeError):
        raise InfraError(f"{file} cannot be read: stop the stack and start it again.") from None


def database_url_of(stage: str, environment: Mapping[str, str] = os.environ) -> str:
    """Return the address of the database of a stage: ``DATABASE_URL``, or else the one that its functions use.

    :raises InfraError: if there is none, or no such deployment.
    """
    try:
        database_url = environment.get("DATABASE_URL") or find_deployment(stage, environment).database_url
    except ACCESS_ERRORS as error:
        raise InfraError(str(error)) from None
    if not database_url:
        raise InfraError("DATABASE_URL is not set, and no secret has an address that this command can use.")
    return database_url


def local_deployment(endpoints: Mapping[str, str]) -> Deployment:
    """Return the local stack with these endpoints."""
    return _described(
        STACK, boto3.Session("test", "test", region_name=REGION), endpoints["aws"], endpoints["postgres"]
    )


def _described(stack: str, session: boto3.Session, endpoint_url: str | None, database_url: str | None) -> Deployment:
    bare = Deployment(stack, session, endpoint_url, {}, database_url)
    try:
        found = bare.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in str(error):
            raise InfraError(f"There is no stack {stack} at {endpoint_url or session.region_name}.") from None
        raise
    parameters = {one["ParameterKey"]: one.get("ParameterValue") for one in found.get("Parameters", ())}
    # The secret may have the address of a pooler, which refuses the options and the locks of a session.
    if not database_url and not is_pooled(parameters):
        database_url = readable_url(bare.client("secretsmanager"), parameters.get("DatabaseSecret"))
    return Deployment(
        stack,
        session,
        endpoint_url,
        {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", ())},
        database_url,
        int(parameters.get("MaxAttempts") or MAX_ATTEMPTS),
        Switch().read(parameters.get("Auth") or "on"),
    )
