"""A log group for each function, which keeps its lines for a bounded time and has JSON alone.

With the format JSON, Lambda writes its own lines (time-outs, lack of memory, failed imports) as JSON too, and leaves
the lines that ``chalicelib.logs`` writes as they are. ``LOG_LEVEL`` decides which these are, and Lambda's own filter
lets all of them pass.
"""

from typing import Any

_FORMAT = {"LogFormat": "JSON", "ApplicationLogLevel": "DEBUG", "SystemLogLevel": "INFO"}


def template(functions: list[str]) -> dict[str, Any]:
    """Return the part of the template that gives each function its log group."""
    resources: dict[str, Any] = {}
    for function in functions:
        resources[f"{function}Logs"] = _log_group(function)
        resources[function] = {"Properties": {"LoggingConfig": _FORMAT | {"LogGroup": {"Ref": f"{function}Logs"}}}}
    return {"Resources": resources}


def _log_group(function: str) -> dict[str, Any]:
    # The policy of the function allows it to write to the groups of this name.
    name = {"Fn::Sub": f"/aws/lambda/${{AWS::StackName}}-{function}-logs"}
    retention = {"Ref": "LogRetentionDays"}
    return {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": name, "RetentionInDays": retention}}
