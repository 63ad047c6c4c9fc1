"""X-Ray, which a stage may switch on: the HTTP API begins a trace for each request, and the functions add theirs."""

from collections.abc import Mapping
from typing import Any

_CONDITION = "IsTraced"


def template(functions: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the part of the template that traces ``functions``, given with their properties."""
    mode = {"Fn::If": [_CONDITION, "Active", "PassThrough"]}
    return {"Resources": {name: {"Properties": {"Tracing": mode}} for name in functions}}


def allow_traces(resources: dict[str, Any]) -> None:
    """Let the role of each function of ``resources`` send traces, where they are traced.

    The permission is a part of the role, because Lambda refuses to trace a function whose role lacks it, and a
    function waits for its role alone.
    """
    # X-Ray has no resources that a policy could name.
    statement = {
        "Effect": "Allow",
        "Action": ["xray:PutTraceSegments", "xray:PutTelemetryRecords"],
        "Resource": "*",
    }
    policy = {"PolicyName": "tracing", "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]}}
    functions = [one["Properties"] for one in resources.values() if one["Type"] == "AWS::Serverless::Function"]
    for role in {function["Role"]["Fn::GetAtt"][0] for function in functions}:
        policies = resources[role]["Properties"]["Policies"]
        policies.append({"Fn::If": [_CONDITION, policy, {"Ref": "AWS::NoValue"}]})
