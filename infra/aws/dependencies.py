"""The dependencies of the deployed code, built for Lambda's platform."""

import hashlib
import shutil
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

from infra.aws.bytecode import compile_modules
from infra.aws.tools import run_tool
from infra.project import BUILD, ROOT

REQUIREMENTS = ROOT / "requirements.txt"
#: Lambda's Python runtime includes boto3 and its dependencies. pynamodb requires botocore, so pip would add 21 MB
#: that every cold start loads again.
PROVIDED_BY_LAMBDA = frozenset(
    {"boto3", "botocore", "s3transfer", "jmespath", "dateutil", "python_dateutil", "urllib3", "six", "six.py"}
)
#: cryptography requires cffi, of which it loads the compiled backend alone. The rest parses C.
NOT_LOADED = frozenset({"cffi", "pycparser"})
#: Names the form of the directory, so that one of an earlier form is made again.
_FORM = b"compiled, loaded"
#: Wheels that need at most glibc 2.28. Amazon Linux 2023, the system of Python 3.12 and later, has 2.34.
PLATFORMS = ("manylinux2014_x86_64", "manylinux_2_17_x86_64", "manylinux_2_28_x86_64")


def installed_dependencies(python: str, interpreter: Path | None) -> Path:
    """Return a directory with the packages of ``requirements.txt`` for a version of Python, without those that Lambda
    provides and those that no function loads. ``interpreter`` compiles them.

    Each content of ``requirements.txt`` is installed once. The lock alone decides what is installed, since pip would
    judge the requirements of packages by the Python that runs pip.

    :raises PackagingError: if pip fails, or a package has no hash.
    """
    name = hashlib.sha256(REQUIREMENTS.read_bytes() + f"{python} {bool(interpreter)}".encode() + _FORM).hexdigest()[
        :16
    ]
    target = BUILD / "dependencies" / name
    if target.exists():
        return target
    partial = target.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-compile",
        "--no-deps",
        "--require-hashes",
    ]
    command += ["--only-binary=:all:", "--implementation=cp", f"--python-version={python}"]
    command += [f"--platform={platform}" for platform in PLATFORMS]
    command += ["--target", partial, "--requirement", REQUIREMENTS]
    run_tool(command, ROOT)
    for path in partial.iterdir():
        if path.name.split("-")[0] in PROVIDED_BY_LAMBDA | NOT_LOADED or path.name == "bin":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    if interpreter:
        compile_modules(partial, interpreter)
    return partial.rename(target)


def add_directory(archive: Path, directory: Path, pattern: str = "*") -> None:
    """Add the files of ``directory`` to ``archive``."""
    files = sorted(file for file in directory.rglob(pattern) if file.is_file())
    add_files(archive, {str(file.relative_to(directory)): file for file in files})


def add_files(archive: Path, files: Mapping[str, Path]) -> None:
    """Add files by their names in ``archive``, with fixed times, so that equal files make an equal zip."""
    with zipfile.ZipFile(archive, "a", zipfile.ZIP_DEFLATED) as target:
        for name, file in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(entry, file.read_bytes())
