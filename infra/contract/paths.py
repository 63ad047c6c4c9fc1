"""The parameters in the paths of the calls, as components of the document."""

from typing import Any

from infra.contract.forms import ORDER_ID

PATH_PARAMETERS: dict[str, dict[str, Any]] = {
    "orderId": {"description": "The id of the order.", "schema": ORDER_ID},
    "name": {
        "description": "The name of a file of the page, which has a digest of the file.",
        "schema": {"type": "string", "pattern": r"^[a-z]+\.[0-9a-f]{16}\.(css|js|svg)$"},
    },
}


def path_parameter_components() -> dict[str, dict[str, Any]]:
    return {
        name: {"name": name, "in": "path", "required": True, **parameter}
        for name, parameter in PATH_PARAMETERS.items()
    }
