"""Answers of API Gateway and the front door without the app, in the form of the app's own problems."""

import json
from dataclasses import dataclass

from chalicelib.api.bare_problems import gateway_problem
from chalicelib.api.problems import CONTENT_TYPE
from chalicelib.http.headers import FIXED_HEADERS
from chalicelib.http.responses import CORS, REQUEST_ID_HEADER


@dataclass(frozen=True)
class BareAnswer:
    """A status, the headers and the body of an answer."""

    status: int
    headers: dict[str, str]
    body: str


def bare_answer(status: int, request_id: str) -> BareAnswer:
    """Return the problem of ``status``; ``request_id`` is the variable that the answering component replaces.

    The component adds the allowed origin, which the settings of the deployment decide.
    """
    problem = gateway_problem(status)
    headers = FIXED_HEADERS | {
        "Content-Type": CONTENT_TYPE,
        "Access-Control-Expose-Headers": CORS.get_access_control_headers()["Access-Control-Expose-Headers"],
        REQUEST_ID_HEADER: request_id,
    }
    if problem.retry_after is not None:
        headers["Retry-After"] = str(problem.retry_after)
    return BareAnswer(status, headers, json.dumps(problem.as_body(request_id), separators=(",", ":")))
