"""The package for production, made as by ``make package``, and again only if its sources change."""

import json
import subprocess
import sys
import venv
import zipfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from infra.aws.package import package
from infra.project import BUILD, PYTHON, ROOT


@dataclass(frozen=True)
class Packaged:
    """The deployed artefacts: the template, and the zip of the code."""

    template_file: Path
    code: Path
    template: dict[str, Any]

    def resources(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return the properties of every resource of a type, by its name."""
        found = self.template["Resources"].items()
        return {name: resource.get("Properties", {}) for name, resource in found if resource["Type"] == kind}

    @property
    def functions(self) -> dict[str, dict[str, Any]]:
        return self.resources("AWS::Serverless::Function")

    @property
    def variables(self) -> dict[str, Any]:
        """The environment of every function."""
        variables: dict[str, Any] = self.template["Globals"]["Function"]["Environment"]["Variables"]
        return variables

    def queue_events(self) -> dict[str, dict[str, Any]]:
        """Return each function with a queue, and the properties of its event source mapping."""
        return {
            name: event["Properties"]
            for name, function in self.functions.items()
            for event in function.get("Events", {}).values()
            if event["Type"] == "SQS"
        }


@pytest.fixture(scope="session")
def packaged() -> Packaged:
    made = package("prod", BUILD / "tests" / "prod")
    return Packaged(made.template, made.code, json.loads(made.template.read_text()))


@pytest.fixture(scope="session")
def unzipped(packaged: Packaged, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory in which Lambda unpacks the code."""
    target = tmp_path_factory.mktemp("var-task")
    with zipfile.ZipFile(packaged.code) as archive:
        archive.extractall(target)
    return target


@pytest.fixture(scope="session")
def lambda_python() -> Path:
    """A Python with boto3 and its dependencies only, like Lambda's."""
    [pin] = [line for line in (ROOT / "requirements-dev.txt").read_text().split() if line.startswith("boto3==")]
    target = BUILD / "tests" / f"lambda-{PYTHON}-{sha256(pin.encode()).hexdigest()[:8]}"
    python = target / "bin/python"
    if not (target / "ready").exists():
        venv.create(target, clear=True, with_pip=False)
        install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-compile", pin]
        subprocess.run(install, check=True)
        (target / "ready").touch()
    return python
