"""The Python that compiles the modules of a package: bytecode fits one version of Python alone."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from infra.project import PYTHON

_PROBE = "import sys; print('%d.%d' % sys.version_info[:2], sys.executable)"
_SECONDS = 300


@cache
def find_interpreter(version: str) -> Path | None:
    """Return an interpreter of this version, such as ``3.13``; ``None`` if this machine has none and gets none.

    uv installs one if the machine lacks it and reaches its downloads.
    """
    if version == PYTHON:
        return Path(sys.executable)
    return next((path for command in _commands(version) if (path := _executable(command, version))), None)


def _commands(version: str) -> Iterator[Path]:
    if named := shutil.which(f"python{version}"):
        yield Path(named)
    if uv := shutil.which("uv", path=os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))):
        # A version that uv has already is not installed again.
        _output([uv, "python", "install", "--no-bin", version], version)
        if found := _output([uv, "python", "find", "--managed-python", version], version):
            yield Path(found)


def _executable(command: Path, version: str) -> Path | None:
    """Return the interpreter behind ``command`` if it runs and has this version."""
    number, _, path = _output([command, "-I", "-c", _PROBE], version).partition(" ")
    return Path(path) if number == version else None


def _output(command: list[str | Path], version: str) -> str:
    """Return the output of a program, nothing if it fails. A shim of pyenv is asked for the interpreter it has."""
    environment = os.environ | {"PYENV_VERSION": version}
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
