"""Reading of requests and writing of responses, the same for every route."""

import logging
import re
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from chalice.app import Blueprint, CORSConfig, Request, Response

from chalicelib.api.bare_problems import plain_problem
from chalicelib.api.codes import ProblemCode
from chalicelib.api.problems import (
    CONTENT_TYPE,
    Problem,
    problem_of,
    unsupported,
    well_formed,
)
from chalicelib.api.requests.body import read_json
from chalicelib.api.requests.fields import RequestModel
from chalicelib.codec.exact_json import dumps
from chalicelib.outages import UNAVAILABLE

log = logging.getLogger(__name__)

CORS = CORSConfig(
    allow_headers=["Idempotency-Key", "If-Match"],
    expose_headers=["Idempotent-Replayed", "Retry-After", "ETag"],
    max_age=3600,
)

_CHARSET = re.compile(r';\s*charset\s*=\s*"?([^\s";]*)', re.IGNORECASE)
#: ASCII text is UTF-8 too.
_UTF8 = ("utf-8", "utf8", "us-ascii", "ascii")

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

    :raises ProblemError: 415 for a body in another encoding than UTF-8, or compressed; others as ``read_json``.
    """
    charset = _CHARSET.search(request.headers.get("content-type", ""))
    if charset and charset[1].lower() not in _UTF8:
        raise unsupported("The charset of the body must be utf-8.")
    if request.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise unsupported("The body must come without a Content-Encoding.")
    return read_json(request.raw_body, max_bytes, "The body")


def query_of(request: Request) -> dict[str, str]:
    """The query parameters, the last value of each."""
    return dict(request.query_params or {})


def read_query(model: type[_Model], query: Mapping[str, Any]) -> _Model:
    """:raises ProblemError: 400 naming every bad parameter."""
    return well_formed(model, query, "The query is not valid.", ProblemCode.INVALID_QUERY)
