"""Turns the functions' JSON log lines into readable ones."""

import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from infra.local.tail import Tail

COLOURS = {"DEBUG": "2", "WARNING": "33", "ERROR": "31", "CRITICAL": "31;1"}
HEAD = {"level", "message", "msg", "timestamp", "at", "time", "logger", "exc_info", "_aws", "Stack", "function"}


class LogFollower:
    """Follows every function's log file in a directory, including files that appear later."""

    def __init__(self, logs: Path, out: TextIO = sys.stdout) -> None:
        self._tail = Tail(logs)
        self._out = out
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def start(self) -> None:
        """Follow in the background until ``stop``."""
        self._thread.start()

    def stop(self) -> None:
        """Print the remaining lines and end."""
        self._stop.set()
        self._thread.join(2)

    def _follow(self) -> None:
        while not self._stop.wait(0.2):
            self.print_new()
        self.print_new()

    def print_new(self) -> None:
        """Print every complete line since the last call, in the order of their times."""
        lines = sorted(self._new_lines(), key=lambda new: new[0])
        for _, text in lines:
            print(text, file=self._out)
        if lines:
            self._out.flush()

    def _new_lines(self) -> Iterator[tuple[str, str]]:
        latest = ""
        for file, line in self._tail.new_lines():
            record = parsed(line)
            # A line without a time follows the line before it.
            latest = timestamp(record) or latest
            yield latest, readable(file.stem, line, record, colour=self._out.isatty())


def parsed(line: str) -> dict[str, Any]:
    """Return the fields of a log line, or none if it is not a JSON object."""
    try:
        record = json.loads(line)
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}


def timestamp(record: dict[str, Any]) -> str:
    """Return a record's time in RFC 3339, or an empty string if it has none."""
    return str(record.get("timestamp") or record.get("at") or record.get("time") or "")


def readable(source: str, line: str, record: dict[str, Any], *, colour: bool = False) -> str:
    """Return a log line for a terminal; a line without fields stays unchanged behind its source."""
    if not record:
        return f"{'':12} {source:20} {line}"
    level = str(record.get("level", "INFO")).upper()
    time = timestamp(record)
    clock = time[11:23] if len(time) >= 19 else time
    message = record.get("message") or record.get("msg") or ""
    fields = " ".join(f"{key}={_value(value)}" for key, value in record.items() if key not in HEAD)
    text = f"{clock:12} {source:20} {level:8} {message}  {fields}".rstrip()
    if record.get("exc_info"):
        text += "\n" + "\n".join(f"    {row}" for row in str(record["exc_info"]).splitlines())
    return f"\033[{COLOURS[level]}m{text}\033[0m" if colour and level in COLOURS else text


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
