"""Deploys a package as a CloudFormation stack, to AWS or to an emulator of it.

Code is uploaded under its digest, so that an unchanged function stays untouched. A change set makes every change:
a deployment succeeds completely or leaves the stack unchanged, apart from indexes that need updates of their own
first (``index_steps``).
"""

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError, WaiterError
from botocore.parsers import ResponseParserError

from infra.aws.index_steps import index_steps
from infra.aws.package import Package
from infra.aws.template import Template
from infra.errors import InfraError
from infra.project import APP

CAPABILITIES: Any = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
_MAX_WAIT_SECONDS = 1800
#: The error about an answer that is not AWS's contains the whole answer.
_MAX_REASON_CHARACTERS = 300


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


class Deployer:
    """Deploys packages into one account and region, or into the emulator at ``endpoint_url``."""

    def __init__(self, session: boto3.Session, endpoint_url: str | None = None, poll_seconds: float = 5) -> None:
        self._cloudformation = session.client("cloudformation", endpoint_url=endpoint_url)
        self._s3 = session.client("s3", endpoint_url=endpoint_url)
        self._sts = session.client("sts", endpoint_url=endpoint_url)
        self._region = session.region_name
        self._wait: Any = {"Delay": poll_seconds, "MaxAttempts": int(_MAX_WAIT_SECONDS / poll_seconds)}

    def deploy(self, stack: str, packaged: Package, parameters: dict[str, str]) -> dict[str, str]:
        """Bring ``stack`` to ``packaged`` with ``parameters``, wait for the result and return the stack's outputs.

        Parameters that are not given keep their value in the stack.

        :raises DeploymentError: if CloudFormation refuses the change or rolls it back.
        :raises IndexChangeError: if an index of a table changes in a way that needs a new index.
        """
        existing = self.outputs(stack)
        bucket = self._bucket()
        key = f"{APP}/{packaged.digest}"
        self._upload(bucket, f"{key}.zip", packaged.code.read_bytes())
        template = with_code(json.loads(packaged.template.read_text()), bucket, f"{key}.zip")
        given: Any = [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()]
        if existing is not None:
            self._change_indexes(stack, template, bucket, key)
            kept = self.parameters(stack).keys() & template["Parameters"].keys() - parameters.keys()
            given += _previous(kept)
        url = self._stored(bucket, f"{key}.json", template)
        self._execute(stack, "CREATE" if existing is None else "UPDATE", url, given)
        return self.outputs(stack) or {}

    def outputs(self, stack: str) -> dict[str, str] | None:
        """Return the outputs of ``stack``, or ``None`` if it does not exist or was never created.

        :raises DeploymentError: if the stack's first deployment failed; only deleting it helps.
        """
        found = self._describe(stack)
        if found is None or found["StackStatus"] == "REVIEW_IN_PROGRESS":
            return None
        if found["StackStatus"] == "ROLLBACK_COMPLETE":
            raise DeploymentError(f"The first deployment of {stack} failed. Delete the stack, then deploy again.")
        return {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}

    def parameters(self, stack: str) -> dict[str, str]:
        """Return the parameters of ``stack`` with their values; none if it does not exist."""
        found = self._describe(stack) or {}
        return {one["ParameterKey"]: one.get("ParameterValue", "") for one in found.get("Parameters", [])}

    def _describe(self, stack: str) -> dict[str, Any] | None:
        try:
            return dict(self._cloudformation.describe_stacks(StackName=stack)["Stacks"][0])
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise

    def _bucket(self) -> str:
        """Return the bucket for code and templates; create it if it does not exist."""
        bucket = f"{APP}-{self._sts.get_caller_identity()['Account']}-{self._region}"
        try:
            self._s3.head_bucket(Bucket=bucket)
        except ClientError:
            # S3 refuses us-east-1 as a location constraint.
            location: Any = {"LocationConstraint": self._region}
            extra: Any = {} if self._region == "us-east-1" else {"CreateBucketConfiguration": location}
            self._s3.create_bucket(Bucket=bucket, **extra)
            blocked = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
            configuration: Any = dict.fromkeys(blocked, True)
            self._s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=configuration)
        return bucket

    def _upload(self, bucket: str, key: str, body: bytes) -> None:
        try:
            self._s3.head_object(Bucket=bucket, Key=key)
        except ClientError:
            self._s3.put_object(Bucket=bucket, Key=key, Body=body)

    def _stored(self, bucket: str, key: str, template: Template) -> str:
        self._s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(template).encode())
        return self._s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": key}).split("?")[0]

    def _change_indexes(self, stack: str, template: Template, bucket: str, key: str) -> None:
        """Create and delete indexes until the update to ``template`` has at most one to change in each table."""
        # The template as it was sent: if the deployment ends here, the stack keeps a template of the same form.
        deployed: Any = self._cloudformation.get_template(StackName=stack, TemplateStage="Original")["TemplateBody"]
        for number, step in enumerate(index_steps(deployed, template), start=1):
            print(
                f"Updating {stack} first to {step.action}: AWS changes one index of a table per update.", flush=True
            )
            url = self._stored(bucket, f"{key}-{number}.json", step.template)
            self._execute(stack, "UPDATE", url, _previous(self.parameters(stack)))

    def _execute(self, stack: str, kind: Any, template_url: str, parameters: Any) -> None:
        changes = self._cloudformation.create_change_set(
            StackName=stack,
            ChangeSetName=f"deploy-{os.urandom(6).hex()}",
            ChangeSetType=kind,
            TemplateURL=template_url,
            Parameters=parameters,
            Capabilities=CAPABILITIES,
        )["Id"]
        try:
            self._cloudformation.get_waiter("change_set_create_complete").wait(
                ChangeSetName=changes, WaiterConfig=self._wait
            )
        except WaiterError:
            found = self._cloudformation.describe_change_set(ChangeSetName=changes)
            reason = found.get("StatusReason", "")
            self._cloudformation.delete_change_set(ChangeSetName=changes)
            if "didn't contain changes" in reason or "No updates" in reason:
                return
            raise DeploymentError(reason) from None
        self._cloudformation.execute_change_set(ChangeSetName=changes)
        waiter: Any = self._cloudformation.get_waiter(f"stack_{kind.lower()}_complete")  # type: ignore[call-overload]
        try:
            waiter.wait(StackName=stack, WaiterConfig=self._wait)
        except WaiterError:
            raise DeploymentError(self._failures(stack)) from None

    def _failures(self, stack: str) -> str:
        if (self._describe(stack) or {}).get("StackStatus", "").endswith("_IN_PROGRESS"):
            minutes = _MAX_WAIT_SECONDS // 60
            return (
                f"CloudFormation is still at work on {stack} after {minutes} minutes. Deploy again once it is done."
            )
        events = self._cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
        failed = [event for event in events if event.get("ResourceStatus", "").endswith("_FAILED")]
        lines = [f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', '')}" for event in failed]
        return "\n".join(dict.fromkeys(lines)) or f"Stack {stack} did not reach its template."


def _previous(names: Iterable[str]) -> list[dict[str, Any]]:
    """Return parameters that keep their value in the stack."""
    return [{"ParameterKey": name, "UsePreviousValue": True} for name in sorted(names)]


def with_code(template: Template, bucket: str, key: str) -> Template:
    """Point every function of ``template`` at the uploaded code."""
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = {"Bucket": bucket, "Key": key}
    return template
