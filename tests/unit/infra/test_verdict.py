"""The doctor's verdict: what it says of a report, and that a doctor who may not store it still reports."""

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.domain.invariants import Violation
from chalicelib.ports.verdicts import DoctorVerdict, VerdictStatus
from infra.ops import doctor
from infra.ops.report import Report
from infra.ops.verdict import verdict_of
from tests.support.order_builders import NOON

BROKEN = Violation("I4", "order-1", "a gap\nin the events")


def a_report(*violations: Violation, history_missing: str = "") -> Report:
    report = Report("stack", "history", history_missing, violations=list(violations))
    report.statuses.update({"confirmed": 2, "open": 1})
    return report


@pytest.mark.parametrize(
    ("report", "status"),
    [
        (a_report(), VerdictStatus.OK),
        (a_report(history_missing="Postgres does not answer"), VerdictStatus.UNKNOWN),
        (a_report(BROKEN, history_missing="Postgres does not answer"), VerdictStatus.VIOLATIONS),
    ],
)
def test_a_verdict_is_ok_only_if_the_doctor_checked_everything(report: Report, status: VerdictStatus) -> None:
    assert verdict_of(report, NOON).status is status


def test_a_verdict_counts_every_violation_and_tells_the_first_ten_in_a_line_each() -> None:
    verdict = verdict_of(a_report(*[BROKEN] * 12), NOON)
    line = "I4 order-1: a gap in the events"
    assert verdict == DoctorVerdict(NOON, VerdictStatus.VIOLATIONS, 3, 12, (line,) * 10)


class Table:
    """A table that notes what is stored in it, or refuses."""

    def __init__(self, *, refuses: bool = False) -> None:
        self.refuses = refuses
        self.items: list[dict[str, Any]] = []

    def put_item(self, **call: Any) -> None:
        if self.refuses:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "not authorized"}}, "PutItem")
        self.items.append(call)


def run(monkeypatch: pytest.MonkeyPatch, table: Table, report: Report) -> int:
    deployment = SimpleNamespace(client=lambda service: table, output=lambda name: name)
    monkeypatch.setattr("sys.argv", ["doctor"])
    monkeypatch.setattr(doctor, "find_deployment", lambda stage: deployment)
    monkeypatch.setattr(doctor, "examine", lambda found: report)
    return doctor.main()


def test_the_doctor_stores_its_verdict(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    table = Table()
    assert run(monkeypatch, table, a_report()) == 0
    [stored] = table.items
    assert stored["TableName"] == "RateLimitTableName"
    assert '"status":"ok"' in stored["Item"]["verdict"]["S"]
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("violations", "code"), [((), 0), ((BROKEN,), 1)])
def test_a_doctor_that_may_not_store_its_verdict_still_reports(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], violations: tuple[Violation, ...], code: int
) -> None:
    assert run(monkeypatch, Table(refuses=True), a_report(*violations)) == code
    shown = capsys.readouterr()
    assert "orders        3:" in shown.out
    assert shown.err.startswith("GET /api/engine does not show this verdict.")
    assert "AccessDeniedException" in shown.err
