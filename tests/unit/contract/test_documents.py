"""The documents of the contract are complete, as committed, and valid by the schemas of their formats."""

import json
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, TypedDict

import jsonschema_rs
import pytest
from chalice.app import Chalice

from chalicelib.api.codes import FieldCode, ProblemCode, WarningCode
from chalicelib.domain.conditions import TimeInForce
from chalicelib.domain.failures import FailureCode
from chalicelib.domain.status import OrderType, Phase, Status
from chalicelib.domain.tokens import Side
from chalicelib.http.callers import OPEN
from chalicelib.http.contract import DIRECTORY
from chalicelib.streaming.actions import ACTIONS
from infra.aws.front_door import Stream, rules
from infra.contract.answers import Components
from infra.contract.asyncapi import asyncapi
from infra.contract.documents import documents
from infra.contract.errors import UndescribedError
from infra.contract.openapi import openapi
from infra.contract.problems import ELSEWHERE
from tests.support.contract import document

SCHEMAS = Path(__file__).parents[2] / "support/schemas"
NAMES = ("openapi.json", "asyncapi.json")
ENUMERATIONS = (ProblemCode, FieldCode, FailureCode, WarningCode, Status, Phase, OrderType, Side, TimeInForce)


def official(name: str) -> Any:
    return json.loads((SCHEMAS / name).read_text())


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document("openapi.json")["paths"].items():
        for method, operation in item.items():
            yield method.upper(), path, operation


def test_the_committed_documents_are_those_of_the_code(app: Chalice) -> None:
    for name, text in documents(app.routes).items():
        assert (DIRECTORY / name).read_text() == text, f"{name} is not up to date: run make contract"


def test_openapi_is_valid_by_its_official_schema() -> None:
    validator = jsonschema_rs.Draft202012Validator(official("openapi-3.1.json"))
    assert [error.message for error in validator.iter_errors(document("openapi.json"))] == []
    assert list(validator.iter_errors({"openapi": "3.1.0", "info": {}}))


def test_asyncapi_is_valid_by_its_official_schema() -> None:
    validator = jsonschema_rs.Draft7Validator(official("asyncapi-3.0.json"))
    assert [error.message for error in validator.iter_errors(document("asyncapi.json"))] == []
    wrong = document("asyncapi.json") | {"operations": {"x": {"action": "shout"}}}
    assert list(validator.iter_errors(wrong))


@pytest.mark.parametrize("name", NAMES)
def test_every_schema_is_one(name: str) -> None:
    for schema in document(name)["components"]["schemas"].values():
        assert jsonschema_rs.meta.is_valid(schema)


def test_every_route_is_described_once(app: Chalice) -> None:
    routes = {
        (method, path.replace("{order_id}", "{orderId}"))
        for path, methods in app.routes.items()
        for method in methods
    }
    assert {(method, path) for method, path, _ in operations()} == routes
    names = [operation["operationId"] for _, _, operation in operations()]
    assert len(names) == len(set(names))
    assert all(operation["summary"] and operation["description"] for _, _, operation in operations())


def test_the_routes_without_a_credential_are_the_open_ones() -> None:
    assert {path for _, path, operation in operations() if not operation["security"]} == OPEN


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ENUMERATIONS)
def test_every_value_of_an_enumeration_has_its_meaning(name: str, kind: type[Enum]) -> None:
    schema = document(name)["components"]["schemas"].get(kind.__name__)
    if schema is None:
        assert name == "asyncapi.json", "only frames may do without one of them"
        return
    values = [member.value for member in kind]
    assert schema["enum"] == values
    assert list(schema["x-enum-descriptions"]) == values


def test_every_problem_code_belongs_to_a_call_or_a_frame() -> None:
    found = {
        code
        for _, _, operation in operations()
        for response in operation["responses"].values()
        for content in response.get("content", {}).values()
        for code in content["schema"].get("properties", {}).get("code", {}).get("enum", [])
    }
    of_sockets = {
        ProblemCode.INVALID_STREAM,
        ProblemCode.INVALID_CANCEL,
        ProblemCode.UNKNOWN_ACTION,
        ProblemCode.NOT_A_HANDSHAKE,
        ProblemCode.TOO_MANY_SOCKETS,
        ProblemCode.TOO_MANY_SUBSCRIPTIONS,
    }
    assert set(ProblemCode) - of_sockets - set(ELSEWHERE) <= found


def test_an_answer_that_shares_its_status_with_a_problem_has_the_headers_of_both() -> None:
    for method, path, operation in operations():
        assert "Retry-After" in operation["responses"]["503"]["headers"], f"{method} {path}"


def test_a_route_without_words_is_refused(app: Chalice) -> None:
    with pytest.raises(UndescribedError, match="GET /new"):
        openapi({**app.routes, "/new": {"GET": None}})


def test_an_action_or_an_address_without_words_is_refused() -> None:
    with pytest.raises(UndescribedError, match="dance"):
        asyncapi(rules().streams, [*ACTIONS, "dance"])
    with pytest.raises(UndescribedError, match="/elsewhere"):
        asyncapi([*rules().streams, Stream("^/elsewhere$")], list(ACTIONS))


def test_a_field_or_a_code_without_words_is_refused() -> None:
    class NewBody(TypedDict):
        """A new answer."""

        unheard: str

    class Outage(Enum):
        EARTHQUAKE = "EARTHQUAKE"

    with pytest.raises(UndescribedError, match=r"New\.unheard"):
        Components().refer(NewBody)
    with pytest.raises(UndescribedError, match="EARTHQUAKE"):
        Components().refer(Outage)


def test_two_models_of_one_name_are_refused() -> None:
    components = Components()
    components.refer(Status)
    with pytest.raises(UndescribedError, match="two models"):
        components.refer(Enum("Status", [("X", "x")]))  # type: ignore[arg-type]


def test_every_action_and_address_of_the_socket_is_described() -> None:
    spec = document("asyncapi.json")
    assert set(ACTIONS) <= spec["components"]["messages"].keys()
    assert len(spec["channels"]) == len(rules().streams)
