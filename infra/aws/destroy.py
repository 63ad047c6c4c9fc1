"""Deletes the stack of a stage: says what it deletes and what it leaves, and how to get that back or remove it."""

import os
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import WaiterError

from infra.aws.approval import ask
from infra.aws.changes import aligned
from infra.aws.database_secret import own_secret
from infra.aws.retained import SECRET, TABLE, retained_in
from infra.aws.stack import DeploymentError, Stack, interruption_explained, refusals_reported
from infra.aws.stage_option import aws_stage
from infra.command import run
from infra.errors import InfraError
from infra.project import APP

#: Deleting a distribution of CloudFront takes a quarter of an hour.
_MAX_WAIT_SECONDS = 3600
_ROLE = "AWS::IAM::Role"
#: The policy of the role by which API Gateway writes access logs (``AccessLogsRole``).
_LOGGING_POLICY = "arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"


@dataclass(frozen=True)
class Inventory:
    """``deleted``: the types of what a deletion of the stack deletes. ``left``: type and physical name by logical."""

    deleted: Counter[str]
    left: dict[str, tuple[str, str]]

    def report(self) -> str:
        """Return both as text."""
        deleted = ", ".join(f"{count} {kind}" for kind, count in sorted(self.deleted.items()))
        rows = [(name, *one) for name, one in sorted(self.left.items())]
        left = aligned([("resource", "type", "name"), *rows]) if rows else "nothing of the stack"
        return f"Deleted with all they contain: {deleted or 'nothing'}.\n\nLeft as they are:\n{left}"


def inventory(stack: Stack) -> Inventory:
    """Return what a deletion of ``stack`` deletes and leaves."""
    kept = retained_in(stack.template())
    found = stack.client.get_paginator("list_stack_resources").paginate(StackName=stack.name)
    rows: list[dict[str, Any]] = [one for page in found for one in page["StackResourceSummaries"]]
    rows = [one for one in rows if one.get("ResourceStatus") != "DELETE_COMPLETE"]
    return Inventory(
        Counter(one["ResourceType"] for one in rows if one["LogicalResourceId"] not in kept),
        {
            one["LogicalResourceId"]: (one["ResourceType"], one.get("PhysicalResourceId", ""))
            for one in rows
            if one["LogicalResourceId"] in kept
        },
    )


def refuse_protected(stack: Stack, environment: Mapping[str, str]) -> None:
    """Refuse to delete a protected stack.

    :raises InfraError: unless the operator lifts the protection in words.
    """
    is_protected = (stack.described() or {}).get("EnableTerminationProtection")
    if is_protected and environment.get("UNPROTECT") != stack.name:
        raise InfraError(f"The stack {stack.name} is protected from deletion: UNPROTECT={stack.name} lifts that.")


def delete(stack: Stack, poll_seconds: float = 10) -> None:
    """Delete ``stack``, protected or not, and wait for the end.

    :raises DeploymentError: if CloudFormation cannot delete a resource. The message names it.
    """
    described = stack.described() or {}
    found = described.get("StackId", stack.name)
    if described.get("EnableTerminationProtection"):
        stack.client.update_termination_protection(StackName=stack.name, EnableTerminationProtection=False)
    stack.client.delete_stack(StackName=stack.name)
    wait: Any = {"Delay": poll_seconds, "MaxAttempts": int(_MAX_WAIT_SECONDS / poll_seconds)}
    try:
        with interruption_explained(stack.name):
            stack.client.get_waiter("stack_delete_complete").wait(StackName=found, WaiterConfig=wait)
    except WaiterError:
        raise DeploymentError(stack.failures()) from None


def farewell(stage: str, stack: str, left: Mapping[str, tuple[str, str]], bucket: str) -> str:
    """Return how to get back what is left, and how to remove it for good."""
    lines = [
        f"The stack {stack} is deleted. What is left costs money for what it stores.",
        f"To get it back: make adopt STAGE={stage}, then make deploy STAGE={stage} with the database's variables.",
        "To remove it for good, with all orders and keys:",
    ]
    for kind, name in sorted(left.values()):
        if kind == TABLE:
            lines.append(f"  aws dynamodb update-table --table-name {name} --no-deletion-protection-enabled")
            lines.append(f"  aws dynamodb delete-table --table-name {name}")
        elif kind == SECRET:
            lines.append(f"  aws secretsmanager delete-secret --secret-id {name}")
        elif kind == _ROLE:
            lines += [
                "  aws apigateway update-account --patch-operations op=remove,path=/cloudwatchRoleArn"
                "    # unless another stage of the region logs by this role",
                f"  aws iam detach-role-policy --role-name {name} --policy-arn {_LOGGING_POLICY}",
                f"  aws iam delete-role --role-name {name}",
            ]
    lines.append(
        f"  aws secretsmanager delete-secret --secret-id {own_secret(stack)}    # if DATABASE_URL was given once"
    )
    lines.append(f"  aws s3 rm --recursive s3://{bucket}/{stack}/    # its code and templates")
    lines.append("The PostgreSQL with the order history belongs to no stack, and is as it was.")
    return "\n".join(lines)


def main() -> int:
    """Run ``python -m infra.aws.destroy --stage dev`` and return the exit code."""
    stage = aws_stage(__doc__)
    with refusals_reported():
        session = boto3.Session()
        stack = Stack(session.client("cloudformation"), f"{APP}-{stage}")
        if not stack.exists:
            raise InfraError(f"There is no stack {stack.name} in {session.region_name}.")
        account = session.client("sts").get_caller_identity()["Account"]
        refuse_protected(stack, os.environ)
        found = inventory(stack)
        print(found.report())
        ask(f"Delete the stack {stack.name} in {session.region_name} of the account {account}?", os.environ)
        delete(stack)
    print(farewell(stage, stack.name, found.left, f"{APP}-{account}-{session.region_name}"))
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
