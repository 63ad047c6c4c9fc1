"""``python -m infra.ops.doctor [--stage prod]``: checks every order of a deployment against the invariants.

The doctor reads the ledger, then the orders, and the history of each page of orders; at last the whole history, for
orders that the table lacks. An apparent violation may only
be an order that changed meanwhile: before a report, the doctor reads that order again, its item first and last. The
doctor changes no order: at the end it stores its verdict, which GET /api/engine shows. Exit code 0: no violations.
1: violations. 2: the doctor could not check the deployment, or not its history.
"""

import sys
import time
from collections.abc import Mapping, Set

from chalicelib.clock import utc_now
from chalicelib.codec.times import to_ms
from chalicelib.domain.events import Event
from chalicelib.domain.invariants import Evidence, HistoryCopy, Swap, Violation, orphans, unknown, violations_of
from chalicelib.domain.status import PHASES, TERMINAL, Phase, Status
from infra.command import run
from infra.ops.deployment import ACCESS_ERRORS, Deployment, find_deployment, stage_parser
from infra.ops.evidence import EvidenceReader, database_name
from infra.ops.items import evidence_of
from infra.ops.report import Report
from infra.ops.verdict import store_verdict, verdict_of

#: The watchdog's patience with a backlog, and a minute of looks.
_OVERDUE_MS = 180_000
#: A message whose handler fails again and again pauses for up to four minutes before its next delivery.
_SETTLING_MS = 360_000
_MAX_READS = 3
#: Active orders that wait in a queue and have no worker yet.
_QUEUED = frozenset(status for status, phase in PHASES.items() if phase is Phase.QUEUED) - {Status.OPEN}
_DEAD_LETTER_QUEUES = ("DeadLettersQueue", "UnprocessableQueue", "ReplayDeadLettersQueue", "FanOutDeadLettersQueue")


def examine(deployment: Deployment) -> Report:
    """Return a report with every violation in a deployment's stored data.

    :raises InfraError: if an older version deployed the stack.
    :raises BotoCoreError: if AWS cannot be reached.
    :raises ClientError: if AWS refuses a request.
    """
    reader = EvidenceReader(deployment)
    history = database_name(deployment.database_url) if deployment.database_url else ""
    report = Report(deployment.location, history)
    try:
        Examination(reader, report, deployment.max_attempts).run()
    finally:
        reader.close()
    report.history_missing = reader.history_missing
    sqs = deployment.client("sqs")
    for name in _DEAD_LETTER_QUEUES:
        wanted = {"QueueUrl": deployment.output(f"{name}Url"), "AttributeNames": ["All"]}
        depth = sqs.get_queue_attributes(**wanted)["Attributes"]
        report.dead_letters[name] = sum(
            int(depth[f"ApproximateNumberOfMessages{kind}"]) for kind in ("", "NotVisible")
        )
    return report


class Examination:
    """Reads every order and notes its state and its violations in a report."""

    def __init__(self, reader: EvidenceReader, report: Report, max_attempts: int) -> None:
        self._reader = reader
        self._report = report
        self._max_attempts = max_attempts

    def run(self) -> None:
        # An order is written before its swaps: with the ledger read first, the scan finds each swap's order.
        swaps = self._reader.swaps()
        self._report.swaps = sum(map(len, swaps.values()))
        seen: set[str] = set()
        for page in self._reader.pages():
            copies = self._reader.copies([str(item["orderId"]) for item in page])
            for item in page:
                order_id = str(item["orderId"])
                seen.add(order_id)
                evidence = evidence_of(item, swaps.get(order_id, {}), copies.get(order_id))
                self._count(evidence, str(item.get("createdAt")))
                if self._violations(evidence):
                    self._report.violations += self._confirmed_violations(order_id, swaps.get(order_id, {}))
        strays = [one for order_id, landed in swaps.items() if order_id not in seen for one in landed.values()]
        # An order that the scan missed is younger than the scan.
        self._report.violations += orphans(strays, self._reader.existing([one.order_id for one in strays]))
        self._check_recorded(seen)

    def _check_recorded(self, seen: Set[str]) -> None:
        """Find the orders that only the history has: the orders table is written first, and keeps every order."""
        for page in self._reader.recorded():
            missed = [one for one in page if one.order_id not in seen]
            self._report.violations += unknown(missed, self._reader.existing([one.order_id for one in missed]))

    def _count(self, evidence: Evidence, created_at: str) -> None:
        report, deadline = self._report, evidence.deadline_ms
        report.statuses[evidence.status] += 1
        if evidence.status in TERMINAL:
            if deadline is not None:
                report.unrecorded += 1
                report.unrecorded_since = min(report.unrecorded_since or created_at, created_at)
            return
        if evidence.status == Status.OPEN:
            report.open += 1
        elif evidence.status in _QUEUED:
            report.queued += 1
        else:
            report.in_progress += 1
        if deadline is not None and deadline < _now_ms():
            report.overdue += 1

    def _confirmed_violations(self, order_id: str, scanned: Mapping[str, Swap]) -> tuple[Violation, ...]:
        """Read an order again until its item is equal before and after, and return its violations."""
        for _ in range(_MAX_READS):
            item = self._reader.item(order_id)
            if item is None:
                break
            landed = self._reader.landed(evidence_of(item, {}, None))
            copy: HistoryCopy | None = self._reader.copies([order_id]).get(order_id)
            found = self._violations(evidence_of(item, {**scanned, **landed}, copy))
            again = self._reader.item(order_id) or {}
            if not found or all(item.get(name) == again.get(name) for name in ("seq", "attentionAt")):
                return found
        # The order changes between the reads: a worker processes it.
        return ()

    def _violations(self, evidence: Evidence) -> tuple[Violation, ...]:
        found = violations_of(
            evidence,
            _now_ms(),
            overdue_ms=_OVERDUE_MS,
            max_attempts=self._max_attempts,
            history_known=not self._reader.history_missing,
        )
        last = evidence.events[-1] if evidence.events else None
        # An open order is in the history before its message is done. A terminal order may for a while exist in its
        # message alone.
        terminal = evidence.status in TERMINAL
        if terminal and isinstance(last, Event) and to_ms(last.at) > _now_ms() - _SETTLING_MS:
            return tuple(one for one in found if one.invariant != "I6")
        return found


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def main() -> int:
    """Run the command and return the exit code."""
    stage = stage_parser(__doc__).parse_args().stage
    try:
        deployment = find_deployment(stage)
        report = examine(deployment)
    except ACCESS_ERRORS as error:
        print(f"The doctor cannot check the deployment. {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    print(report)
    try:
        store_verdict(deployment, verdict_of(report, utc_now()))
    except ACCESS_ERRORS as error:
        # An operator who may only read still receives the report.
        print(f"GET /api/engine does not show this verdict. {' '.join(str(error).split())}", file=sys.stderr)
    if report.violations:
        return 1
    return 2 if report.history_missing else 0


if __name__ == "__main__":
    sys.exit(run(main))
