"""Part F: the CPU time of a cold start: the packaged engine against an import of its dependencies alone.

Every start is a process of its own in the unpacked package, as on Lambda: boto3 comes from this environment, and no
process writes bytecode. Starts of both sides alternate, so that other load on the machine affects both. A time is the
CPU time of the process from its beginning, the start of Python included.
"""

import os
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from infra.project import PYTHON
from tests.bench.errors import BenchError

#: Does not exist. A start that called it would fail.
_NOWHERE = "http://localhost:1"
_SETTINGS = """
from dataclasses import MISSING, fields
from chalicelib.settings import Settings
print(*(field.name.upper() for field in fields(Settings) if field.default is MISSING))
"""
#: Lambda imports the application, which builds the engine as it does so.
_ENGINE = """
import os
os.environ["AWS_LAMBDA_FUNCTION_NAME"] = "bench"
import app
from chalicelib.bootstrap import engine
engine()
"""
_BARE = """
import botocore.session, chalice.app, pydantic, pythonjsonlogger.json, simplejson
import pynamodb.models, pynamodb.transactions
session = botocore.session.get_session()
for service in ("dynamodb", "sqs", "apigatewaymanagementapi"):
    session.create_client(service, region_name="us-east-1")
"""
#: In Lambda, what the application prints becomes lines of its log.
_CPU = "\nimport sys, time\nprint(time.process_time(), file=sys.__stdout__)"
#: What a function loads besides, in the engine and in the bare process: the processor records each order.
_KINDS = {"api and sockets": ("", ""), "processor": ("import chalicelib.history.postgres", "import psycopg")}


@dataclass(frozen=True)
class ColdStart:
    """CPU milliseconds of the starts of one kind of function, in pairs."""

    engine: list[float]
    bare: list[float]

    @property
    def ratio(self) -> float:
        """The median over the pairs of the engine's time divided by the dependencies'."""
        return median(one / other for one, other in zip(self.engine, self.bare, strict=True))


@dataclass(frozen=True)
class ColdStarts:
    """The starts by kind of function, and the size of the package in megabytes."""

    kinds: dict[str, ColdStart]
    zip_mb: float
    unpacked_mb: float


def measure(project: Path, starts: int) -> ColdStarts:
    """Package the checkout at ``project`` and start it ``starts`` times for each kind of function.

    :raises BenchError: if the package cannot be made or does not start.
    """
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        # The starts are those of this Python.
        own = {"PACKAGE_PYTHON": PYTHON}
        made, unpacked = Path(name) / "package", Path(name) / "task"
        _run(["-m", "infra.aws.package", "--stage", "prod", "--out", str(made)], project, os.environ | own)
        with zipfile.ZipFile(made / "deployment.zip") as archive:
            archive.extractall(unpacked)
            size = sum(entry.file_size for entry in archive.infolist())
        environment = _environment(unpacked)
        kinds = {kind: _alternate(unpacked, environment, *extra, starts) for kind, extra in _KINDS.items()}
        return ColdStarts(kinds, (made / "deployment.zip").stat().st_size / 1e6, size / 1e6)


def _alternate(
    package: Path, environment: dict[str, str], engine_extra: str, bare_extra: str, starts: int
) -> ColdStart:
    result = ColdStart([], [])
    for _ in range(starts):
        result.engine.append(_cpu_ms(_ENGINE + engine_extra, package, environment))
        result.bare.append(_cpu_ms(_BARE + bare_extra, package, environment))
    return result


def _environment(package: Path) -> dict[str, str]:
    """The least environment in which the engine of a package starts."""
    environment = {
        "PATH": os.defpath,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return environment | dict.fromkeys(_run(["-c", _SETTINGS], package, environment).split(), _NOWHERE)


def _cpu_ms(code: str, package: Path, environment: dict[str, str]) -> float:
    return float(_run(["-c", code + _CPU], package, environment).split()[-1]) * 1000


def _run(arguments: list[str], directory: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], cwd=directory, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BenchError(f"python {arguments[0]} failed in {directory}:\n{done.stderr}")
    return done.stdout
