"""The lock files hold every direct requirement at its version, and a hash of every package."""

import re
from pathlib import Path

import pytest

from infra.project import ROOT

PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==(\S+)")


def normalized(name: str) -> str:
    return re.sub("[-_.]+", "-", name).lower()


def pins(file: Path) -> dict[str, str]:
    """Return each package of a requirements file and its version, following ``-r``."""
    found: dict[str, str] = {}
    for line in file.read_text().splitlines():
        if line.startswith("-r "):
            found |= pins(file.with_name(line.removeprefix("-r ")))
        elif pin := PIN.match(line):
            found[normalized(pin[1])] = pin[2]
        else:
            assert not line.strip() or line.lstrip().startswith(("#", "--hash=")), f"{line} pins no version"
    return found


@pytest.mark.parametrize("name", ["requirements", "requirements-dev", "requirements-audit"])
def test_a_lock_file_has_every_direct_requirement_at_its_version(name: str) -> None:
    direct, locked = pins(ROOT / f"{name}.in"), pins(ROOT / f"{name}.txt")
    assert direct.items() <= locked.items(), "run make lock"
    assert len(locked) > len(direct)


@pytest.mark.parametrize("name", ["requirements", "requirements-dev", "requirements-audit"])
def test_every_locked_package_has_a_hash(name: str) -> None:
    text = (ROOT / f"{name}.txt").read_text().replace("\\\n", "")
    rows = [line for line in text.splitlines() if PIN.match(line)]
    assert rows
    assert [row for row in rows if not re.search(r"--hash=sha256:[0-9a-f]{64}", row)] == []


def test_the_deployed_code_takes_the_versions_that_the_tests_run_with() -> None:
    assert pins(ROOT / "requirements.txt").items() <= pins(ROOT / "requirements-dev.txt").items(), "run make lock"
