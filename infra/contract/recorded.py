"""The examples of answers, which ``python -m tests.e2e.answers`` records on a running engine."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chalicelib.codec.exact_json import loads
from infra.contract.page_documents import Example

FILE = Path(__file__).with_name("recorded_answers.json")

#: The JSON of an answer by the id of its operation and its status.
Answers = Mapping[str, Mapping[str, Any]]


def recorded_answers() -> Answers:
    """The recorded answers."""
    found: Answers = loads(FILE.read_text())
    return found


def examples(answers: Answers, call: str) -> list[Example]:
    """The answers of one call, the successful ones first."""
    return [Example(f"Answer {status}", value) for status, value in sorted(answers.get(call, {}).items())]
