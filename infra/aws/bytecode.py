"""Bytecode for the modules of a package: Lambda's file system is read-only, so Python cannot keep any there."""

import sys
from pathlib import Path

from infra.aws.tools import run_tool


def compile_modules(directory: Path) -> None:
    """Compile every module below ``directory`` for the Python that runs this, which is the package's.

    Python loads these files without a look at their sources, whose times depend on who unpacks the package. Equal
    sources make equal files, because a new process compiles them in the order of their names.

    :raises PackagingError: if a module cannot be compiled.
    """
    python: list[str | Path] = [sys.executable, "-I"]
    run_tool([*python, "-m", "compileall", "-q", "-f", "--invalidation-mode", "unchecked-hash", "."], directory)
