"""The tools are the operations of the contract, with schemas that stand alone."""

import json
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator

from chalicelib.http.contract import DIRECTORY
from orderengine.mcp.contract import inlined, operations
from tests.client.mcp.conftest import Agent

DOCUMENT: dict[str, Any] = json.loads((DIRECTORY / "openapi.json").read_text())
#: The short path is the same operation as executeOrder. Documents, tickets and the page are of no use to an
#: agent.
NO_TOOLS = {"createOrder", "createStreamTicket", "getPage", "getPageFile"} | {
    f"get{document}" for document in ("Openapi", "Asyncapi", "Docs", "Llms")
}


def test_every_operation_of_the_contract_is_a_tool(agent: Agent) -> None:
    calls = [(method, one) for methods in DOCUMENT["paths"].values() for method, one in methods.items()]
    names = {one["operationId"] for method, one in calls if method != "head"}
    assert agent.tools().keys() == (names - NO_TOOLS) | {"waitForOrder"}


def test_an_input_schema_is_valid_and_refers_to_nothing(agent: Agent) -> None:
    for tool in agent.tools().values():
        Draft202012Validator(tool.input_schema)
        assert tool.input_schema["type"] == "object"
        assert "$ref" not in json.dumps(tool.input_schema)


def test_the_examples_of_a_body_are_valid_arguments(agent: Agent) -> None:
    for tool in agent.tools().values():
        for body in tool.input_schema["properties"].get("body", {}).get("examples", ()):
            arguments = {"body": body, "orderId": "4a1f9b9e-8f63-4a0c-9d5b-1f2f3a4b5c6d"}
            names = tool.input_schema["properties"].keys()
            Draft202012Validator(tool.input_schema).validate(
                {name: value for name, value in arguments.items() if name in names}
            )


def test_a_tool_says_whether_it_changes_anything(agent: Agent) -> None:
    tools = agent.tools()
    writes = {name for name, one in tools.items() if one.annotations and not one.annotations.read_only_hint}
    assert writes == {"executeOrder", "amendOrder", "cancelOrder", "cancelOrders", "postMarketEvent"}
    assert writes == {name for name, one in tools.items() if "execute" in one.input_schema["properties"]}
    for tool in tools.values():
        assert tool.annotations is not None
        assert tool.annotations.destructive_hint is (tool.name in writes)
        assert tool.annotations.idempotent_hint is (tool.name not in {"cancelOrders", "postMarketEvent"})
        repeatable = "has its effect once" in str(tool.description)
        assert repeatable is (tool.name in writes and tool.annotations.idempotent_hint)


def test_an_operation_of_a_later_engine_becomes_a_tool_too() -> None:
    later = {"operationId": "holdOrder", "responses": {"200": {}}, "security": [{"bearer": ["trade"]}]}
    document = {**DOCUMENT, "paths": {**DOCUMENT["paths"], "/api/orders/{orderId}/hold": {"post": later}}}
    assert operations(document)["holdOrder"].is_write


def test_a_schema_that_refers_to_itself_is_refused() -> None:
    document = {"components": {"schemas": {"A": {"items": {"$ref": "#/components/schemas/A"}}}}}
    with pytest.raises(ValueError, match="refers to itself"):
        inlined(document, {"$ref": "#/components/schemas/A"})
