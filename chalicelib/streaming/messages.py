"""A message of a client, read as far as possible before its socket is looked at."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chalicelib.api.problems import ProblemError, malformed
from chalicelib.api.requests.body import parse_json, refuse_repeated
from chalicelib.api.requests.fields import has_controls

#: The engine echoes request ids up to this length.
_MAX_REQUEST_ID_LENGTH = 128
#: How errors name what the client sent.
_SUBJECT = "A message"


@dataclass(frozen=True, slots=True)
class Message:
    """``action`` is "" if the message names none. ``problem`` is the answer to a message that cannot be read."""

    request_id: str | int | None = None
    action: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
    problem: ProblemError | None = None


def read_message(body: str, max_bytes: int) -> Message:
    request_id: str | int | None = None
    try:
        fields, repeated = parse_json(body, max_bytes, _SUBJECT)
        request_id = None if "requestId" in repeated else _request_id(fields)
        refuse_repeated(repeated, _SUBJECT)
    except ProblemError as problem:
        return Message(request_id, problem=problem)
    return Message(request_id, str(fields.pop("action", None) or ""), fields)


def _request_id(fields: dict[str, Any]) -> str | int | None:
    request_id = fields.pop("requestId", None)
    if request_id is None or (isinstance(request_id, int) and not isinstance(request_id, bool)):
        return request_id
    if isinstance(request_id, str) and len(request_id) <= _MAX_REQUEST_ID_LENGTH and not has_controls(request_id):
        return request_id
    limits = f"at most {_MAX_REQUEST_ID_LENGTH} characters without control characters"
    raise malformed(f"requestId must be a string of {limits}, or an integer.")
