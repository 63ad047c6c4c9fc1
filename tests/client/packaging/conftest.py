"""The wheel and the source distribution, built once, and an environment with the wheel and its extras."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from infra.project import ROOT


class Distributions(NamedTuple):
    """``wheel`` is built from the source distribution, ``direct`` from the checkout."""

    sdist: Path
    wheel: Path
    direct: Path


@pytest.fixture(scope="session")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Distributions:
    both, direct = tmp_path_factory.mktemp("both"), tmp_path_factory.mktemp("direct")
    build = [sys.executable, "-m", "build", "--no-isolation", str(ROOT / "client")]
    run(*build, "--outdir", both)
    run(*build, "--wheel", "--outdir", direct)
    return Distributions(_only(both, "*.tar.gz"), _only(both, "*.whl"), _only(direct, "*.whl"))


@pytest.fixture(scope="session")
def installed(distributions: Distributions, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ``bin`` directory of an environment with the wheel and every extra, and nothing else of the project."""
    environment = tmp_path_factory.mktemp("installed")
    # make venv installs uv beside Python unless the machine has it.
    uv = shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    assert uv is not None
    run(uv, "venv", "--quiet", "--clear", "--python", sys.executable, environment)
    install: list[str | Path] = [uv, "pip", "install", "--quiet", "--python", environment / "bin/python"]
    wheel: list[str | Path] = [f"{distributions.wheel}[cli,test,mcp]", "--constraint", ROOT / "requirements-dev.txt"]
    try:
        # The cache has what made the tests' own environment, so this takes a second.
        run(*install, "--offline", *wheel)
    except subprocess.CalledProcessError:
        run(*install, *wheel)
    return environment / "bin"


def run(*command: str | Path, cwd: Path | None = None) -> str:
    """The output of a command, which sees no package of this project but the installed ones."""
    hidden = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "OE_URL", "OE_KEY", "OE_USER")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        print(done.stdout, done.stderr)
    done.check_returncode()
    return done.stdout


def _only(directory: Path, pattern: str) -> Path:
    (found,) = directory.glob(pattern)
    return found
