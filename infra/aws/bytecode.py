"""Bytecode for the modules of a package: Lambda's file system is read-only, so Python cannot keep any there."""

from pathlib import Path

from infra.aws.tools import run_tool


def compile_modules(directory: Path, python: Path) -> None:
    """Compile every module below ``directory`` with ``python``, an interpreter of the package's version.

    Python loads these files without a look at their sources, whose times depend on who unpacks the package. Equal
    sources make equal files, because a new process compiles them in the order of their names.

    :raises PackagingError: if a module cannot be compiled.
    """
    command: list[str | Path] = [
        python,
        "-I",
        "-m",
        "compileall",
        "-q",
        "-f",
        "--invalidation-mode",
        "unchecked-hash",
    ]
    run_tool([*command, "."], directory)
