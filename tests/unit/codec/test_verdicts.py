"""The doctor's verdict as JSON."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.codec.verdicts import verdict_from_json, verdict_to_json
from chalicelib.ports.verdicts import MAX_FINDING_CHARACTERS, MAX_FINDINGS, DoctorVerdict, VerdictStatus

AT = datetime(2026, 1, 31, 12, 0, 0, 123_000, tzinfo=UTC)


@given(st.sampled_from(VerdictStatus), st.integers(0), st.integers(0), st.lists(st.text(max_size=9), max_size=10))
def test_a_verdict_survives_the_round_trip(status: VerdictStatus, orders: int, found: int, lines: list[str]) -> None:
    verdict = DoctorVerdict(AT, status, orders, found, tuple(lines))
    assert verdict_from_json(verdict_to_json(verdict)) == verdict


def test_however_much_the_doctor_finds_the_stored_text_stays_small() -> None:
    verdict = DoctorVerdict(AT, VerdictStatus.VIOLATIONS, 10**9, 10**6, ("x" * 10_000,) * 1000)
    kept = verdict_from_json(verdict_to_json(verdict))
    assert kept.findings == ("x" * MAX_FINDING_CHARACTERS,) * MAX_FINDINGS
    assert kept.violations == 10**6


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "1", verdict_to_json(DoctorVerdict(AT, VerdictStatus.OK, 1, 0))[:-9]]
)
def test_what_is_no_verdict_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        verdict_from_json(text)


def test_a_status_of_a_later_version_is_refused() -> None:
    text = verdict_to_json(DoctorVerdict(AT, VerdictStatus.OK, 1, 0))
    with pytest.raises(ValueError, match="later"):
        verdict_from_json(text.replace('"ok"', '"later"'))
