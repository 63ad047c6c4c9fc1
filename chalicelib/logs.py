"""Structured logs: one JSON object a line on standard output, for CloudWatch and people alike."""

import io
import json
import logging
import os
import sys
import threading
from types import TracebackType
from typing import TextIO

from pythonjsonlogger.json import JsonFormatter

from chalicelib.settings import tunable

_PRINTED = logging.getLogger("output")
_MAX_LINE_CHARACTERS = 64 * 1024


def configure_logging() -> None:
    """Send all logs through one JSON handler, which replaces the handler that Lambda installs.

    Within Lambda also warnings, printed lines and exceptions that no code catches become JSON. Lambda itself writes
    its own lines as JSON (``LoggingConfig`` of the template) and leaves lines that are JSON as they are.
    """
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        JsonFormatter(
            "%(levelname)s %(name)s %(message)s",
            rename_fields={"levelname": "level", "name": "logger"},
            timestamp="timestamp",
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    # These libraries log at every start, on INFO, where they found the credentials and settings of the deployment.
    for chatty in ("botocore.credentials", "pynamodb.settings"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    # The engine refuses an invalid level when it reads its settings, and that error must reach the log.
    root.setLevel(tunable("log_level"))
    if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
        _capture_output(handler.stream)


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
