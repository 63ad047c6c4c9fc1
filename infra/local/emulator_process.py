"""The program of the emulator's process: the emulator with the patches that ``PATCHES.md`` describes.

The launcher runs this file as a script, so that the process does not import this package.
"""

import os
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from threading import Semaphore
from typing import Any

#: Equal to the processor's reserved concurrency, which this limit must not undercut.
MAX_ENVIRONMENTS = 10


def append(function_name: str, text: str) -> None:
    """Append to the function's log file in one write, so that the lines of several workers never mix."""
    # CloudFormation puts the stack's name before the function's, and a random suffix after it.
    name = function_name.removeprefix("engine-local-").rsplit("-", 1)[0]
    with (Path(os.environ["ENGINE_LOGS"]) / f"{name}.log").open("ab", buffering=0) as log:
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
        self._free: defaultdict[str, Semaphore] = defaultdict(lambda: Semaphore(MAX_ENVIRONMENTS))

    def __call__(self, function: dict[str, Any], event: dict[str, Any], request_id: str) -> Any:
        config = function.get("config") or function
        with self._free[config.get("FunctionName", "")]:
            return self._execute(function, event, request_id)


class FairQueues:
    """Delivers from standard queues in the fair order of SQS: the groups with the fewest messages in flight first.

    Source: "Amazon SQS fair queues", AWS.
    """

    def __init__(self, collect: Callable[..., list[dict[str, Any]]]) -> None:
        self._collect = collect

    def __call__(self, queue: dict[str, Any], max_messages: int, visibility_seconds: int) -> list[dict[str, Any]]:
        if not queue["is_fifo"]:
            now = time.time()
            in_flight = Counter(
                message.get("group_id")
                for message in queue["messages"]
                if message["receive_count"] and message["visible_at"] > now
            )
            queue["messages"].sort(key=lambda message: (in_flight[message.get("group_id")], message["sent_at"]))
        return self._collect(queue, max_messages, visibility_seconds)


def main() -> None:
    """Run the patched emulator in this process.

    :raises SystemExit: if this version of the emulator lacks a function that a patch replaces.
    """
    # A script's own directory is first on the path, where its modules would shadow others of the same name.
    from api_gateway import RestRequests, Subprotocols  # type: ignore[import-not-found]
    from sorted_indexes import SortedIndexes  # type: ignore[import-not-found]

    sys.path.remove(str(Path(__file__).resolve().parent))
    from ministack.app import main as emulate
    from ministack.core import lambda_runtime
    from ministack.services import apigateway, apigateway_v1, dynamodb, eventbridge, lambda_svc, sqs

    replaced = {
        lambda_svc: ("_emit_lambda_logs", "_execute_function_warm"),
        lambda_runtime.Worker: ("_read_stderr",),
        sqs: ("_collect_msgs",),
        eventbridge: ("_SCHEDULER_TICK_INTERVAL",),
        dynamodb: SortedIndexes.NEEDED,
        apigateway: Subprotocols.NEEDED,
        apigateway_v1: RestRequests.NEEDED,
    }
    if not all(hasattr(owner, name) for owner, names in replaced.items() for name in names):
        raise SystemExit(
            f"A patch does not fit this version of the emulator: see {Path(__file__).with_name('PATCHES.md')}."
        )
    lambda_runtime.Worker._read_stderr = read_stderr
    lambda_svc._emit_lambda_logs = log_failure
    lambda_svc._execute_function_warm = LimitedEnvironments(lambda_svc._execute_function_warm)
    sqs._collect_msgs = FairQueues(sqs._collect_msgs)
    eventbridge._SCHEDULER_TICK_INTERVAL = 1
    SortedIndexes(dynamodb).install()
    Subprotocols(apigateway).install()
    RestRequests(apigateway_v1).install()
    try:
        emulate()
    finally:
        end_workers()


def end_workers() -> None:
    """End the workers that still run: the emulator leaves a worker with a running invocation alive."""
    # The launcher makes this process the leader of a group, to which all its workers belong.
    if os.getpgrp() == os.getpid():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.killpg(0, signal.SIGTERM)


if __name__ == "__main__":
    main()
