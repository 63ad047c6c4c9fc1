"""The access of functions to Postgres: the secret with its address, and the network that leads to it."""

from typing import Any

#: The functions that read or record the history, and their roles. No other gets the secret or enters the network.
FUNCTIONS = {
    "APIHandler": "ApiHandlerRole",
    "WebsocketMessage": "WebsocketMessageRole",
    "ProcessOrders": "ProcessOrdersRole",
    "CloseDeadLetters": "CloseDeadLettersRole",
    "RunLooks": "RunLooksRole",
}
#: What Lambda needs to attach a function to a network. The actions have no resource that could be named.
_NETWORK_POLICY = "arn:${AWS::Partition}:iam::aws:policy/service-role/AWSLambdaENIManagementAccess"


def template() -> dict[str, Any]:
    """Return the properties of these functions and roles."""
    network = {"SubnetIds": {"Ref": "SubnetIds"}, "SecurityGroupIds": {"Ref": "SecurityGroupIds"}}
    function = {
        "Environment": {"Variables": {"DATABASE_SECRET": {"Ref": "DatabaseSecret"}}},
        "VpcConfig": _in_vpc(network),
    }
    role = {"ManagedPolicyArns": _in_vpc([{"Fn::Sub": _NETWORK_POLICY}])}
    properties = dict.fromkeys(FUNCTIONS, function) | dict.fromkeys(FUNCTIONS.values(), role)
    return {"Resources": {name: {"Properties": found} for name, found in properties.items()}}


def _in_vpc(value: Any) -> dict[str, Any]:
    return {"Fn::If": ["InVpc", value, {"Ref": "AWS::NoValue"}]}
