"""Reading of requests and writing of responses, the same for every route."""

import logging
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from chalice.app import Blueprint, CORSConfig, Request, Response

from chalicelib.api.bare_problems import plain_problem
from chalicelib.api.codes import ProblemCode
from chalicelib.api.problems import (
    CONTENT_TYPE,
    Problem,
    malformed,
    problem_of,
    too_large,
    well_formed,
)
from chalicelib.api.requests.fields import RequestModel
from chalicelib.codec.exact_json import dumps, loads
from chalicelib.outages import UNAVAILABLE

log = logging.getLogger(__name__)

CORS = CORSConfig(
    allow_headers=["Idempotency-Key", "If-Match"],
    expose_headers=["Idempotent-Replayed", "Retry-After", "ETag"],
    max_age=3600,
)

_Arguments = ParamSpec("_Arguments")
_Model = TypeVar("_Model", bound=RequestModel)


def json_response(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """JSON with exact numbers."""
    all_headers: dict[str, str | list[str]] = {"Content-Type": "application/json", **(headers or {})}
    return Response(dumps(body), all_headers, status)


def problem_response(problem: Problem, request_id: str) -> Response:
    headers: dict[str, str | list[str]] = {"Content-Type": CONTENT_TYPE}
    if problem.retry_after is not None:
        headers["Retry-After"] = str(problem.retry_after)
    return Response(dumps(problem.as_body(request_id)), headers, problem.status)


def answering(
    blueprint: Blueprint,
) -> Callable[[Callable[_Arguments, Response]], Callable[_Arguments, Response]]:
    """Turns a view's exceptions into problem details."""

    def decorate(view: Callable[_Arguments, Response]) -> Callable[_Arguments, Response]:
        @wraps(view)
        def answered(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> Response:
            try:
                return view(*args, **kwargs)
            except Exception as error:
                return problem_response(problem_of(error, UNAVAILABLE), request_id_of(blueprint.current_request))

        return answered

    return decorate


def finish(request: Request, response: Response) -> Response:
    """The response as it leaves: Chalice's own errors (wrong content type, a failed view) become problem details.

    Logs one line per request.
    """
    body = response.body
    if isinstance(body, dict) and "Code" in body and response.status_code >= 400:
        cors = {name: value for name, value in response.headers.items() if name.lower() != "content-type"}
        response = problem_response(plain_problem(response.status_code), request_id_of(request))
        response.headers.update(cors)
    log.info(
        "%s %s %s", request.method, request.path, response.status_code, extra={"requestId": request_id_of(request)}
    )
    return response


def request_id_of(request: Request) -> str:
    return str(request.context.get("requestId", ""))


def json_body(request: Request, max_bytes: int) -> dict[str, Any]:
    """The body as an object.

    :raises ProblemError: 413 for a body over ``max_bytes``, 400 for a body that is not a JSON object.
    """
    raw = request.raw_body
    if isinstance(raw, str):
        raw = raw.encode()
    if len(raw) > max_bytes:
        raise too_large(max_bytes)
    try:
        body = loads(raw.decode())
    except ValueError:
        raise malformed("The body must be JSON.", ProblemCode.MALFORMED_JSON) from None
    if not isinstance(body, dict):
        raise malformed("The body must be a JSON object.", ProblemCode.MALFORMED_JSON)
    return body


def query_of(request: Request) -> dict[str, str]:
    """The query parameters, the last value of each."""
    return dict(request.query_params or {})


def read_query(model: type[_Model], query: Mapping[str, Any]) -> _Model:
    """:raises ProblemError: 400 naming every bad parameter."""
    return well_formed(model, query, "The query is not valid.", ProblemCode.INVALID_QUERY)
