"""``python -m infra.local run | stop | logs | clean | chalice``, with all else from the environment."""

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
from infra.local.postgres import home
from infra.package import BUILD


def main() -> int:
    """Runs one command; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=("run", *COMMANDS))
    parser.add_argument("--ready-fd", type=int, help="descriptor to write the endpoints to once all answers")
    arguments = parser.parse_args()
    try:
        if arguments.command == "run":
            # boto3 takes a while to import, for which stop and logs need not wait.
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
    """Stops the stack that runs in the state directory."""
    stopped = stop_holder(state_dir_from(os.environ))
    print("Stopped." if stopped else "Nothing is running.")


def logs() -> None:
    """Prints what the functions have logged, and what they log from now on."""
    # As other filters: Ctrl-C and a reader that has seen enough, such as head, end it without a word.
    for number in (signal.SIGINT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    follower = LogFollower(state_dir_from(os.environ) / "logs")
    while True:
        follower.print_new()
        time.sleep(0.2)


def clean() -> None:
    """Stops the stack and deletes all that it and packaging have made."""
    stop()
    state_dir = state_dir_from(os.environ)
    if state_dir.exists():
        for path in (home(state_dir), state_dir):
            shutil.rmtree(path, ignore_errors=True)
    shutil.rmtree(BUILD, ignore_errors=True)


def chalice_local() -> None:
    """Becomes ``chalice local``, in the environment that the deployed functions have."""
    file = state_dir_from(os.environ) / "app.env"
    if not file.exists():
        raise LocalStackError("Nothing is running: start the stack with make run first.")
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
