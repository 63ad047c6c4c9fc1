"""Asks PyPI for known vulnerabilities of the locked packages, by pip-audit.

Without access to PyPI's advisories there is nothing to judge by: the check says so and passes. A mirror that serves
packages without advisories is no access either.
"""

import json
import re
import subprocess
import sys
from typing import Any

from infra.command import run
from infra.errors import InfraError
from infra.project import ROOT

#: Files of one environment are audited together: pip-audit refuses two versions of a package.
ENVIRONMENTS = (("requirements.txt", "requirements-dev.txt"), ("requirements-audit.txt",))
#: The last line of pip-audit when it cannot reach PyPI. A certificate that is not valid is no such case.
_UNREACHABLE = re.compile(
    r"Could not connect to PyPI's vulnerability feed|^requests\.exceptions\.(ConnectionError|ProxyError|\w*Timeout)",
    re.MULTILINE,
)


class VulnerableError(InfraError):
    """Packages have known vulnerabilities, or could not be judged. The message has one line for each."""


def judge(output: str, errors: str) -> str:
    """Return what pip-audit found, as one sentence.

    :raises VulnerableError: if it found a vulnerability, does not know a package, or failed.
    """
    if not output.strip():
        if _UNREACHABLE.search(errors):
            return "NOT AUDITED, PyPI's advisories cannot be reached from here."
        raise VulnerableError(f"pip-audit failed:\n{errors}")
    packages = json.loads(output)["dependencies"]
    skipped = [package for package in packages if "skip_reason" in package]
    if skipped and len(skipped) == len(packages):
        return "NOT AUDITED, the package index that is reachable from here has no advisories."
    lines = [package["skip_reason"] for package in skipped]
    lines += [line for package in packages for line in _lines(package)]
    if lines:
        raise VulnerableError("\n".join(lines))
    return f"{len(packages)} locked packages have no known vulnerability."


def _lines(package: dict[str, Any]) -> list[str]:
    name = f"{package['name']} {package.get('version', '')}"
    found = package.get("vulns", [])
    return [f"{name}: {one['id']}, mended in {', '.join(one['fix_versions']) or 'no version'}" for one in found]


def main() -> int:
    """Run ``python -m infra.audit.advisories build/audit-venv/bin/pip-audit`` and return the exit code."""
    [pip_audit] = sys.argv[1:]
    for files in ENVIRONMENTS:
        command = [pip_audit, "--disable-pip", "--require-hashes", "--progress-spinner=off", "--format=json"]
        command += [argument for file in files for argument in ("--requirement", file)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        print(f"{', '.join(files)}: {judge(done.stdout, done.stderr)}")
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
