"""Deploys a package as a CloudFormation stack, to AWS or to an emulator of it.

Code is uploaded under its own digest, so that an unchanged function stays untouched. A change set makes every change:
a deployment succeeds completely or leaves the stack unchanged, apart from indexes that need updates of their own
first (``index_steps``). No update replaces or removes a table or a secret (``stateful``).
"""

import json
import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import boto3
from botocore.exceptions import WaiterError

from infra.aws.bucket import Bucket, s3_config
from infra.aws.changes import Change, change_of
from infra.aws.index_steps import IndexStep, index_steps
from infra.aws.package import Package
from infra.aws.rollback import NO_ROLLBACK, ROLLBACK_ALARMS, rollback_configuration
from infra.aws.stack import DeploymentError, Stack, interruption_explained
from infra.aws.stateful import losses_between, losses_of, refuse_losses
from infra.aws.template import Template

CAPABILITIES: Any = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
_MAX_WAIT_SECONDS = 1800
#: Called once with all changes before anything is changed. It raises to stop the deployment.
Approve = Callable[[Sequence[Change]], None]


class Deployer:
    """Deploys packages into one account and region, or into the emulator at ``endpoint_url``."""

    def __init__(self, session: boto3.Session, endpoint_url: str | None = None, poll_seconds: float = 5) -> None:
        self._cloudformation: Any = session.client("cloudformation", endpoint_url=endpoint_url)
        self._cloudwatch: Any = session.client("cloudwatch", endpoint_url=endpoint_url)
        self._s3 = session.client("s3", endpoint_url=endpoint_url, config=s3_config(endpoint_url))
        self._sts = session.client("sts", endpoint_url=endpoint_url)
        self._region = session.region_name
        self._poll_seconds = poll_seconds

    def stack(self, name: str) -> Stack:
        """Return the stack of this name, which need not exist."""
        return Stack(self._cloudformation, name)

    def outputs(self, stack: str) -> dict[str, str] | None:
        """Return the outputs of ``stack``, or ``None`` if it does not exist.

        :raises DeploymentError: if the stack's first deployment failed; only deleting it helps.
        """
        return self.stack(stack).outputs()

    def parameters(self, stack: str) -> dict[str, str]:
        """Return the parameters of ``stack`` with their values; none if it does not exist."""
        return self.stack(stack).parameters()

    def deploy(
        self,
        stack: str,
        packaged: Package,
        parameters: dict[str, str],
        *,
        approve: Approve | None = None,
        given_up: frozenset[str] = frozenset(),
        monitored_minutes: int | None = None,
    ) -> dict[str, str]:
        """Bring ``stack`` to ``packaged`` with ``parameters``, wait for the result and return the stack's outputs.

        Parameters that are not given keep their value in the stack. ``approve`` is called with all changes, or none,
        before the first is made. ``given_up`` names tables and secrets that may be lost. An alarm within the update
        and ``monitored_minutes`` after it rolls the update back.

        :raises DeploymentError: if CloudFormation refuses the change or rolls it back.
        :raises IndexChangeError: if an index of a table changes in a way that needs a new index.
        :raises StatefulError: if a table or a secret would be replaced or removed.
        """
        existing = self.outputs(stack)
        bucket = self.bucket()
        bucket.ensure()
        key = bucket.keep_code(stack, packaged.code.read_bytes())
        template = with_code(json.loads(packaged.template.read_text()), bucket.name, key)
        given: Any = [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()]
        steps: list[IndexStep] = []
        if existing is not None:
            deployed = self.stack(stack).template()
            refuse_losses(losses_between(deployed, template), given_up)
            steps = list(index_steps(deployed, template))
            kept = self.parameters(stack).keys() & template["Parameters"].keys() - parameters.keys()
            given += _previous(kept)
        template_key = bucket.keep_template(stack, template)
        address = bucket.address(template_key)
        kind = "CREATE" if existing is None else "UPDATE"
        rollback = self._rollback(stack, monitored_minutes if existing is not None else None)
        change_set = self.planned(stack, kind, address, given, rollback)
        changes = self.changes_in(change_set) if change_set else []
        try:
            refuse_losses(losses_of(changes), given_up)
            if approve:
                approve(changes)
        except BaseException:
            self._discard(change_set)
            raise
        if steps:
            self._discard(change_set)
            self._change_indexes(stack, steps, bucket)
            change_set = self.planned(stack, kind, address, given, rollback)
        self.execute(stack, kind, change_set, monitored_minutes or 0)
        bucket.forget(stack, key, template_key)
        return self.outputs(stack) or {}

    def protect(self, stack: str) -> None:
        """Have CloudFormation refuse to delete ``stack``."""
        self._cloudformation.update_termination_protection(StackName=stack, EnableTerminationProtection=True)

    @property
    def account(self) -> str:
        """The number of the account that the credentials belong to."""
        return str(self._sts.get_caller_identity()["Account"])

    def bucket(self) -> Bucket:
        """Return the bucket of the account and region, which need not exist."""
        return Bucket(self._s3, self.account, self._region)

    def planned(
        self, stack: str, kind: str, template_url: str, parameters: Any, rollback: Any = NO_ROLLBACK, **options: Any
    ) -> str | None:
        """Create a change set and return its id, or ``None`` if it would change nothing.

        :raises DeploymentError: if CloudFormation refuses the template.
        """
        change_set: str = self._cloudformation.create_change_set(
            StackName=stack,
            ChangeSetName=f"deploy-{os.urandom(6).hex()}",
            ChangeSetType=kind,
            TemplateURL=template_url,
            Parameters=parameters,
            Capabilities=CAPABILITIES,
            RollbackConfiguration=rollback,
            **options,
        )["Id"]
        try:
            self._cloudformation.get_waiter("change_set_create_complete").wait(
                ChangeSetName=change_set, WaiterConfig=self._wait()
            )
        except WaiterError:
            reason = self._cloudformation.describe_change_set(ChangeSetName=change_set).get("StatusReason", "")
            self._discard(change_set)
            if "didn't contain changes" in reason or "No updates" in reason:
                return None
            raise DeploymentError(reason) from None
        return change_set

    def changes_in(self, change_set: str) -> list[Change]:
        """Return the changes of a change set."""
        pages = self._cloudformation.get_paginator("describe_change_set").paginate(ChangeSetName=change_set)
        return [change_of(one) for page in pages for one in page.get("Changes", ()) if "ResourceChange" in one]

    def execute(self, stack: str, kind: str, change_set: str | None, more_minutes: int = 0) -> None:
        """Make the changes of a change set, if there are any, and wait for their end.

        :raises DeploymentError: if CloudFormation rolls them back, or takes over half an hour and ``more_minutes``.
        """
        if change_set is None:
            return
        self._cloudformation.execute_change_set(ChangeSetName=change_set)
        waiter: Any = self._cloudformation.get_waiter(f"stack_{kind.lower()}_complete")
        try:
            with interruption_explained(stack):
                waiter.wait(StackName=stack, WaiterConfig=self._wait(more_minutes))
        except WaiterError:
            raise DeploymentError(self._failures(stack, more_minutes)) from None

    def _wait(self, more_minutes: int = 0) -> Any:
        attempts = int((_MAX_WAIT_SECONDS + more_minutes * 60) / self._poll_seconds)
        return {"Delay": self._poll_seconds, "MaxAttempts": attempts}

    def _discard(self, change_set: str | None) -> None:
        if change_set:
            self._cloudformation.delete_change_set(ChangeSetName=change_set)

    def _rollback(self, stack: str, minutes: int | None) -> Any:
        """Return the rollback configuration of an update with ``minutes``, or of one that no alarm rolls back."""
        if minutes is None:
            return NO_ROLLBACK
        alarms = self.stack(stack).resources("AWS::CloudWatch::Alarm")
        names = [alarms[name] for name in ROLLBACK_ALARMS if name in alarms]
        found = self._cloudwatch.describe_alarms(AlarmNames=names)["MetricAlarms"] if names else []
        for alarm in found:
            if alarm["StateValue"] == "ALARM":
                print(f"{alarm['AlarmName']} is in alarm already, and does not roll this update back.", flush=True)
        return rollback_configuration(found, minutes)

    def _change_indexes(self, stack: str, steps: Sequence[IndexStep], bucket: Bucket) -> None:
        """Create and delete indexes until the last update has at most one to change in each table."""
        for step in steps:
            print(
                f"Updating {stack} first to {step.action}: AWS changes one index of a table per update.", flush=True
            )
            address = bucket.address(bucket.keep_template(stack, step.template))
            change_set = self.planned(stack, "UPDATE", address, _previous(self.parameters(stack)))
            self.execute(stack, "UPDATE", change_set)

    def _failures(self, stack: str, more_minutes: int) -> str:
        found = self.stack(stack)
        if (found.described() or {}).get("StackStatus", "").endswith("_IN_PROGRESS"):
            minutes = _MAX_WAIT_SECONDS // 60 + more_minutes
            return (
                f"CloudFormation is still at work on {stack} after {minutes} minutes. Deploy again once it is done."
            )
        return found.failures()


def _previous(names: Iterable[str]) -> list[dict[str, Any]]:
    """Return parameters that keep their value in the stack."""
    return [{"ParameterKey": name, "UsePreviousValue": True} for name in sorted(names)]


def with_code(template: Template, bucket: str, key: str) -> Template:
    """Point every function of ``template`` at the uploaded code."""
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = {"Bucket": bucket, "Key": key}
    return template
