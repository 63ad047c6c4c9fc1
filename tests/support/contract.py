"""Holds answers and frames against ``openapi.json`` and ``asyncapi.json``, strictly: no field may be undocumented."""

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import jsonschema_rs

from chalicelib.http.contract import DIRECTORY
from infra.contract.headers import RESPONSE_HEADERS

Document = dict[str, Any]

_PROBLEM = {"$ref": "#/components/schemas/Problem"}
_ON_EVERY_ANSWER = {"X-Request-Id", "Cache-Control"}


class UndocumentedError(AssertionError):
    """An answer or a frame is not as the contract says."""


@cache
def document(name: str) -> Document:
    """A committed document."""
    found: Document = json.loads((DIRECTORY / name).read_text())
    return found


def faults_of_answer(method: str, path: str, status: int, headers: Mapping[str, str], text: str) -> list[str]:
    """What the contract does not say about an answer. ``path`` is quoted; header names are in lower case."""
    operation = _operation(method, path)
    if operation is None:
        # The gateway or the front door answers, and the app's routes do not matter.
        return [] if method == "HEAD" else _faults(_PROBLEM, text)
    response = operation["responses"].get(str(status))
    if response is None:
        return [f"{status} is not documented"]
    return _header_faults(response, headers) + _body_faults(response, headers.get("content-type", ""), text)


def faults_of_frame(text: str) -> list[str]:
    """What the contract does not say about a frame."""
    kind = json.loads(text).get("type")
    messages = document("asyncapi.json")["components"]["messages"]
    known = [name for name, message in messages.items() if kind in _kinds(message["payload"])]
    found = [_faults_of_payload(name, text) for name in known]
    return min(found, key=len, default=[f"no frame has the type {kind}"])


def check_answer(method: str, path: str, status: int, headers: Mapping[str, str], text: str) -> None:
    """:raises UndocumentedError: if the answer is not as the contract says."""
    named = {name.lower(): value for name, value in headers.items()}
    if method != "OPTIONS" and (faults := faults_of_answer(method, path, status, named, text)):
        raise UndocumentedError(f"{method} {path} {status}: {'; '.join(faults)}\n{text[:2000]}")


def check_frame(text: str) -> None:
    """:raises UndocumentedError: if the frame is not as the contract says."""
    if faults := faults_of_frame(text):
        raise UndocumentedError(f"{'; '.join(faults)}\n{text[:2000]}")


def _operation(method: str, path: str) -> Document | None:
    paths: Document = document("openapi.json")["paths"]
    if method in ("GET", "HEAD") and path in _addresses():
        return None
    found = paths.get(path) or next((item for pattern, item in _patterns() if pattern.fullmatch(path)), {})
    operation: Document | None = found.get(method.lower())
    return operation


@cache
def _addresses() -> set[str]:
    """The addresses of sockets, at which the front door answers what is no handshake."""
    return {channel["address"] for channel in document("asyncapi.json")["channels"].values()}


@cache
def _patterns() -> Sequence[tuple[re.Pattern[str], Document]]:
    paths = document("openapi.json")["paths"]
    return [(re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), item) for path, item in paths.items() if "{" in path]


def _header_faults(response: Document, headers: Mapping[str, str]) -> list[str]:
    wanted = {name for name in response["headers"] if RESPONSE_HEADERS[name].get("required")}
    faults = [f"the header {name} is missing" for name in wanted if name.lower() not in headers]
    undocumented = RESPONSE_HEADERS.keys() - response["headers"].keys() - _ON_EVERY_ANSWER
    return faults + [f"the header {name} is not documented" for name in undocumented if name.lower() in headers]


def _body_faults(response: Document, content_type: str, text: str) -> list[str]:
    content = response.get("content")
    if content is None:
        return [f"a body is not documented: {text[:100]}"] if text else []
    media = content.get(content_type.partition(";")[0])
    if media is None:
        return [f"the content type {content_type} is not documented"]
    if content_type.startswith("text/event-stream"):
        frames = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: ")]
        return [fault for frame in frames for fault in faults_of_frame(frame)]
    return _faults(media["schema"], text) if "json" in content_type else []


def _faults(schema: Document, text: str) -> list[str]:
    return _listed(_validator(json.dumps(schema)), text)


def _faults_of_payload(name: str, text: str) -> list[str]:
    return _listed(_payload_validator(name), text)


def _listed(validator: jsonschema_rs.Draft202012Validator | jsonschema_rs.Draft7Validator, text: str) -> list[str]:
    errors = validator.iter_errors(json.loads(text))
    return [f"{'.'.join(map(str, error.instance_path))}: {error.message[:500]}" for error in errors]


@cache
def _validator(schema: str) -> jsonschema_rs.Draft202012Validator:
    components = closed(document("openapi.json")["components"])
    whole = {**json.loads(schema), "components": components}
    return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)


@cache
def _payload_validator(name: str) -> jsonschema_rs.Draft7Validator:
    components = closed(document("asyncapi.json")["components"])
    whole = {"allOf": [components["messages"][name]["payload"]], "components": components}
    return jsonschema_rs.Draft7Validator(whole, validate_formats=True)


def closed(schema: Any) -> Any:
    """The schemas without room for fields that they do not name. Clients must leave that room."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: closed(part) for name, part in schema.items()}
    is_object = schema.get("type") == "object" and isinstance(schema.get("properties"), dict)
    return {"additionalProperties": False, **found} if is_object else found


def _kinds(payload: Document) -> list[str]:
    kinds: list[str] = payload.get("properties", {}).get("type", {}).get("enum", [])
    return kinds
