"""``python -m infra.local run | stop | logs | clean | chalice``, with every setting from the environment."""

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
from infra.local.config import state_dir_from
from infra.local.errors import LocalStackError
from infra.local.lock import AlreadyRunningError, stop_holder
from infra.local.logs import LogFollower
from infra.local.postgres_home import home
from infra.project import BUILD


def main() -> int:
    """Run one command and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=("run", *COMMANDS))
    parser.add_argument("--ready-fd", type=int, help="descriptor that receives the endpoints once every part answers")
    arguments = parser.parse_args()
    try:
        if arguments.command == "run":
            # boto3 is slow to import, and stop and logs do not need it.
            from infra.local.run import run

            run(os.environ, arguments.ready_fd)
        else:
            COMMANDS[arguments.command]()
    except AlreadyRunningError as error:
        print(error, file=sys.stderr)
        endpoints = state_dir_from(os.environ) / "endpoints.json"
        if endpoints.exists():
            for name, address in json.loads(endpoints.read_text()).items():
                print(f"  {name:10} {address}", file=sys.stderr)
        return 1
    except InfraError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def stop() -> None:
    """Stop the stack that runs in the state directory."""
    stopped = stop_holder(state_dir_from(os.environ))
    print("Stopped." if stopped else "No stack is running.")


def logs() -> None:
    """Print the functions' logs so far, and follow them."""
    # Ctrl-C, or a reader such as head that closes the pipe, ends this program silently like any other filter.
    for number in (signal.SIGINT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    follower = LogFollower(state_dir_from(os.environ) / "logs")
    while True:
        follower.print_new()
        time.sleep(0.2)


def clean() -> None:
    """Stop the stack and delete all files that the stack and packaging have written."""
    stop()
    state_dir = state_dir_from(os.environ)
    if state_dir.exists():
        for path in (home(state_dir), state_dir):
            shutil.rmtree(path, ignore_errors=True)
    shutil.rmtree(BUILD, ignore_errors=True)


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
    chalice = str(Path(sys.executable).with_name("chalice"))
    os.execve(chalice, [chalice, "local", "--stage", "local", "--port", port], environment)  # noqa: S606


COMMANDS = {"stop": stop, "logs": logs, "clean": clean, "chalice": chalice_local}

if __name__ == "__main__":
    sys.exit(main())
