"""Chalice and pip, run as programs."""

import os
import signal
import subprocess
from pathlib import Path

from infra.errors import InfraError
from infra.lifetimes import die_with_parent


class PackagingError(InfraError):
    """Chalice or pip failed. The message is the tool's own output."""


def run_tool(command: list[str | Path], directory: Path) -> None:
    """Run a tool in ``directory`` and print its output only if it fails.

    :raises PackagingError: if the tool exits with an error.
    """
    # Chalice requires a region although a package belongs to none. It would pack the bytecode of what it imports.
    environment = {"AWS_DEFAULT_REGION": "us-east-1", **os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    if not Path(command[0]).exists():
        raise PackagingError(f"{command[0]} is missing: run make venv.")
    done = subprocess.run(
        command,
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        # Ctrl-C at the terminal ends the command that runs the tool, and the tool with it.
        start_new_session=True,
        preexec_fn=die_with_parent(signal.SIGTERM),
    )
    if done.returncode:
        raise PackagingError(f"{Path(command[0]).name} failed:\n{done.stdout}{done.stderr}")
