"""Packages the application: ``chalice package``, the merged template, and a zip without Lambda's own packages.

Chalice installs every dependency again after any change to the app. It therefore packages a copy of the project
without dependencies, and these are added from a directory that changes only with ``requirements.txt``. Bytecode for
every module spares a cold start the compiler. A package whose sources have not changed is not made again. Equal
sources make an equal zip.
"""

import argparse
import fcntl
import hashlib
import json
import os
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from chalicelib.history.address import OWN_CERTIFICATES
from infra.aws.bytecode import compile_modules
from infra.aws.dependencies import add_directory, add_files, installed_dependencies
from infra.aws.interpreter import find_interpreter
from infra.aws.page import minify_page
from infra.aws.template import finish_template, load_template
from infra.aws.tools import run_tool
from infra.command import run
from infra.project import BUILD, LAMBDA_PYTHON, PYTHON, ROOT, STAGES

APPLICATION = ("app.py", "chalicelib", ".chalice/config.json", ".chalice/policies")
RESOURCES = "infra/aws/resources.yaml"
TEMPLATES = ("infra/*.py", "infra/aws/*", "infra/local/local.yaml", "requirements-dev.txt")


@dataclass(frozen=True)
class Package:
    """A packaged application: the template, the code, and a digest of all sources of both.

    Without bytecode, each cold start compiles every module.
    """

    template: Path
    code: Path
    digest: str
    has_bytecode: bool = True


@dataclass(frozen=True)
class Options:
    """How a stage is packaged: with its dependencies and these certificates, and for which Python."""

    stage: str
    dependencies: bool
    certificates: Path | None
    python: str
    interpreter: Path | None


def package(
    stage: str,
    out: Path,
    *,
    dependencies: bool = True,
    certificates: Path | None = None,
    python: str | None = None,
) -> Package:
    """Package ``stage`` into ``out``, or return the package there if its sources have not changed.

    Without ``dependencies`` the zip holds the app alone. The emulator runs functions in this environment, and a
    worker starts sooner when it need not unpack and compile them. ``certificates`` are those of the database's own
    authority, which the package then trusts alone. ``python`` is the version of the functions' Python: without it,
    AWS's runtime, or the Python that runs this for the local stage.

    :raises PackagingError: if Chalice or pip fails.
    """
    python = python or (PYTHON if stage == "local" else LAMBDA_PYTHON)
    out.mkdir(parents=True, exist_ok=True)
    with one_at_a_time():
        return _package(out, Options(stage, dependencies, certificates, python, find_interpreter(python)))


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Wait until no other process packages this project: two of them would delete each other's files."""
    BUILD.mkdir(parents=True, exist_ok=True)
    with (BUILD / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _package(out: Path, options: Options) -> Package:
    has_bytecode = options.interpreter is not None
    result = Package(out / "template.json", out / "deployment.zip", source_digest(options), has_bytecode)
    stamp = out / "digest"
    if stamp.exists() and stamp.read_text() == result.digest:
        return result
    stamp.unlink(missing_ok=True)
    run_chalice(options.stage, out)
    if options.interpreter:
        add_bytecode(result.code, options.interpreter)
    if options.dependencies:
        add_directory(result.code, installed_dependencies(options.python, options.interpreter))
    if options.certificates:
        add_files(result.code, {str(OWN_CERTIFICATES.relative_to(ROOT)): options.certificates})
    template = finish_template(load_template(out / "sam.yaml"), options.stage, options.python)
    result.template.write_text(json.dumps(template, indent=1))
    stamp.write_text(result.digest)
    return result


def source_digest(options: Options) -> str:
    """Return a digest of every file that packaging reads and of the way it is done."""
    way = (options.stage, options.dependencies, options.python, options.interpreter is not None)
    digest = hashlib.sha256(repr(way).encode())
    patterns = (*APPLICATION, *(f"{name}/**/*" for name in APPLICATION), *TEMPLATES, "requirements.txt")
    for file in sorted({file for pattern in patterns for file in ROOT.glob(pattern)}):
        if file.is_file() and "__pycache__" not in file.parts:
            digest.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes())
    if options.certificates:
        digest.update(options.certificates.read_bytes())
    return digest.hexdigest()


def run_chalice(stage: str, out: Path) -> None:
    """Have Chalice package a copy of the project that has no dependencies and a minified page.

    :raises PackagingError: if Chalice fails.
    """
    project = out / "project"
    shutil.rmtree(project, ignore_errors=True)
    for name in (*APPLICATION, RESOURCES):
        source, target = ROOT / name, project / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target)
    minify_page(project / "chalicelib/ui")
    (project / "requirements.txt").touch()
    chalice = Path(sys.executable).with_name("chalice")
    command: list[str | Path] = [chalice, "package", "--stage", stage, "--template-format", "yaml"]
    command += ["--merge-template", RESOURCES, out.resolve()]
    run_tool(command, project)
    shutil.rmtree(project)


def add_bytecode(archive: Path, interpreter: Path) -> None:
    """Add the modules of the application and of Chalice's part of it, compiled by ``interpreter``, to ``archive``.

    :raises PackagingError: if a module cannot be compiled.
    """
    with tempfile.TemporaryDirectory(dir=archive.parent) as name:
        directory = Path(name)
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(directory)
        compile_modules(directory, interpreter)
        add_directory(archive, directory, "*.pyc")


def main() -> int:
    """Run ``python -m infra.aws.package --stage prod --out build/prod`` and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stage", choices=STAGES, default="prod")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    # The benchmark of cold starts packages for the Python that it starts.
    python = os.environ.get("PACKAGE_PYTHON")
    packaged = package(arguments.stage, arguments.out or BUILD / arguments.stage, python=python)
    if not packaged.has_bytecode:
        print(f"No Python {LAMBDA_PYTHON} is here: the package has no bytecode, and make deploy refuses it.")
    print(f"{packaged.template}\n{packaged.code} ({packaged.code.stat().st_size / 1e6:.1f} MB)")
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
