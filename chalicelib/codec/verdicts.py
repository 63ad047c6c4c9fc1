"""The doctor's verdict as JSON, of a bounded size."""

from chalicelib.codec.exact_json import dumps, loads
from chalicelib.codec.times import from_text, to_text
from chalicelib.ports.verdicts import MAX_FINDING_CHARACTERS, MAX_FINDINGS, DoctorVerdict, VerdictStatus


def verdict_to_json(verdict: DoctorVerdict) -> str:
    return dumps(
        {
            "at": to_text(verdict.at),
            "status": verdict.status,
            "orders": verdict.orders,
            "violations": verdict.violations,
            "findings": [finding[:MAX_FINDING_CHARACTERS] for finding in verdict.findings[:MAX_FINDINGS]],
        }
    )


def verdict_from_json(text: str) -> DoctorVerdict:
    """:raises ValueError: if the text is not a verdict of a version that this code reads."""
    try:
        data = loads(text)
        return DoctorVerdict(
            at=from_text(data["at"]),
            status=VerdictStatus(data["status"]),
            orders=int(data["orders"]),
            violations=int(data["violations"]),
            findings=tuple(map(str, data["findings"])),
        )
    except (LookupError, TypeError) as error:
        raise ValueError("not a verdict of the doctor") from error
