"""``python -m infra.local run | stop | logs | clean``, with everything else from the environment."""

import argparse
import json
import os
import shutil
import sys
import time

from infra.local.config import state_dir_from
from infra.local.errors import LocalStackError
from infra.local.lock import AlreadyRunning, stop_holder
from infra.local.logs import LogFollower
from infra.local.postgres import home
from infra.package import ROOT


def main() -> int:
    """Runs one command; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=("run", "stop", "logs", "clean"))
    parser.add_argument("--ready-fd", type=int, help="descriptor to write the endpoints to once all answers")
    arguments = parser.parse_args()
    try:
        if arguments.command == "run":
            # boto3 takes a while to import, for which stop and logs need not wait.
            from infra.local.run import run

            run(os.environ, arguments.ready_fd)
        else:
            {"stop": stop, "logs": logs, "clean": clean}[arguments.command]()
    except AlreadyRunning as error:
        print(error, file=sys.stderr)
        endpoints = state_dir_from(os.environ) / "endpoints.json"
        if endpoints.exists():
            for name, address in json.loads(endpoints.read_text()).items():
                print(f"  {name:10} {address}", file=sys.stderr)
        return 1
    except LocalStackError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def stop() -> None:
    """Stops the stack that runs in the state directory."""
    stopped = stop_holder(state_dir_from(os.environ))
    print("Stopped." if stopped else "Nothing is running.")


def logs() -> None:
    """Prints what the functions have logged, and what they log from now on."""
    follower = LogFollower(state_dir_from(os.environ) / "logs")
    try:
        while True:
            follower.print_new()
            time.sleep(0.2)
    except KeyboardInterrupt:
        pass


def clean() -> None:
    """Stops the stack and deletes all that it and packaging have made."""
    stop()
    state_dir = state_dir_from(os.environ)
    if state_dir.exists():
        for path in (home(state_dir), state_dir):
            shutil.rmtree(path, ignore_errors=True)
    for path in (ROOT / "build", ROOT / ".chalice/deployments"):
        shutil.rmtree(path, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
