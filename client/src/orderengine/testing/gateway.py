"""API Gateway and the front door: requests become events of the application, and its answers responses."""

import base64
import re
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime
from functools import cache
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from chalicelib.api.bare_problems import gateway_problem
from chalicelib.codec.exact_json import dumps
from chalicelib.http.application import app
from chalicelib.http.headers import FIXED_HEADERS
from chalicelib.http.responses import CORS, REQUEST_ID_HEADER, problem_response
from orderengine.core.commands import Request, Response
from orderengine.testing.front_door import rewritten, stream_of

_EXPOSED = "Access-Control-Expose-Headers"
#: The names of two headers may differ in case alone, so all are compared in lower case.
Lines = Mapping[str, list[str]]
#: The headers of a request. Pairs may have a name twice.
Headers = Mapping[str, str] | tuple[tuple[str, str], ...]


def answer(request: Request, headers: Lines, request_id: str, now: datetime) -> Response:
    """The response of the deployment, whose engine ``bootstrap.using`` names, to a request with these ``headers``."""
    path = rewritten(request.path)
    if request.method in ("GET", "HEAD") and stream_of(path) is not None:
        return bare(400, request_id, now, {"sec-websocket-version": "13"})
    found = _route(path)
    if found is None:
        return bare(404, request_id, now)
    resource, arguments = found
    if request.method == "OPTIONS":
        return dated(_preflight(resource), now)
    if request.method not in app.routes[resource]:
        return bare(404, request_id, now)
    return dated(_response(app(_event(request, headers, resource, arguments, request_id), None)), now)


def lines_of(pairs: Headers) -> Lines:
    """All values of each name."""
    lines: defaultdict[str, list[str]] = defaultdict(list)
    for name, value in pairs.items() if isinstance(pairs, Mapping) else pairs:
        lines[name].append(value)
    return lines


def refused(status: int, connection_id: str, request_id: str, now: datetime) -> Response:
    """API Gateway's answer to a handshake that the engine refuses."""
    body = {"message": HTTPStatus(status).phrase, "connectionId": connection_id, "requestId": request_id}
    return dated(Response(status, {"content-type": "application/json"}, dumps(body).encode()), now)


def bare(status: int, request_id: str, now: datetime, more: Mapping[str, str] | None = None) -> Response:
    """The answer of API Gateway or the front door without the application."""
    answered = problem_response(gateway_problem(status), request_id)
    headers = FIXED_HEADERS | {_EXPOSED: CORS.get_access_control_headers()[_EXPOSED], REQUEST_ID_HEADER: request_id}
    named = {name.lower(): str(value) for name, value in {**headers, **answered.headers}.items()}
    return dated(Response(status, {**named, **(more or {})}, answered.body.encode()), now)


def dated(response: Response, now: datetime) -> Response:
    """The response with the date of its server."""
    headers = {**response.headers, "date": format_datetime(now, usegmt=True)}
    return Response(response.status, headers, response.body)


def _route(path: str) -> tuple[str, dict[str, str]] | None:
    """The resource of a path and the values of its parameters."""
    for resource, pattern in _resources():
        if found := pattern.fullmatch(path):
            return resource, {name: unquote(value) for name, value in found.groupdict().items()}
    return None


@cache
def _resources() -> list[tuple[str, re.Pattern[str]]]:
    """Every resource with its form. One without parameters comes first."""
    resources = sorted(app.routes, key=lambda one: one.count("{"))
    return [(one, re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(one)))) for one in resources]


def _event(
    request: Request, headers: Lines, resource: str, arguments: dict[str, str], request_id: str
) -> dict[str, Any]:
    query = lines_of(request.query)
    return {
        "requestContext": {"httpMethod": request.method, "resourcePath": resource, "requestId": request_id},
        "headers": {name: values[-1] for name, values in headers.items()},
        "multiValueHeaders": headers,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": arguments or None,
        "stageVariables": None,
        "body": None if request.body is None else base64.b64encode(request.body).decode(),
        "isBase64Encoded": request.body is not None,
    }


def _response(answered: Mapping[str, Any]) -> Response:
    lists = {name: ", ".join(values) for name, values in answered["multiValueHeaders"].items()}
    headers = {name.lower(): str(value) for name, value in {**answered["headers"], **lists}.items()}
    body = answered["body"]
    data = base64.b64decode(body) if answered.get("isBase64Encoded") else body.encode()
    return Response(answered["statusCode"], headers, data)


def _preflight(resource: str) -> Response:
    methods = ",".join(sorted({*app.routes[resource], "OPTIONS"}))
    headers = {**CORS.get_access_control_headers(), "Access-Control-Allow-Methods": methods}
    return Response(200, {name.lower(): str(value) for name, value in headers.items()}, b"")
