"""The doctor's verdict, which ``GET /api/engine`` shows to operators until the next one."""

from datetime import datetime

from chalicelib.ports.verdicts import MAX_FINDINGS, DoctorVerdict, VerdictStatus
from chalicelib.stores.verdicts import item_of
from infra.ops.deployment import Deployment
from infra.ops.report import Report


def verdict_of(report: Report, at: datetime) -> DoctorVerdict:
    """Return the verdict of a report that ended at ``at``."""
    findings = [
        " ".join(f"{one.invariant} {one.order_id}: {one.detail}".split()) for one in report.violations[:MAX_FINDINGS]
    ]
    return DoctorVerdict(
        at=at,
        status=_status(report),
        orders=report.statuses.total(),
        violations=len(report.violations),
        findings=tuple(findings),
    )


def _status(report: Report) -> VerdictStatus:
    if report.violations:
        return VerdictStatus.VIOLATIONS
    return VerdictStatus.UNKNOWN if report.history_missing else VerdictStatus.OK


def store_verdict(deployment: Deployment, verdict: DoctorVerdict) -> None:
    """Replace the verdict that the deployment shows.

    :raises InfraError: if an older version deployed the stack.
    :raises BotoCoreError: if AWS cannot be reached.
    :raises ClientError: if AWS refuses the write.
    """
    item = item_of(verdict).to_dynamodb_dict()
    deployment.client("dynamodb").put_item(TableName=deployment.output("RateLimitTableName"), Item=item)
