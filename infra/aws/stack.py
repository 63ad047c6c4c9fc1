"""A stack as CloudFormation describes it: its outputs, parameters, template and resources, and why it failed."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from infra.aws.template import Template
from infra.errors import InfraError

#: The error about an answer that is not AWS's contains the whole answer.
_MAX_REASON_CHARACTERS = 300
_STACK = "AWS::CloudFormation::Stack"
_BEGINS = frozenset({"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "IMPORT_IN_PROGRESS"})
_ROLLS_BACK = frozenset({"ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS", "IMPORT_ROLLBACK_IN_PROGRESS"})


class DeploymentError(InfraError):
    """CloudFormation could not bring the stack to the template. The message names each resource that failed."""


@contextmanager
def refusals_reported() -> Iterator[None]:
    """Report the failure of a call to AWS, or to the emulator, as one line.

    :raises DeploymentError: if AWS cannot be reached or refuses a call.
    """
    try:
        yield
    except (BotoCoreError, ClientError, ResponseParserError) as error:
        reason = " ".join(str(error).split())[:_MAX_REASON_CHARACTERS]
        raise DeploymentError(f"The deployment failed: {reason}") from error


@contextmanager
def interruption_explained(stack: str) -> Iterator[None]:
    """Say of a wait for CloudFormation that the operator interrupts that CloudFormation goes on with ``stack``."""
    try:
        yield
    except KeyboardInterrupt:
        print(f"\nThe command ends here; CloudFormation goes on with {stack}.", file=sys.stderr, flush=True)
        raise


@dataclass(frozen=True)
class Stack:
    """The stack of this name that a CloudFormation client reaches. It need not exist."""

    client: Any
    name: str

    def described(self) -> dict[str, Any] | None:
        try:
            return dict(self.client.describe_stacks(StackName=self.name)["Stacks"][0])
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise

    @property
    def exists(self) -> bool:
        """Whether the stack was created, if not completely. A change set alone makes no stack."""
        found = self.described()
        return found is not None and found["StackStatus"] != "REVIEW_IN_PROGRESS"

    def outputs(self) -> dict[str, str] | None:
        """Return the outputs, or ``None`` if the stack does not exist or was never created.

        :raises DeploymentError: if the stack's first deployment failed; only deleting it helps.
        """
        found = self.described()
        if found is None or found["StackStatus"] == "REVIEW_IN_PROGRESS":
            return None
        if found["StackStatus"] in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED"):
            raise DeploymentError(
                f"The first deployment of {self.name} failed. Delete the stack (make destroy), then deploy again."
            )
        return {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}

    def parameters(self) -> dict[str, str]:
        """Return the parameters with their values; none if the stack does not exist."""
        found = self.described() or {}
        return {one["ParameterKey"]: one.get("ParameterValue", "") for one in found.get("Parameters", [])}

    def template(self) -> Template:
        """Return the template as it was sent, with SAM's functions."""
        found: Template = self.client.get_template(StackName=self.name, TemplateStage="Original")["TemplateBody"]
        return found

    def resources(self, kind: str = "") -> dict[str, str]:
        """Return the physical names of the resources of a type, or of all, by their logical ones."""
        pages = self.client.get_paginator("list_stack_resources").paginate(StackName=self.name)
        found = [one for page in pages for one in page["StackResourceSummaries"]]
        return {
            one["LogicalResourceId"]: one["PhysicalResourceId"]
            for one in found
            if kind in ("", one["ResourceType"]) and one.get("PhysicalResourceId")
        }

    def failures(self) -> str:
        """Return a line for each resource that failed in the stack's last operation."""
        lines = [
            f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', '')}"
            for event in self._last_operation()
            if event.get("ResourceStatus", "").endswith("_FAILED") or _is_rollback(event)
        ]
        return "\n".join(dict.fromkeys(lines)) or f"Stack {self.name} did not reach its template."

    def _last_operation(self) -> Iterator[dict[str, Any]]:
        """Yield the events since the stack's last operation began, the last one first."""
        for page in self.client.get_paginator("describe_stack_events").paginate(StackName=self.name):
            for event in page["StackEvents"]:
                yield event
                if event.get("ResourceType") == _STACK and event.get("ResourceStatus") in _BEGINS:
                    return


def _is_rollback(event: dict[str, Any]) -> bool:
    """Whether the event gives the reason of a rollback, such as an alarm, which no resource names."""
    is_stacks = event.get("ResourceType") == _STACK
    return is_stacks and event.get("ResourceStatus") in _ROLLS_BACK and bool(event.get("ResourceStatusReason"))
