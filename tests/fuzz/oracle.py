"""What every answer must be, whatever the request was."""

from collections.abc import Mapping
from typing import Any

from chalicelib.api.codes import FieldCode, ProblemCode
from chalicelib.domain.failures import FailureCode
from tests.e2e.client import parse

PROBLEM_TYPE = "application/problem+json"
_STATUSES = {200, 201, 202, 204, 304, 400, 401, 403, 404, 405, 409, 412, 413, 415, 422, 429}
_CODES = {*map(str, ProblemCode), *map(str, FailureCode)}
_FIELD_CODES = set(map(str, FieldCode))
#: Problems that are about fields, and so name each bad one.
_ABOUT_FIELDS = {"INVALID_ORDER", "INVALID_QUERY", "INVALID_STREAM", "INVALID_CANCEL", "MALFORMED_ID"}
#: Words that only an internal name, a trace or an SDK's message has.
_INTERNAL = (
    "Traceback",
    "chalicelib",
    "pynamodb",
    "psycopg",
    "botocore",
    "pydantic",
    "object at 0x",
    "site-packages",
)
_FRAMES = {"ack", "pong", "error", "ORDER_UPDATE", "live"}


def faults_of_answer(status: int, headers: Mapping[str, str], text: str) -> list[str]:
    """What is wrong with an answer over HTTP."""
    faults = [f"status {status}"] if status not in _STATUSES else []
    faults += _leaks(text)
    if status < 400:
        return faults
    if headers.get("content-type") != PROBLEM_TYPE:
        return [*faults, f"content type {headers.get('content-type')}"]
    body = parse(text)
    if body.get("status") != status or not body.get("requestId"):
        faults.append("the problem does not name its status or request")
    if (status == 401) != ("www-authenticate" in headers):
        faults.append("WWW-Authenticate belongs to 401")
    return faults + faults_of_problem(body)


def faults_of_frame(frame: Mapping[str, Any], text: str) -> list[str]:
    """What is wrong with a frame."""
    if frame.get("type") not in _FRAMES:
        return [f"frame of type {frame.get('type')}"]
    return _leaks(text) + (faults_of_problem(frame) if frame["type"] == "error" else [])


def faults_of_problem(body: Mapping[str, Any]) -> list[str]:
    faults = []
    if body.get("code") not in _CODES:
        faults.append(f"unknown code {body.get('code')}")
    if body.get("status", 500) >= 500:
        faults.append(f"a problem of status {body.get('status')}")
    if not body.get("detail") or not body.get("title"):
        faults.append("a problem without words")
    if body.get("code") in _ABOUT_FIELDS and not body.get("errors"):
        faults.append(f"{body['code']} names no field")
    for error in body.get("errors", ()):
        if error["code"] not in _FIELD_CODES or not error["message"]:
            faults.append(f"a field's error without code or words: {error}")
    return faults


def _leaks(text: str) -> list[str]:
    return [f"the answer says {word}" for word in _INTERNAL if word in text]
