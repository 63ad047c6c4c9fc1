"""The deployment of the WebSocket API, under a name that makes CloudFormation deploy changed routes."""

import hashlib
import json
from typing import Any

NAME = "WebsocketAPIDeployment"
_DEPLOYED = ("AWS::ApiGatewayV2::Integration", "AWS::ApiGatewayV2::Route")


def renamed_deployment(resources: dict[str, Any]) -> dict[str, Any]:
    """Return the resources with a deployment whose name changes with the routes and integrations that it deploys.

    SAM does the same for REST APIs.
    """
    deployed = {name: resource for name, resource in resources.items() if resource["Type"] in _DEPLOYED}
    digest = hashlib.sha256(json.dumps(deployed, sort_keys=True).encode()).hexdigest()[:10]
    renamed = {f"{NAME}{digest}" if name == NAME else name: resource for name, resource in resources.items()}
    renamed["WebsocketAPIStage"]["Properties"]["DeploymentId"] = {"Ref": f"{NAME}{digest}"}
    return renamed
