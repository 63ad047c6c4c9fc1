"""Reading of requests and writing of responses, the same for every route."""

import re
from collections.abc import Callable, Mapping
from functools import wraps
from http import HTTPStatus
from typing import Any, ParamSpec, TypeVar
from uuid import uuid4

from chalice.app import Blueprint, MultiDict, Request, Response

from chalicelib.api.bare_problems import plain_problem
from chalicelib.api.codes import ProblemCode
from chalicelib.api.problems import (
    CONTENT_TYPE,
    Problem,
    malformed,
    problem_of,
    unsupported,
    well_formed,
)
from chalicelib.api.requests.body import read_json
from chalicelib.api.requests.fields import RequestModel
from chalicelib.api.requests.last_event import LAST_EVENT_ID
from chalicelib.api.requests.queries import OrderIdModel, repeated_parameters
from chalicelib.codec.exact_json import dumps
from chalicelib.http.cors import Cors
from chalicelib.http.headers import FIXED_HEADERS
from chalicelib.observability import operations as observe
from chalicelib.outages import UNAVAILABLE

#: Every response names its request by the id that a problem's body has and the logs use.
REQUEST_ID_HEADER = "X-Request-Id"

CORS = Cors(
    # Browsers with tracing add the last three to every request.
    allow_headers=[
        "Authorization",
        "Idempotency-Key",
        "If-Match",
        LAST_EVENT_ID,
        "traceparent",
        "tracestate",
        REQUEST_ID_HEADER,
    ],
    expose_headers=["Idempotent-Replayed", "Retry-After", "ETag", "WWW-Authenticate", REQUEST_ID_HEADER],
    max_age=3600,
)

_CHARSET = re.compile(r';\s*charset\s*=\s*"?([^\s";]*)', re.IGNORECASE)
#: ASCII text is UTF-8 too.
_UTF8 = ("utf-8", "utf8", "us-ascii", "ascii")
#: The methods of every route that reads. Chalice answers only the methods that a route names.
READS = ["GET", "HEAD"]

_INVALID_QUERY = "The query is not valid."

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
    if problem.status == 401:
        headers["WWW-Authenticate"] = _challenge(problem)
    return Response(dumps(problem.as_body(request_id)), headers, problem.status)


def _challenge(problem: Problem) -> str:
    """What a request without a valid credential lacks (RFC 6750, 3)."""
    realm = 'Bearer realm="order-execution-engine"'
    return realm if problem.code is ProblemCode.MISSING_CREDENTIAL else f'{realm}, error="invalid_token"'


def answering(
    blueprint: Blueprint,
) -> Callable[[Callable[_Arguments, Response]], Callable[_Arguments, Response]]:
    """Turns a view's exceptions into problem details, and refuses a query that has a parameter more than once."""

    def decorate(view: Callable[_Arguments, Response]) -> Callable[_Arguments, Response]:
        @wraps(view)
        def answered(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> Response:
            try:
                _refuse_repeated(blueprint.current_request)
                return view(*args, **kwargs)
            except Exception as error:
                return problem_response(problem_of(error, UNAVAILABLE), request_id_of(blueprint.current_request))

        return answered

    return decorate


def finish(request: Request, response: Response) -> Response:
    """The response as it leaves: Chalice's own errors (wrong content type, a failed view) become problem details.

    A response to ``HEAD`` loses its body. Logs one line per request.
    """
    body = response.body
    if isinstance(body, dict) and "Code" in body and response.status_code >= 400:
        cors = {name: value for name, value in response.headers.items() if name.lower() != "content-type"}
        response = problem_response(plain_problem(response.status_code), request_id_of(request))
        response.headers.update(cors)
    request_id = request_id_of(request)
    response.headers.update(FIXED_HEADERS | response.headers)
    response.headers[REQUEST_ID_HEADER] = request_id
    if request.method == "HEAD":
        _drop_body(response)
    observe.request_answered(request.method, request.path, response.status_code)
    return response


def _drop_body(response: Response) -> None:
    """Leave the headers that ``GET`` would have (RFC 9110, 9.3.2), also the length.

    A 204 must not have a length, and the length of a 304 would be that of the 200 (8.6).
    """
    if response.status_code not in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
        response.headers["Content-Length"] = str(len(response.body.encode()))
    response.body = ""


def request_id_of(request: Request) -> str:
    """The id that API Gateway gives the request, or one of its own under ``chalice local``."""
    return str(request.context.setdefault("requestId", str(uuid4())))


def json_body(request: Request, max_bytes: int) -> dict[str, Any]:
    """The body as an object.

    :raises ProblemError: 415 for a body in another encoding than UTF-8, or compressed; others as ``read_json``.
    """
    charsets = _CHARSET.findall(request.headers.get("content-type", ""))
    if any(charset.lower() not in _UTF8 for charset in charsets):
        raise unsupported("The charset of the body must be utf-8.")
    codings = request.headers.get("content-encoding", "").lower().split(",")
    if any(coding.strip() not in ("", "identity") for coding in codings):
        raise unsupported("The body must come without a Content-Encoding.")
    return read_json(_raw_body(request), max_bytes, "The body")


def _raw_body(request: Request) -> bytes | str:
    try:
        return request.raw_body
    except UnicodeEncodeError as error:
        # Chalice encodes the text of the event, which may hold half a surrogate pair.
        return str(error.object)


def query_of(request: Request) -> dict[str, str]:
    """The query parameters, each of which has one value: ``answering`` refuses every other query."""
    return dict(request.query_params or {})


def _refuse_repeated(request: Request) -> None:
    """:raises ProblemError: 400 naming every parameter that the query has more than once."""
    query = request.query_params or MultiDict({})
    if repeated := repeated_parameters({name: query.getlist(name) for name in query}):
        raise malformed(_INVALID_QUERY, ProblemCode.INVALID_QUERY, repeated)


def read_query(model: type[_Model], query: Mapping[str, Any]) -> _Model:
    """:raises ProblemError: 400 naming every bad parameter."""
    return well_formed(model, query, _INVALID_QUERY, ProblemCode.INVALID_QUERY)


def read_order_id(text: str) -> str:
    """:raises ProblemError: 400 if the text is not an order id."""
    detail = "The order id is not valid."
    return well_formed(OrderIdModel, {"orderId": text}, detail, ProblemCode.MALFORMED_ID).order_id
