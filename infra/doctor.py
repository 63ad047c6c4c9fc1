"""``python -m infra.doctor [--stage prod]``: judges every order of a deployment by the invariants.

It reads the ledger, then the orders, and asks the history for each page of them. What looks wrong may only have
moved meanwhile, so it is looked at again, the item first and last, before it is reported. Nothing is changed.
Exit code 0: all is sound. 1: there are violations. 2: it could not look, or not at the history.
"""

import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from chalicelib.codec.times import to_ms
from chalicelib.domain.events import Event
from chalicelib.domain.invariants import Evidence, HistoryCopy, Swap, Violation, orphans, violations_of
from chalicelib.domain.status import PHASES, TERMINAL, Phase, Status
from infra.deployed import CANNOT_LOOK, Deployment, find, with_stage
from infra.stored import Stored, database_of, evidence_of

INVARIANTS = {
    "I1": "one swap per order, and only of confirmed ones",
    "I2": "never less than the minimum output",
    "I3": "no order is stuck",
    "I4": "events without gap or double, every step allowed",
    "I5": "nothing changes after the end",
    "I6": "the history equals the orders",
    "I7": "no event for another user",
    "I8": "no cancelled order has a swap",
    "I9": "no more attempts than allowed",
}
#: Three looks of the watchdog.
_OVERDUE_MS = 180_000
#: The message that stands for an unwritten history is back within its queue's visibility timeout.
_SETTLING_MS = 360_000
_LOOKS = 3
_SHOWN = 20
#: In a queue, and nobody works on them yet.
_WAITING = frozenset(status for status, phase in PHASES.items() if phase is Phase.QUEUED) - {Status.OPEN}
_QUEUES = ("DeadLetters", "Unprocessable", "ReplayDeadLetters")


@dataclass
class Report:
    """What was found. ``history_missing`` says why the history was not looked at, where it was not."""

    where: str
    history: str
    history_missing: str = ""
    statuses: Counter[str] = field(default_factory=Counter)
    swaps: int = 0
    resting: int = 0
    waiting: int = 0
    in_flight: int = 0
    overdue: int = 0
    behind: int = 0
    behind_since: str = ""
    letters: dict[str, int] = field(default_factory=dict)
    violations: list[Violation] = field(default_factory=list)

    def __str__(self) -> str:
        history = f"not looked at: {self.history_missing}" if self.history_missing else self.history
        behind = f"{self.behind} orders behind" + (f", since {self.behind_since}" if self.behind else "")
        statuses = ", ".join(f"{count} {status}" for status, count in self.statuses.most_common())
        return "\n".join(
            [
                f"stack      {self.where}",
                f"history    {history}",
                f"orders     {self.statuses.total()}: {statuses or 'none'}; {self.swaps} swaps",
                f"resting    {self.resting} open for their price or launch",
                f"moving     {self.waiting} waiting, {self.in_flight} in flight; overdue {self.overdue} of all these",
                f"recording  {behind}",
                f"letters    {', '.join(f'{count} in {queue}' for queue, count in self.letters.items())}",
                "",
                *(line for invariant in INVARIANTS for line in self._judged(invariant)),
            ]
        )

    def _judged(self, invariant: str) -> list[str]:
        found = [one for one in self.violations if one.invariant == invariant]
        verdict = f"{len(found)} violated it" if found else "ok"
        if invariant == "I7":
            verdict = "not visible in stored data"
        elif invariant == "I6" and self.history_missing and not found:
            verdict = "not looked at"
        lines = [f"   {one.order_id}  {one.detail}" for one in found[:_SHOWN]]
        more = [f"   and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else []
        return [f"{invariant} {INVARIANTS[invariant]}: {verdict}", *lines, *more]


def examine(deployed: Deployment) -> Report:
    """Everything that is wrong with what a deployment has stored.

    :raises InfraError, BotoCoreError, ClientError: if it cannot be looked at.
    """
    stored = Stored(deployed)
    report = Report(deployed.where, database_of(deployed.database_url) if deployed.database_url else "")
    try:
        _Examination(deployed, stored, report).run()
    finally:
        stored.close()
    report.history_missing = stored.history_missing
    sqs = deployed.client("sqs")
    for name in _QUEUES:
        wanted = {"QueueUrl": deployed.output(f"{name}QueueUrl"), "AttributeNames": ["All"]}
        depth = sqs.get_queue_attributes(**wanted)["Attributes"]
        report.letters[f"{name}Queue"] = sum(
            int(depth[f"ApproximateNumberOfMessages{kind}"]) for kind in ("", "NotVisible")
        )
    return report


class _Examination:
    def __init__(self, deployed: Deployment, stored: Stored, report: Report) -> None:
        self._stored = stored
        self._report = report
        self._max_attempts = deployed.max_attempts

    def run(self) -> None:
        # Orders are there before their swaps: read in this order, each swap's order must turn up.
        swaps = self._stored.swaps()
        self._report.swaps = sum(map(len, swaps.values()))
        seen: set[str] = set()
        for page in self._stored.pages():
            copies = self._stored.copies([str(item["orderId"]) for item in page])
            for item in page:
                order_id = str(item["orderId"])
                seen.add(order_id)
                evidence = evidence_of(item, swaps.get(order_id, {}), copies.get(order_id))
                self._count(evidence, str(item.get("createdAt")))
                if self._wrong_with(evidence):
                    self._report.violations += self._looked_at_again(order_id, swaps.get(order_id, {}))
        landed = (one for swap in swaps.values() for one in swap.values())
        self._report.violations += [one for one in orphans(landed, seen) if self._stored.item(one.order_id) is None]

    def _count(self, evidence: Evidence, created_at: str) -> None:
        report, due = self._report, evidence.deadline_ms
        report.statuses[evidence.status] += 1
        if evidence.status not in TERMINAL:
            resting = evidence.status == Status.OPEN
            report.resting += resting
            report.waiting += evidence.status in _WAITING
            report.in_flight += not resting and evidence.status not in _WAITING
            report.overdue += due is not None and due < _now_ms()
        elif due is not None:
            report.behind += 1
            report.behind_since = min(report.behind_since or created_at, created_at)

    def _looked_at_again(self, order_id: str, scanned: Mapping[str, Swap]) -> tuple[Violation, ...]:
        for _ in range(_LOOKS):
            item = self._stored.item(order_id)
            if item is None:
                break
            landed = self._stored.landed(evidence_of(item, {}, None))
            copy: HistoryCopy | None = self._stored.copies([order_id]).get(order_id)
            found = self._wrong_with(evidence_of(item, {**scanned, **landed}, copy))
            again = self._stored.item(order_id) or {}
            if not found or all(item.get(name) == again.get(name) for name in ("seq", "attentionAt")):
                return found
        # It moves while it is looked at: somebody works on it.
        return ()

    def _wrong_with(self, evidence: Evidence) -> tuple[Violation, ...]:
        known = not self._stored.history_missing
        limits = {"overdue_ms": _OVERDUE_MS, "max_attempts": self._max_attempts}
        found = violations_of(evidence, _now_ms(), **limits, history_known=known)
        last = evidence.events[-1] if evidence.events else None
        # What is open is left alone only once it is recorded; what ended stands a while in its message alone.
        ended = evidence.status in TERMINAL
        if ended and isinstance(last, Event) and to_ms(last.at) > _now_ms() - _SETTLING_MS:
            return tuple(one for one in found if one.invariant != "I6")
        return found


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def main() -> int:
    """The command; returns the exit code."""
    try:
        report = examine(find(with_stage(__doc__).parse_args().stage))
    except CANNOT_LOOK as error:
        print(f"Could not look. {error}", file=sys.stderr)
        return 2
    print(report)
    if report.violations:
        return 1
    return 2 if report.history_missing else 0


if __name__ == "__main__":
    sys.exit(main())
