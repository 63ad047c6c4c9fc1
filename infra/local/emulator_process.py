"""The program of the emulator's process: the emulator, with what its Lambdas print written to files.

The emulator itself drops what WebSocket handlers print, and keeps the rest in its own CloudWatch Logs, one
stream for every single invocation: reading that means polling through an ever longer list on the thread that
serves everything else, and each saved state grows by it. So the two functions concerned are replaced. Two more are
wrapped: a burst does not start a process for every request, and standard queues are fair as those of SQS. A query of
an index costs what it returns, as in DynamoDB (see ``sorted_indexes``). And schedules that are due are looked for
every second instead of every ten, or each first minute would last up to seventy seconds.
Run as a script, so that nothing of this package is imported into that process.
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

#: As many as the processor's reserved concurrency, which must not be cut short here.
ENVIRONMENTS = 10


def append(function_name: str, text: str) -> None:
    """Appends to the function's file in one write, so that the lines of several workers never mix."""
    # CloudFormation put the stack's name before the function's, and something random behind it.
    name = function_name.removeprefix("engine-local-").rsplit("-", 1)[0]
    with (Path(os.environ["ENGINE_LOGS"]) / f"{name}.log").open("ab", buffering=0) as log:
        log.write(text.rstrip("\n").encode(errors="replace") + b"\n")


def read_stderr(worker: Any) -> None:
    """Reads what a worker prints, into its function's file and into the queue that the emulator waits on."""
    for line in worker._proc.stderr:
        worker._stderr_queue.put(line.rstrip("\n"))
        append(worker.func_name, line)


def keep_failure(function: dict[str, Any], _request_id: str, text: str, error: bool, *_: Any, **__: Any) -> None:
    """Keeps the traceback of a handler that raised: the worker hands it over instead of printing it."""
    if error and text:
        append((function.get("config") or function).get("FunctionName", "Lambda"), text)


class Environments:
    """Lets a function run in so many environments at a time, and the next invocations wait for a free one.

    AWS has a thousand environments; here each is a process that takes half a second of a core to start, and a
    burst of requests would start one for each. Only a wait is added: nothing is refused.
    """

    def __init__(self, execute: Callable[..., Any]) -> None:
        self._execute = execute
        self._free: defaultdict[str, Semaphore] = defaultdict(lambda: Semaphore(ENVIRONMENTS))

    def __call__(self, function: dict[str, Any], event: dict[str, Any], request_id: str) -> Any:
        config = function.get("config") or function
        with self._free[config.get("FunctionName", "")]:
            return self._execute(function, event, request_id)


class Fair:
    """Delivers from a standard queue as SQS does where messages have groups: fairly.

    A group with many messages in flight does not keep those with few waiting. Source: "Amazon SQS fair queues", AWS.
    """

    def __init__(self, collect: Callable[..., list[dict[str, Any]]]) -> None:
        self._collect = collect

    def __call__(self, queue: dict[str, Any], most: int, visibility_seconds: int) -> list[dict[str, Any]]:
        if not queue["is_fifo"]:
            now = time.time()
            in_flight = Counter(
                message.get("group_id")
                for message in queue["messages"]
                if message["receive_count"] and message["visible_at"] > now
            )
            queue["messages"].sort(key=lambda message: (in_flight[message.get("group_id")], message["sent_at"]))
        return self._collect(queue, most, visibility_seconds)


def main() -> None:
    """Starts the emulator in this process."""
    # A script's own directory comes first on the path, and its module names would shadow others'.
    from sorted_indexes import SortedIndexes  # type: ignore[import-not-found]

    sys.path.remove(str(Path(__file__).resolve().parent))
    from ministack.app import main as emulate
    from ministack.core import lambda_runtime
    from ministack.services import dynamodb, eventbridge, lambda_svc, sqs

    replaced = {
        lambda_svc: ("_emit_lambda_logs", "_execute_function_warm"),
        lambda_runtime.Worker: ("_read_stderr",),
        sqs: ("_collect_msgs",),
        eventbridge: ("_SCHEDULER_TICK_INTERVAL",),
        dynamodb: SortedIndexes.NEEDED,
    }
    if not all(hasattr(owner, name) for owner, names in replaced.items() for name in names):
        raise SystemExit(f"This version of the emulator is built differently: see {__file__}.")
    lambda_runtime.Worker._read_stderr = read_stderr
    lambda_svc._emit_lambda_logs = keep_failure
    lambda_svc._execute_function_warm = Environments(lambda_svc._execute_function_warm)
    sqs._collect_msgs = Fair(sqs._collect_msgs)
    eventbridge._SCHEDULER_TICK_INTERVAL = 1
    SortedIndexes(dynamodb).install()
    try:
        emulate()
    finally:
        end_workers()


def end_workers() -> None:
    """Ends what works on an invocation still: the emulator leaves it to itself, and the watcher's lasts a minute."""
    # The launcher made this process the first of a group, to which all its workers belong.
    if os.getpgrp() == os.getpid():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.killpg(0, signal.SIGTERM)


if __name__ == "__main__":
    main()
