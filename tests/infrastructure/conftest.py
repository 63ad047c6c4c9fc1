"""The production package, built as by ``make package`` and only again if its sources change.

A machine without the functions' Python packages for its own, so that every test runs everywhere.
"""

import json
import re
import subprocess
import zipfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from infra.aws.interpreter import find_interpreter
from infra.aws.package import package
from infra.project import BUILD, LAMBDA_PYTHON, PYTHON

#: The version of Python that the package is made for, and an interpreter of it.
RUNTIME = LAMBDA_PYTHON if find_interpreter(LAMBDA_PYTHON) else PYTHON


@dataclass(frozen=True)
class Packaged:
    """The deployed artifacts: the template and the zip of the code."""

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
    made = package("prod", BUILD / "prod", python=RUNTIME)
    return Packaged(made.template, made.code, json.loads(made.template.read_text()))


@pytest.fixture(scope="session")
def unzipped(packaged: Packaged, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory with the unpacked code, as Lambda provides it."""
    target = tmp_path_factory.mktemp("var-task")
    with zipfile.ZipFile(packaged.code) as archive:
        archive.extractall(target)
    return target


@pytest.fixture
def alarms(packaged: Packaged) -> dict[str, dict[str, Any]]:
    """The properties of every alarm, by its name."""
    return packaged.resources("AWS::CloudWatch::Alarm")


@pytest.fixture(scope="session")
def lambda_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with boto3 and its dependencies only, as in Lambda."""
    target = tmp_path_factory.mktemp("lambda-python")
    interpreter = find_interpreter(RUNTIME)
    assert interpreter
    subprocess.run([interpreter, "-m", "venv", "--without-pip", target], check=True)
    [packages] = target.glob("lib/python*/site-packages")
    for name in _with_requirements("boto3"):
        distribution = metadata.distribution(name)
        for top in {file.parts[0] for file in distribution.files or () if file.parts[0] != ".."}:
            (packages / top).symlink_to(Path(str(distribution.locate_file(top))))
    return target / "bin/python"


def _with_requirements(name: str) -> set[str]:
    """Return the names of a distribution and its installed dependencies."""
    needed = [text for text in metadata.requires(name) or () if "extra ==" not in text]
    return {name}.union(*(_with_requirements(re.split(r"[^\w.-]", text)[0]) for text in needed))
