"""Every line that a function writes is one JSON object, whatever writes it and whatever dies."""

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from infra.project import ROOT

PRELUDE = (
    "import faulthandler, logging, sys, threading, warnings\nfrom chalicelib import logs\nlogs.configure_logging()\n"
)


def lines_of(code: str, is_lambda: bool = True, environment: Mapping[str, str] | None = None) -> list[str]:
    """The lines of both outputs of a process that configures its logs and runs ``code``."""
    variables = {"PYTHONPATH": str(ROOT), **(environment or {})}
    if is_lambda:
        variables["AWS_LAMBDA_FUNCTION_NAME"] = "ApiHandler"
    done = subprocess.run(
        [sys.executable, "-c", PRELUDE + code], env=variables, capture_output=True, text=True, check=False
    )
    return (done.stdout + done.stderr).splitlines()


def only_record(code: str, **environment: str) -> dict[str, Any]:
    [line] = lines_of(code, environment=environment)
    record = json.loads(line)
    assert record.keys() >= {"timestamp", "level", "logger", "message"}
    found: dict[str, Any] = record
    return found


@pytest.mark.parametrize(
    ("code", "level", "message"),
    [
        ("logging.getLogger('botocore.x').warning('two\\nlines %s', 1)", "WARNING", "two\nlines 1"),
        ("print('printed')", "WARNING", "printed"),
        ("print('to stderr', file=sys.stderr)", "WARNING", "to stderr"),
        ("print('no', end=' '); print('end')", "WARNING", "no end"),
        ("raise ValueError('unseen')", "ERROR", "no code catches this exception"),
        ("threading.Thread(target=lambda: 1 / 0).start()", "ERROR", "no code catches this exception"),
        ("import nothing_of_this_name", "ERROR", "no code catches this exception"),
    ],
)
def test_every_line_is_one_json_object(code: str, level: str, message: str) -> None:
    record = only_record(code)
    assert (record["level"], record["message"]) == (level, message)


def test_a_traceback_is_in_the_record_of_its_exception() -> None:
    record = only_record("try:\n    1 / 0\nexcept ZeroDivisionError:\n    logging.exception('failed')")
    assert record["message"] == "failed"
    assert "ZeroDivisionError" in record["exc_info"]
    assert "\n" in record["exc_info"]


def test_a_warning_is_a_record() -> None:
    record = only_record("warnings.warn('old', DeprecationWarning)", PYTHONWARNINGS="always")
    assert record["logger"] == "py.warnings"
    assert "old" in record["message"]


def test_a_line_that_is_json_already_is_not_encoded_again() -> None:
    """Lambda's runtime writes its own records to the same output."""
    assert only_record("""print('{"timestamp": "t", "level": "ERROR", "logger": "l", "message": "m"}')""") == {
        "timestamp": "t",
        "level": "ERROR",
        "logger": "l",
        "message": "m",
    }


def test_an_output_that_fails_ends_in_no_loop() -> None:
    code = "import os\nos.close(1)\nlogging.error('nobody reads this')\nprint('nor this')"
    assert len(lines_of(code)) <= 2


def test_the_output_of_other_programs_stays_as_it_is() -> None:
    assert lines_of("print('printed')", is_lambda=False) == ["printed"]
