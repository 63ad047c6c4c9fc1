"""Versions of the packaged app that differ in one kind of change, for deployments over one another."""

import json
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import chalicelib
from infra.aws.package import Package
from infra.aws.template import Template
from infra.settings import Setting

#: The path of the new route, and the setting that changes with its value.
ROUTE, SETTING, INDEX = "/api/updated", Setting("MARKET_TICK_SECONDS"), "updated"
_CHANGED = {SETTING.parameter: "2"}
_EVERYTHING: dict[str, Any] = {"has_route": True, "has_index": True, "parameters": _CHANGED}
_ROUTE_SOURCE = f"""

@app.route("{ROUTE}")
def updated() -> dict[str, bool]:
    return {{"updated": True}}
"""


@dataclass(frozen=True)
class Version:
    """A package, the parameters that it is deployed with, and what clients see of it."""

    name: str
    package: Package
    parameters: dict[str, str] = field(default_factory=dict)
    #: The version that ``GET /health`` reports.
    reported: str = chalicelib.VERSION
    has_route: bool = False
    has_index: bool = False
    #: CloudFormation rolls its deployment back.
    fails: bool = False


class Versions:
    """Makes versions of ``base`` in ``directory``."""

    def __init__(self, base: Package, directory: Path) -> None:
        self._directory = directory
        self._first = base
        #: The first version once more.
        self.base = Version("the first version", replace(base, template=directory / "base.json"))
        self._write_template(self.base.package, lambda _: None)

    def code(self, number: int) -> Version:
        """Only the code changes: it reports another version."""
        return self._made("code", number)

    def route(self, number: int) -> Version:
        """The code and the API have a further route."""
        return self._made("route", number, _with_route, has_route=True)

    def index(self, number: int) -> Version:
        """The orders table has a further index."""
        return self._made("index", number, _with_index, has_index=True)

    def setting(self, number: int) -> Version:
        """The watcher looks less often."""
        return self._made("setting", number, parameters=_CHANGED)

    def everything(self, number: int) -> Version:
        """All of these change at once."""
        return self._made("everything", number, _with_everything, **_EVERYTHING)

    def failing(self, number: int) -> Version:
        """CloudFormation changes everything, and then fails at a last resource."""
        return self._made("failing", number, _with_failure, fails=True, **_EVERYTHING)

    def _made(
        self, name: str, number: int, change: Callable[[Template], object] = lambda _: None, **about: Any
    ) -> Version:
        base = self._first
        reported = f"{chalicelib.VERSION}-{name}-{number}"
        digest = f"{base.digest}-{name}-{number}"
        package = Package(self._directory / f"{name}-{number}.json", self._directory / f"{name}-{number}.zip", digest)
        self._write_template(package, change)
        _write_code(base.code, package.code, reported, with_route=about.get("has_route", False))
        return Version(f"{name} {number}", package, reported=reported, **about)

    def _write_template(self, package: Package, change: Callable[[Template], object]) -> None:
        template = json.loads(self._first.template.read_text())
        change(template)
        # The emulator replaces an API whose routes change, where AWS changes it. The earlier one answers until the
        # front door leads to the new one.
        template["Resources"]["RestAPI"]["UpdateReplacePolicy"] = "Retain"
        package.template.write_text(json.dumps(template))


def _write_code(base: Path, target: Path, reported: str, *, with_route: bool) -> None:
    """Copy the code with another version, and with a further route. Bytecode of the changed files would hide them."""
    stale = re.compile(r"(chalicelib/)?__pycache__/(__init__|app)\.[^/]*\.pyc")
    with zipfile.ZipFile(base) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            content = old.read(entry)
            if stale.fullmatch(entry.filename):
                continue
            if entry.filename == "chalicelib/__init__.py":
                content = content.replace(chalicelib.VERSION.encode(), reported.encode())
            if entry.filename == "app.py" and with_route:
                content += _ROUTE_SOURCE.encode()
            new.writestr(entry, content)


def _with_route(template: Template) -> None:
    paths = template["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]["paths"]
    paths[ROUTE] = {"get": paths["/health"]["get"]}


def _with_index(template: Template) -> None:
    table = template["Resources"]["OrdersTable"]["Properties"]
    keys = [{"AttributeName": "userId", "KeyType": "HASH"}, {"AttributeName": "orderId", "KeyType": "RANGE"}]
    index = {"IndexName": INDEX, "KeySchema": keys, "Projection": {"ProjectionType": "KEYS_ONLY"}}
    table["GlobalSecondaryIndexes"] = [*table["GlobalSecondaryIndexes"], index]


def _with_everything(template: Template) -> None:
    _with_route(template)
    _with_index(template)


def _with_failure(template: Template) -> None:
    """Wait, after every function and table, for a signal that nobody sends."""
    _with_everything(template)
    resources = template["Resources"]
    waited = [name for name, one in resources.items() if one["Type"].endswith(("::Function", "::Table", "::Api"))]
    resources["Signal"] = {"Type": "AWS::CloudFormation::WaitConditionHandle"}
    resources["Signalled"] = {
        "Type": "AWS::CloudFormation::WaitCondition",
        "DependsOn": waited,
        "Properties": {"Handle": {"Ref": "Signal"}, "Timeout": "1", "Count": 1},
    }
