"""Finds what a deployment consists of, for the commands that look into a running one."""

import json
import os
from argparse import ArgumentParser
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.domain.invariants import MAX_ATTEMPTS
from infra.deploy import APP
from infra.errors import InfraError
from infra.local.config import REGION, STACK, state_dir_from

STAGES = ("local", "dev", "prod")
#: What keeps a command from looking, and is told in one sentence.
CANNOT_LOOK = (InfraError, BotoCoreError, ClientError)
_CONFIG = Config(connect_timeout=5, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 3})


@dataclass(frozen=True)
class Deployment:
    """A CloudFormation stack with its outputs and, where it is known, its database."""

    stack: str
    session: boto3.Session
    endpoint_url: str | None
    outputs: Mapping[str, str]
    database_url: str | None
    max_attempts: int = MAX_ATTEMPTS

    @property
    def where(self) -> str:
        return f"{self.stack} at {self.endpoint_url or self.session.region_name}"

    def output(self, name: str) -> str:
        """:raises InfraError: if the stack is older than this output."""
        if name not in self.outputs:
            raise InfraError(f"Stack {self.stack} has no output {name}: it was deployed by an older version.")
        return self.outputs[name]

    def client(self, service: str) -> Any:
        create: Any = self.session.client
        return create(service, endpoint_url=self.endpoint_url, config=_CONFIG)

    def resource(self, service: str) -> Any:
        create: Any = self.session.resource
        return create(service, endpoint_url=self.endpoint_url, config=_CONFIG)


def with_stage(description: str | None) -> ArgumentParser:
    """A command line that says which deployment is meant."""
    parser = ArgumentParser(description=description)
    parser.add_argument("--stage", choices=STAGES, default="local", help="local is the stack that runs here")
    return parser


def find(stage: str, environment: Mapping[str, str] = os.environ) -> Deployment:
    """The deployment of a stage: ``local`` is the stack that runs here, any other is a stack on AWS.

    :raises InfraError, BotoCoreError, ClientError: if there is none, or AWS does not tell.
    """
    if stage != "local":
        return _described(f"{APP}-{stage}", boto3.Session(), None, environment.get("DATABASE_URL"))
    file = state_dir_from(environment) / "endpoints.json"
    if not file.exists():
        raise InfraError("Nothing is running: start the stack with make run first.")
    try:
        endpoints = json.loads(file.read_text())
        aws, postgres = endpoints["aws"], endpoints["postgres"]
    except (ValueError, LookupError, TypeError):
        raise InfraError(f"{file} cannot be read: stop the stack and start it again.") from None
    return of_endpoints({"aws": aws, "postgres": postgres})


def of_endpoints(endpoints: Mapping[str, str]) -> Deployment:
    """The local stack that is reached at these endpoints."""
    return _described(
        STACK, boto3.Session("test", "test", region_name=REGION), endpoints["aws"], endpoints["postgres"]
    )


def _described(stack: str, session: boto3.Session, endpoint_url: str | None, database_url: str | None) -> Deployment:
    cloudformation = Deployment(stack, session, endpoint_url, {}, database_url).client("cloudformation")
    try:
        found = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in str(error):
            raise InfraError(f"There is no stack {stack} at {endpoint_url or session.region_name}.") from None
        raise
    parameters = {one["ParameterKey"]: one.get("ParameterValue") for one in found.get("Parameters", ())}
    return Deployment(
        stack,
        session,
        endpoint_url,
        {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", ())},
        database_url,
        int(parameters.get("MaxAttempts") or MAX_ATTEMPTS),
    )
