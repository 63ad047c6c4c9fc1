"""Who makes a request: every route needs a credential, but for those of ``OPEN``."""

from collections.abc import Callable

from chalice.app import Request, Response

from chalicelib.api.problems import problem_of
from chalicelib.bootstrap import engine
from chalicelib.domain.identity import Caller, Scope
from chalicelib.http.headers import header_values
from chalicelib.http.responses import CORS, problem_response, request_id_of
from chalicelib.outages import UNAVAILABLE

#: A load balancer asks for the health, a browser for the page, the page for the tokens before its user signs in, and
#: a tool or a reader for the contract.
OPEN = frozenset(
    {"/health", "/", "/ui/{name}", "/api/tokens", "/openapi.json", "/asyncapi.json", "/docs", "/llms.txt"}
)
_CALLER = "caller"


def authenticated(request: Request, get_response: Callable[[Request], Response]) -> Response:
    """The response of a view, or a problem if the request needs a credential and has no valid one.

    The check comes before any other of the request, so that strangers learn nothing from its errors.
    """
    # The path of a request is that of its route, with the names of its parameters.
    if request.path in OPEN:
        return get_response(request)
    try:
        caller = engine().authenticator.authenticate(header_values(request, "authorization"))
        engine().request_rate.admit(caller)
        request.context[_CALLER] = caller
    except Exception as error:
        response = problem_response(problem_of(error, UNAVAILABLE), request_id_of(request))
        # Chalice adds these to the responses of views alone, and a page must be able to read this one.
        response.headers.update(CORS.get_access_control_headers())
        return response
    return get_response(request)


def caller_of(request: Request, scope: Scope) -> Caller:
    """The caller of an authenticated request. A view asks for the scope before it validates the request.

    :raises MissingScopeError: if the caller's credential does not grant the scope.
    """
    caller: Caller = request.context[_CALLER]
    caller.require(scope)
    return caller
