"""Structured logs: one JSON object a line on standard output, for CloudWatch and people alike."""

import io
import json
import logging
import os
import sys
import threading
from collections.abc import Mapping
from functools import partial
from types import TracebackType
from typing import Any, TextIO

from pythonjsonlogger.json import JsonFormatter

from chalicelib.observability.context import ids
from chalicelib.observability.lines import COUNTED
from chalicelib.observability.metrics import CAUGHT_FAILURES, embedded
from chalicelib.settings import tunable

_PRINTED = logging.getLogger("output")
_MAX_LINE_CHARACTERS = 64 * 1024


def configure_logging() -> None:
    """Send all logs through one JSON handler, which replaces the handler that Lambda installs.

    Within Lambda also warnings, printed lines and exceptions that no code catches become JSON. Lambda itself writes
    its own lines as JSON (``LoggingConfig`` of the template) and leaves lines that are JSON as they are.
    """
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(LineFormatter(os.environ))
    root = logging.getLogger()
    root.handlers = [handler]
    # These libraries log at every start, on INFO, where they found the credentials and settings of the deployment.
    for chatty in ("botocore.credentials", "pynamodb.settings"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    # The engine refuses an invalid level when it reads its settings, and that error must reach the log.
    root.setLevel(tunable("log_level"))
    # A level that hides lines must not hide what they count. There is no level above ERROR, whose lines count too.
    COUNTED.setLevel(logging.INFO)
    if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
        _capture_output(handler.stream)


class LineFormatter(JsonFormatter):
    """Adds the function and the ids of what it works on to every line, and the values that CloudWatch extracts."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._stack = environment.get("STACK_NAME") or "local"
        super().__init__(
            "%(levelname)s %(name)s %(message)s",
            rename_fields={"levelname": "level", "name": "logger"},
            timestamp="timestamp",
            static_fields=_function_of(environment, self._stack),
            json_serializer=partial(json.dumps, separators=(",", ":")),
        )

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        super().add_fields(log_data, record, message_dict)
        for name, value in ids().items():
            log_data.setdefault(name, value)
        measured = [*log_data.pop("measured", ())]
        if record.levelno >= logging.ERROR:
            measured.append(CAUGHT_FAILURES.of())
        if measured:
            log_data |= embedded(measured, self._stack, int(record.created * 1000))


def _function_of(environment: Mapping[str, str], stack: str) -> dict[str, str]:
    """The logical id of the function, to whose name CloudFormation adds the stack's and a random suffix."""
    name = environment.get("AWS_LAMBDA_FUNCTION_NAME", "")
    return {"function": name.removeprefix(f"{stack}-").rpartition("-")[0] or name} if name else {}


def _capture_output(stream: TextIO) -> None:
    logging.captureWarnings(True)
    sys.excepthook = _log_uncaught
    threading.excepthook = lambda died: _log_uncaught(died.exc_type, died.exc_value, died.exc_traceback)
    sys.unraisablehook = lambda lost: _log_uncaught(lost.exc_type, lost.exc_value, lost.exc_traceback)
    sys.stdout = sys.stderr = PrintedLines(stream)


def _log_uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    logging.getLogger("uncaught").error("no code catches this exception", exc_info=(kind, error or kind(), trace))


class PrintedLines(io.TextIOBase):
    """A text stream whose lines become log records. A line that is a JSON object already passes as it is."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._thread = threading.local()

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._stream.fileno()

    def flush(self) -> None:
        self._stream.flush()

    def write(self, text: str) -> int:
        # logging reports its own failures here; to log these would fail again.
        if getattr(self._thread, "logs", False):
            return len(text)
        *lines, rest = (getattr(self._thread, "rest", "") + text).split("\n")
        if len(rest) > _MAX_LINE_CHARACTERS:
            lines, rest = [*lines, rest], ""
        self._thread.rest, self._thread.logs = rest, True
        try:
            for line in lines:
                self._log(line)
        finally:
            self._thread.logs = False
        return len(text)

    def _log(self, line: str) -> None:
        if is_json_object(line):
            self._stream.write(line + "\n")
        elif line.strip():
            _PRINTED.warning("%s", line)


def is_json_object(line: str) -> bool:
    """Whether a line of a log has the form that every line must have."""
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False
