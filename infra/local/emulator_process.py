"""The program of the emulator's process: the emulator with the patches that ``PATCHES.md`` describes.

The launcher runs this file as a script, so that the process does not import this package.
"""

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Semaphore
from typing import Any, NoReturn

#: Equal to the processor's reserved concurrency, which this limit must not undercut.
MAX_ENVIRONMENTS = 10


def append(function_name: str, text: str) -> None:
    """Append to the function's log file in one write, so that the lines of several workers never mix."""
    # CloudFormation puts the stack's name before the function's, and a random suffix after it.
    name = function_name.removeprefix("engine-local-").rsplit("-", 1)[0]
    file = Path(os.environ["ENGINE_LOGS"]) / f"{name}.log"
    # A full disk costs the line, but not the thread: a worker stops when its output is not read.
    with suppress(OSError), file.open("ab", buffering=0) as log:
        log.write(text.rstrip("\n").encode(errors="replace") + b"\n")


def read_stderr(worker: Any) -> None:
    """Copy a worker's output to its function's log file and to the queue that the emulator waits on."""
    for line in worker._proc.stderr:
        worker._stderr_queue.put(line.rstrip("\n"))
        append(worker.func_name, line)


def log_failure(function: dict[str, Any], _request_id: str, text: str, error: bool, *_: Any, **__: Any) -> None:
    """Log the traceback of a handler that raised: the worker returns it instead of printing it."""
    if error and text:
        append((function.get("config") or function).get("FunctionName", "Lambda"), text)


class LimitedEnvironments:
    """Runs a function in at most ``MAX_ENVIRONMENTS`` environments; further invocations wait for a free one.

    AWS has a thousand environments. Here each is a process that takes half a second of a core to start, and a burst
    of requests would start one for each. The limit only delays invocations and refuses none.
    """

    def __init__(self, execute: Callable[..., Any]) -> None:
        self._execute = execute
        self._free: dict[str, Semaphore] = {}

    def __call__(self, function: dict[str, Any], event: dict[str, Any], request_id: str) -> Any:
        config = function.get("config") or function
        # ``setdefault`` is atomic: two threads never get two semaphores.
        with self._free.setdefault(config.get("FunctionName", ""), Semaphore(MAX_ENVIRONMENTS)):
            return self._execute(function, event, request_id)


class Deliveries:
    """Delivers messages to functions only from the end of the deployment on.

    A deployment ends running workers, and the message of such an invocation stays hidden for its visibility timeout.
    Before a deployment the functions may also have the addresses of the last run.
    """

    def __init__(self, poll: Callable[[], bool]) -> None:
        self._poll = poll
        self._deployed = False

    def start(self) -> None:
        self._deployed = True

    def __call__(self) -> bool:
        return self._deployed and self._poll()


def main() -> None:
    """Run the patched emulator in this process.

    :raises SystemExit: if this version of the emulator lacks a function that a patch replaces.
    """
    # A script's own directory is first on the path, where its modules would shadow others of the same name.
    from api_gateway import RestRequests, Subprotocols  # type: ignore[import-not-found]
    from durable_queues import DurableQueues  # type: ignore[import-not-found]
    from durable_tables import DurableTables  # type: ignore[import-not-found]
    from earlier_state import adopt  # type: ignore[import-not-found]
    from fair_queues import FairQueues  # type: ignore[import-not-found]
    from saved_services import SavedServices  # type: ignore[import-not-found]
    from sorted_indexes import SortedIndexes  # type: ignore[import-not-found]
    from state_file import StateFile  # type: ignore[import-not-found]

    sys.path.remove(str(Path(__file__).resolve().parent))
    from ministack import app
    from ministack.core import lambda_runtime, persistence
    from ministack.services import apigateway, apigateway_v1, dynamodb, eventbridge, lambda_svc, sqs

    replaced = {
        lambda_svc: ("_emit_lambda_logs", "_execute_function_warm", "_poll_sqs"),
        lambda_runtime.Worker: ("_read_stderr",),
        sqs: DurableQueues.NEEDED,
        eventbridge: ("_SCHEDULER_TICK_INTERVAL",),
        apigateway: Subprotocols.NEEDED,
        apigateway_v1: RestRequests.NEEDED,
        dynamodb: (*SortedIndexes.NEEDED, *DurableTables.NEEDED),
        app: SavedServices.NEEDED,
        persistence: SavedServices.NEEDED_OF_PERSISTENCE,
    }
    if not all(hasattr(owner, name) for owner, names in replaced.items() for name in names):
        raise SystemExit(
            f"A patch does not fit this version of the emulator: see {Path(__file__).with_name('PATCHES.md')}."
        )
    lambda_runtime.Worker._read_stderr = read_stderr
    lambda_svc._emit_lambda_logs = log_failure
    lambda_svc._poll_sqs = deliveries = Deliveries(lambda_svc._poll_sqs)
    lambda_svc._execute_function_warm = LimitedEnvironments(lambda_svc._execute_function_warm)
    eventbridge._SCHEDULER_TICK_INTERVAL = 1
    sqs._collect_msgs = FairQueues(sqs._collect_msgs)
    SortedIndexes(dynamodb).install()
    Subprotocols(apigateway).install()
    RestRequests(apigateway_v1).install()
    file = StateFile(Path(os.environ["STATE_FILE"]))
    adopt(Path(os.environ["STATE_DIR"]), file)
    tables, queues = DurableTables(dynamodb, file), DurableQueues(sqs, file)
    tables.install()
    queues.install()

    def restored() -> None:
        tables.restore()
        queues.restore()

    services = SavedServices(app, persistence, file, os.environ["GATEWAY_PORT"])
    services.install(restored, deliveries.start, end)
    try:
        app.main()
    finally:
        end_workers()


def end(code: int) -> NoReturn:
    """End this process at once: a waiting thread, such as an invocation's, would delay a normal end."""
    end_workers()
    os._exit(code)


def end_workers() -> None:
    """End the workers that still run: the emulator leaves a worker with a running invocation alive."""
    # The launcher makes this process the leader of a group, to which all its workers belong.
    if os.getpgrp() == os.getpid():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.killpg(0, signal.SIGTERM)


if __name__ == "__main__":
    main()
