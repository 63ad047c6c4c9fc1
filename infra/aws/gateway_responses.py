"""The errors that API Gateway answers without the app, in the form of the app's own problems."""

from typing import Any

from chalicelib.http.cors import ALLOW_ORIGIN
from chalicelib.http.responses import REQUEST_ID_HEADER
from infra.aws.bare_answers import bare_answer
from infra.aws.cors import ORIGIN

#: The gateway's response types and the status of each. API Gateway looks for a signature of AWS in the
#: ``Authorization`` of a request that no route takes, so an unknown path with a credential of the engine has a
#: type of signatures. The 5XX types answer for a function that fails, dies or takes too long: the request may have
#: taken effect, and a client must be able to try again. A type of its own keeps its status when only ``DEFAULT_5XX``
#: has another one.
STATUSES = {
    "MISSING_AUTHENTICATION_TOKEN": 404,
    "INVALID_SIGNATURE": 404,
    "EXPIRED_TOKEN": 404,
    "RESOURCE_NOT_FOUND": 404,
    "ACCESS_DENIED": 403,
    "WAF_FILTERED": 403,
    "DEFAULT_4XX": 403,
    "THROTTLED": 429,
    "REQUEST_TOO_LARGE": 413,
    "API_CONFIGURATION_ERROR": 503,
    "INTEGRATION_FAILURE": 503,
    "INTEGRATION_TIMEOUT": 503,
    "DEFAULT_5XX": 503,
}


def template() -> dict[str, Any]:
    """Return the part of the template with the gateway's responses."""
    responses = {kind: _response(status) for kind, status in STATUSES.items()}
    return {"Resources": {"RestAPI": {"Properties": {"GatewayResponses": responses}}}}


def _response(status: int) -> dict[str, Any]:
    # API Gateway replaces $context.requestId in a body, and context.requestId in place of a header's text.
    answer = bare_answer(status, "$context.requestId")
    headers: dict[str, Any] = {name: f"'{value}'" for name, value in answer.headers.items()}
    headers |= {REQUEST_ID_HEADER: "context.requestId", ALLOW_ORIGIN: ORIGIN}
    return {
        "StatusCode": str(answer.status),
        "ResponseParameters": {"Headers": headers},
        "ResponseTemplates": {"application/json": answer.body},
    }
