"""The commands of the local stack."""

import argparse
import json
import os
import shlex
import shutil
import signal
import sys
import time
from pathlib import Path

from infra.errors import InfraError
from infra.local.config import check_environment, state_dir_from
from infra.local.errors import LocalStackError, UncleanStopError
from infra.local.lock import AlreadyRunningError, stop_holder
from infra.local.logs import LogFollower
from infra.local.ports import invalid_port
from infra.local.postgres_home import home
from infra.local.run import run
from infra.project import BUILD


def main() -> int:
    """Run one command and return the exit code.

    :raises InfraError: if the command cannot do its work.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=("run", *COMMANDS))
    parser.add_argument("--ready-fd", type=int, help="descriptor that receives the endpoints once every part answers")
    arguments = parser.parse_args()
    if arguments.command == "run":
        return start(arguments.ready_fd)
    COMMANDS[arguments.command]()
    return 0


def start(ready_descriptor: int | None) -> int:
    """Run a stack until a signal ends it, which is no error if every part stops."""
    check_environment(os.environ)
    try:
        run(os.environ, ready_descriptor)
    except AlreadyRunningError as error:
        print(error, file=sys.stderr)
        endpoints = state_dir_from(os.environ) / "endpoints.json"
        if endpoints.exists():
            for name, address in json.loads(endpoints.read_text()).items():
                print(f"  {name:10} {address}", file=sys.stderr)
        return 1
    return 0


def deploy_app() -> None:
    """Deploy the app into an emulator that runs already."""
    # The modules that deploy load slowly, and the other commands do not need them.
    from infra.local.deploy import deploy

    deploy(os.environ)


def stop() -> None:
    """Stop the stack that runs in the state directory."""
    stopped = stop_holder(state_dir_from(os.environ))
    print("Stopped." if stopped else "No stack is running.")


def logs() -> None:
    """Print the functions' logs so far, and follow them."""
    # Ctrl-C ends this program silently like any other filter.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    follower = LogFollower(state_dir_from(os.environ) / "logs")
    while True:
        follower.print_new()
        time.sleep(0.2)


def clean() -> None:
    """Stop the stack and delete all files that the stack and packaging have written."""
    try:
        stop()
    except UncleanStopError as error:
        print(error, file=sys.stderr)
    state_dir = state_dir_from(os.environ)
    # Only a launcher writes the lock file: another directory is not a stack's to delete.
    if (state_dir / "lock").exists():
        for path in (home(state_dir), state_dir):
            shutil.rmtree(path)
    if BUILD.exists():
        shutil.rmtree(BUILD)


def chalice_local() -> None:
    """Replace this process by ``chalice local`` with the environment of the deployed functions."""
    file = state_dir_from(os.environ) / "app.env"
    if not file.exists():
        raise LocalStackError("No stack is running: start it with make run.")
    environment = dict(os.environ)
    for line in file.read_text().splitlines():
        name, _, value = line.partition("=")
        environment[name] = shlex.split(value)[0] if value else ""
    port = os.environ.get("LOCAL_PORT") or "8001"
    if problem := invalid_port("LOCAL_PORT", port):
        raise InfraError(problem)
    chalice = str(Path(sys.executable).with_name("chalice"))
    os.execve(chalice, [chalice, "local", "--stage", "local", "--port", port], environment)  # noqa: S606


COMMANDS = {"deploy": deploy_app, "stop": stop, "logs": logs, "clean": clean, "chalice": chalice_local}
