"""A log file for each function, in which every line is a JSON object, as in CloudWatch with the format JSON.

The emulator's process imports this file, which must therefore not import this package.
"""

import json
import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


class FunctionLogs:
    """Writes what functions print, and how their invocations fail.

    ``functions`` is the emulator's Lambda service, ``worker`` its class of workers.
    """

    NEEDED = ("_emit_lambda_logs",)
    NEEDED_OF_WORKER = ("_drain_stderr_bounded", "_read_stderr", "_spawn")

    def __init__(self, functions: Any, worker: Any) -> None:
        self._functions = functions
        self._worker = worker
        self._spawn = worker._spawn

    def install(self) -> None:
        self._functions._emit_lambda_logs = log_failure
        self._worker._read_stderr = read_stderr
        # The emulator would wait for the output of each invocation, which `read_stderr` copies.
        self._worker._drain_stderr_bounded = lambda _worker: ""
        self._worker._spawn = lambda worker: self.spawn(worker)

    def spawn(self, worker: Any) -> None:
        """Start a worker, and log why it cannot: the emulator logs that for itself alone."""
        try:
            self._spawn(worker)
        except Exception as error:
            append(worker.func_name, record("ERROR", str(error)))
            raise


def append(function_name: str, text: str) -> None:
    """Append to the function's log file in one write, so that the lines of several workers never mix."""
    # CloudFormation puts the stack's name before the function's, and a random suffix after it.
    name = function_name.removeprefix("engine-local-").rsplit("-", 1)[0]
    file = Path(os.environ["ENGINE_LOGS"]) / f"{name}.log"
    # A full disk costs the line, but not the thread: a worker stops when its output is not read.
    with suppress(OSError), file.open("ab", buffering=0) as log:
        log.write(text.encode(errors="replace") + b"\n")


def read_stderr(worker: Any) -> None:
    """Copy a worker's output to its function's log file; a line that is no JSON object becomes one."""
    for line in worker._proc.stderr:
        if text := line.strip():
            append(worker.func_name, text if _is_object(text) else record("WARNING", text))


def log_failure(function: dict[str, Any], request_id: str, text: str, error: bool, *_: Any, **__: Any) -> None:
    """Log the end of an invocation that raised, died or took too long: the worker does not print it."""
    if error and text:
        # The last line of a traceback is the exception.
        message = text.strip().rpartition("\n")[2]
        name = (function.get("config") or function).get("FunctionName", "Lambda")
        append(name, record("ERROR", message, requestId=request_id, exc_info=text))


def record(level: str, message: str, **fields: str) -> str:
    """Return a line that the platform and not the function logs."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    return json.dumps({"timestamp": now, "level": level, "logger": "platform", "message": message} | fields)


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False
