"""The runtime of the functions on AWS: one version of Python, renewed only together with the code."""

from typing import Any


def template(functions: list[str], python: str) -> dict[str, Any]:
    """Return the properties of every function that state its runtime.

    AWS otherwise replaces the runtime, and boto3 in it, below running functions.
    """
    properties = {"Runtime": f"python{python}", "RuntimeManagementConfig": {"UpdateRuntimeOn": "FunctionUpdate"}}
    return {"Resources": {function: {"Properties": dict(properties)} for function in functions}}
