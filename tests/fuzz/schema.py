"""Runs schemathesis with the committed document against a running stack: every phase, valid and invalid data."""

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import Any

from infra.project import ROOT
from tests.fuzz.fuzzing import FoundError
from tests.fuzz.schema_hooks import COUNTS
from tests.support.contract import document

_CONFIG = Path(__file__).with_name("schemathesis.toml")
PHASES = ("examples", "coverage", "fuzzing", "stateful")


def check_schema(
    url: str, key: str | None, *, seed: int, seconds: int | None = None, phases: Collection[str] = PHASES
) -> Counter[str]:
    """Return the number of calls by phase, mode and status.

    ``key``: an operator's; ``None`` for a stack without authentication. ``seconds``: repeat random calls for so long;
    otherwise the seed alone decides which calls are made.

    :raises FoundError: with the report of schemathesis, if it finds anything or leaves a phase or operation out.
    """
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        described, report, counts = (directory / f"{part}.json" for part in ("openapi", "report", "counts"))
        described.write_text(json.dumps(_described(is_locked=key is not None, has_heads=seconds is not None)))
        command = [sys.executable, "-m", "schemathesis.cli", f"--config-file={_CONFIG}", "run", str(described)]
        command += [f"--url={url}", f"--seed={seed}", "--no-color"]
        command += ["--report=json", f"--report-json-path={report}"]
        command += [f"--phases={','.join(phases)}"]
        command += [f"--max-time={seconds}"] if seconds is not None else []
        command += ["--header", f"Authorization: Bearer {key}"] if key else []
        environment = {**os.environ, COUNTS: str(counts)}
        found = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        if found.returncode != 0:
            raise FoundError(found.stdout + found.stderr)
        _check_complete(json.loads(report.read_text()), phases)
        return Counter(json.loads(counts.read_text()))


def _described(*, is_locked: bool, has_heads: bool) -> dict[str, Any]:
    """The committed document, with or without the ``HEAD`` of each ``GET``, which takes the same route.

    A stack without authentication ignores credentials, so its calls need none.
    """
    spec = document("openapi.json")
    changes: dict[str, Any] = {} if is_locked else {"security": []}
    paths = {
        path: {
            method: {**operation, **changes} for method, operation in item.items() if has_heads or method != "head"
        }
        for path, item in spec["paths"].items()
    }
    return {**spec, "paths": paths}


def _check_complete(report: dict[str, Any], phases: Collection[str]) -> None:
    found = {name: report["phases"][name]["status"] for name in phases}
    operations = report["operations"]
    if set(found.values()) != {"success"} or operations["tested"] != operations["total"]:
        raise FoundError(f"schemathesis is not complete: {found}, {operations}")
