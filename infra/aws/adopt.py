"""Makes a stack of the tables and the secret that an earlier one of the stage left; ``make deploy`` adds the rest."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import boto3

from infra.aws.approval import ask
from infra.aws.changes import aligned
from infra.aws.deployer import Deployer
from infra.aws.package import package
from infra.aws.retained import IDENTIFIER, TABLE, adoptable_in, chosen, find_retained
from infra.aws.stack import DeploymentError, refusals_reported
from infra.aws.stage_option import aws_stage
from infra.aws.template import Template
from infra.command import run
from infra.errors import InfraError
from infra.project import APP, BUILD

#: Properties that refer to parameters and conditions, which this stack does not have yet.
_LEFT_TO_DEPLOYMENTS = frozenset({"DeletionProtectionEnabled"})
#: What describes an index in a template.
_OF_AN_INDEX = ("IndexName", "KeySchema", "Projection")


def adopt(deployer: Deployer, stack: str, template: Template, taken: Mapping[str, str], dynamodb: Any) -> None:
    """Make ``stack`` of the resources with these logical and physical names.

    CloudFormation believes what an import says of a resource. So the keys, the indexes and the expiry of a table are
    those that it has, and the next deployment changes them to those of ``template``.

    :raises DeploymentError: if CloudFormation does not take them.
    """
    bucket = deployer.bucket()
    bucket.ensure()
    tables = {name for name in taken if template["Resources"][name]["Type"] == TABLE}
    real = {name: real_properties(dynamodb, taken[name]) for name in tables}
    resources = {name: _importable(template["Resources"][name], real.get(name, {})) for name in taken}
    address = bucket.address(bucket.keep_template(stack, {"Resources": resources}))
    imported: list[dict[str, Any]] = [
        {
            "ResourceType": resources[name]["Type"],
            "LogicalResourceId": name,
            "ResourceIdentifier": {IDENTIFIER[resources[name]["Type"]]: physical},
        }
        for name, physical in taken.items()
    ]
    change_set = deployer.planned(stack, "IMPORT", address, [], ResourcesToImport=imported)
    deployer.execute(stack, "IMPORT", change_set)


def _importable(resource: dict[str, Any], real: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``resource`` for an import, with its ``real`` properties; ``None`` is one that it lacks."""
    properties = {**resource["Properties"], **dict.fromkeys(_LEFT_TO_DEPLOYMENTS), **real}
    return resource | {"Properties": {name: one for name, one in properties.items() if one is not None}}


def real_properties(dynamodb: Any, table: str) -> dict[str, Any]:
    """Return what this table has of the properties in which releases differ; ``None`` for one that it lacks."""
    found = dynamodb.describe_table(TableName=table)["Table"]
    indexes = [{name: one[name] for name in _OF_AN_INDEX} for one in found.get("GlobalSecondaryIndexes", ())]
    expiry = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    expires = expiry["TimeToLiveStatus"] in ("ENABLED", "ENABLING")
    return {
        "KeySchema": found["KeySchema"],
        "AttributeDefinitions": found["AttributeDefinitions"],
        "GlobalSecondaryIndexes": indexes or None,
        "TimeToLiveSpecification": {"AttributeName": expiry["AttributeName"], "Enabled": True} if expires else None,
    }


def named_in(text: str) -> dict[str, str]:
    """Return the physical names in ``OrdersTable=name,ApiKeysTable=name`` by their logical ones.

    :raises InfraError: if the text has another form.
    """
    pairs = [pair.partition("=") for pair in text.split(",") if pair.strip()]
    if not all(logical.strip() and physical.strip() for logical, _, physical in pairs):
        raise InfraError(f"ADOPT={text!r} must have the form OrdersTable=name,ApiKeysTable=name.")
    return {logical.strip(): physical.strip() for logical, _, physical in pairs}


def refuse_forgotten(left: Mapping[str, Sequence[str]], stage: str, environment: Mapping[str, str]) -> None:
    """Refuse a first deployment beside what an earlier stack of the stage left, which it would not find.

    :raises InfraError: unless the operator says in words that the stage starts anew.
    """
    if left and environment.get("NEW_TABLES") != "yes":
        names = ", ".join(name for names in left.values() for name in names)
        raise InfraError(
            f"An earlier stack of {stage} left {names}. Take them back first with make adopt STAGE={stage}, or "
            "deploy with NEW_TABLES=yes, which starts without orders and keys."
        )


def main() -> int:
    """Run ``python -m infra.aws.adopt --stage prod`` and return the exit code."""
    stage = aws_stage(__doc__)
    stack = f"{APP}-{stage}"
    with refusals_reported():
        session = boto3.Session()
        deployer = Deployer(session)
        if deployer.stack(stack).exists:
            raise DeploymentError(f"The stack {stack} exists; only a new one can take back what an earlier one left.")
        template: Template = json.loads(package(stage, BUILD / stage).template.read_text())
        dynamodb = session.client("dynamodb")
        found = find_retained(stack, template, dynamodb, session.client("secretsmanager"))
        taken = chosen(found, named_in(os.environ.get("ADOPT", "")))
        if not taken:
            raise InfraError(f"No earlier stack {stack} left anything in {session.region_name}.")
        print(aligned([("resource", "is"), *sorted(taken.items())]))
        if missing := sorted(adoptable_in(template).keys() - taken.keys()):
            print(f"Not found, so the next deployment makes new ones: {', '.join(missing)}")
        ask(f"Make the stack {stack} of these?", os.environ)
        adopt(deployer, stack, template, taken, dynamodb)
    print(f"The stack {stack} has them. Deploy now: make deploy STAGE={stage}")
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
