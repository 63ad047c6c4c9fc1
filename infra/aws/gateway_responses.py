"""The errors that API Gateway answers without the app, in the form of the app's own problems."""

import json
from typing import Any

from chalicelib.api.bare_problems import gateway_problem
from chalicelib.api.problems import CONTENT_TYPE

#: The gateway's response types and the status of each.
STATUSES = {"MISSING_AUTHENTICATION_TOKEN": 404, "THROTTLED": 429, "REQUEST_TOO_LARGE": 413, "DEFAULT_5XX": 500}
_HEADERS = {"Content-Type": f"'{CONTENT_TYPE}'", "Access-Control-Allow-Origin": "'*'"}


def template() -> dict[str, Any]:
    """Return the part of the template with the gateway's responses."""
    responses = {kind: _response(status) for kind, status in STATUSES.items()}
    return {"Resources": {"RestAPI": {"Properties": {"GatewayResponses": responses}}}}


def _response(status: int) -> dict[str, Any]:
    # API Gateway replaces $context.requestId by the id of the request.
    body = gateway_problem(status).as_body("$context.requestId")
    return {
        "StatusCode": str(status),
        "ResponseParameters": {"Headers": dict(_HEADERS)},
        "ResponseTemplates": {"application/json": json.dumps(body, separators=(",", ":"))},
    }
