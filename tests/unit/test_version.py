"""The package, the project and the newest release of the changelog have the same version."""

import re
import tomllib

from chalicelib import VERSION
from infra.project import ROOT


def test_the_project_and_the_changelog_state_the_version_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    released = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)
    assert project["version"] == VERSION
    assert released[0] == VERSION
