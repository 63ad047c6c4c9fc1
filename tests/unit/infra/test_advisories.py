"""The audit of the locked packages passes without a network, and never with a finding."""

import json
from typing import Any

import pytest

from infra.audit.advisories import VulnerableError, judge

CLEAN = {"name": "pydantic", "version": "2.13.5", "vulns": []}
UNKNOWN = {
    "name": "chalice",
    "skip_reason": "Dependency not found on PyPI and could not be audited: chalice (1.34.0)",
}
BAD = {"name": "jinja2", "version": "2.4", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.7.3", "3.0"]}]}
UNFIXED = {"name": "py", "version": "1.11", "vulns": [{"id": "PYSEC-2", "fix_versions": []}]}


def output(*packages: dict[str, Any]) -> str:
    return json.dumps({"dependencies": packages, "fixes": []})


def test_packages_without_an_advisory_pass() -> None:
    assert judge(output(CLEAN), "") == "1 locked packages have no known vulnerability."


def test_every_vulnerability_is_named_with_the_version_that_mends_it() -> None:
    with pytest.raises(VulnerableError) as refused:
        judge(output(CLEAN, BAD, UNFIXED), "")
    assert str(refused.value).splitlines() == [
        "jinja2 2.4: PYSEC-1, mended in 2.7.3, 3.0",
        "py 1.11: PYSEC-2, mended in no version",
    ]


def test_a_package_that_the_index_does_not_know_beside_those_it_knows_is_a_finding() -> None:
    with pytest.raises(VulnerableError, match="chalice"):
        judge(output(CLEAN, UNKNOWN), "")


@pytest.mark.parametrize(
    ("text", "errors"),
    [
        ("", "ERROR:pip_audit._cli:Could not connect to PyPI's vulnerability feed\n"),
        ("", "Traceback (most recent call last):\nrequests.exceptions.ProxyError: HTTPSConnectionPool(...)\n"),
        ("", "Traceback (most recent call last):\nrequests.exceptions.ConnectTimeout: HTTPSConnectionPool(...)\n"),
        (output(UNKNOWN), ""),
    ],
)
def test_an_audit_without_advisories_says_that_it_is_none(text: str, errors: str) -> None:
    assert judge(text, errors).startswith("NOT AUDITED")


@pytest.mark.parametrize("errors", ["", "requests.exceptions.SSLError: certificate verify failed\n"])
def test_an_audit_that_fails_for_another_reason_does_not_pass(errors: str) -> None:
    with pytest.raises(VulnerableError):
        judge("", errors)
