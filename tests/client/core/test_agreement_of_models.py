"""The models of the client against the contract: no field is missing, and none is invented."""

from collections.abc import Mapping
from dataclasses import MISSING, fields
from datetime import datetime
from decimal import Decimal
from types import NoneType
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest

from orderengine import errors
from orderengine.models import engine, explanations, orders, quotes
from orderengine.models.problems import FieldProblem, Verdict
from orderengine.models.reading import Model, camel
from tests.client.core.documents import ASYNCAPI, SCHEMAS, operations

#: The schemas of each model. What one of several lacks is optional in the model.
MODELS: Mapping[type[Model], tuple[str, ...]] = {
    engine.Token: ("Token",),
    engine.Tokens: ("Tokens",),
    engine.Ticket: ("Ticket",),
    engine.PriceAccepted: ("PriceAccepted",),
    engine.LaunchAccepted: ("LaunchAccepted",),
    engine.Lag: ("Lag",),
    engine.Health: ("Health",),
    engine.Percentiles: ("Percentiles",),
    engine.Latency: ("Latency",),
    engine.Extreme: ("Extreme",),
    engine.Gain: ("Gain",),
    engine.MissedLimits: ("MissedLimits",),
    engine.Execution: ("Execution",),
    engine.Stats: ("Stats",),
    engine.BusySlot: ("BusySlot",),
    engine.Slots: ("Slots",),
    engine.OpenCounts: ("OpenCounts",),
    engine.Waiting: ("Waiting",),
    engine.RateLimit: ("RateLimit",),
    engine.DeadLetters: ("DeadLetters",),
    engine.StreamQueues: ("StreamQueues",),
    engine.Sockets: ("Sockets",),
    engine.DoctorVerdict: ("DoctorVerdict",),
    engine.EngineState: ("EngineState",),
    explanations.Step: ("Step",),
    explanations.VenueQuote: ("Venue",),
    explanations.RoutingGain: ("RoutingGain",),
    explanations.Decision: ("Decision",),
    explanations.Attempt: ("Attempt",),
    explanations.Counterfactual: ("Counterfactual",),
    explanations.Difference: ("Difference",),
    explanations.Replay: ("Replay",),
    explanations.Explanation: ("Explanation",),
    orders.Accepted: ("Accepted",),
    orders.Launch: ("Launch",),
    orders.Order: ("OrderRecord",),
    orders.OrderStatus: ("OrderStatus",),
    orders.Update: ("Event",),
    orders.Cancellation: ("Cancellation", "TooLate"),
    orders.Cancellations: ("Cancellations",),
    orders.Page: ("List",),
    orders.Events: ("Events",),
    quotes.Quote: ("Quote",),
    quotes.Failure: ("Failure",),
    quotes.Quotes: ("Route",),
    quotes.Warning: ("Warning",),
    quotes.Preview: ("Preview",),
}
#: Schemas that a mapping or a plain class stands for.
PLAIN = {"Links": Mapping[str, str], "Problem": errors.ProblemError, "FieldError": FieldProblem, "Verdict": Verdict}
#: Fields that only the frames of a socket have.
FRAME_FIELDS: Mapping[type[Model], set[str]] = {orders.Update: {"order_id", "user_id"}}
OF_SCHEMA = {name: model for model, names in MODELS.items() for name in names}


def test_every_model_has_a_schema() -> None:
    # A dataclass with slots is made twice, so classes are compared by name.
    assert {model.__name__ for model in MODELS} == {model.__name__ for model in Model.__subclasses__()}


def test_every_schema_of_an_answer_has_a_model() -> None:
    todo, seen = [operation["responses"] for _, _, operation in operations()], set()
    while todo:
        node = todo.pop()
        if isinstance(node, list):
            todo.extend(node)
        elif isinstance(node, dict):
            name = str(node.get("$ref", "")).removeprefix("#/components/schemas/")
            if name in SCHEMAS and name not in seen and not name.endswith("Meta"):
                seen.add(name)
                todo.append(SCHEMAS[name])
            todo.extend(value for key, value in node.items() if key != "$ref")
    objects = {name for name in seen if "properties" in SCHEMAS[name]}
    assert objects - {"Event"} <= set(OF_SCHEMA) | set(PLAIN)
    assert len(objects) > 30


def hint_of(schema: Mapping[str, Any]) -> Any:
    """The type that a field of this schema has in a model."""
    if name := schema.get("$ref", "").rpartition("/")[2]:
        return OF_SCHEMA.get(name) or PLAIN.get(name) or hint_of(SCHEMAS[name])
    kinds = schema.get("type")
    if isinstance(kinds, list):
        return hint_of({**schema, "type": next(one for one in kinds if one != "null")}) | None
    choices = schema.get("anyOf", [])
    if {"type": "null"} in choices:
        [choice] = [one for one in choices if one != {"type": "null"}]
        return hint_of(choice) | None
    if choices:
        hints = {SCHEMAS.get(one.get("$ref", "").rpartition("/")[2], one)["type"] for one in choices}
        return {"object": Mapping[str, Any], "string": str}[hints.pop()] if len(hints) == 1 else Any
    if kinds == "array":
        return tuple[hint_of(schema["items"]), ...]  # type: ignore[misc]
    if kinds == "object":
        return Mapping[str, hint_of(schema.get("additionalProperties") or {})]  # type: ignore[misc]
    if kinds == "string":
        is_amount = schema.get("pattern") == "^[0-9]{1,20}$"
        return Decimal if is_amount else datetime if schema.get("format") == "date-time" else str
    return {"number": Decimal, "integer": int, "boolean": bool}.get(str(kinds), Any)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_a_model_has_every_field_of_its_schema(model: type[Model]) -> None:
    hints = get_type_hints(model)
    mine = {one.metadata.get(Model.WIRE, camel(one.name)): one for one in fields(model) if one.name != "raw"}
    properties: dict[str, Any] = {}
    for name in MODELS[model]:
        properties |= SCHEMAS[name]["properties"]
    extra = {one.name for name, one in mine.items() if name not in properties}
    assert set(properties) <= set(mine)
    assert extra == FRAME_FIELDS.get(model, set())
    for name, schema in properties.items():
        one, expected = mine[name], hint_of(schema)
        is_optional = any(name not in SCHEMAS[other].get("required", []) for other in MODELS[model])
        has_default = one.default is not MISSING or one.default_factory is not MISSING
        assert has_default == is_optional, name
        # What may be missing is None, or empty, in the model.
        if has_default and one.default is None:
            expected = expected | None
        assert plain(hints[one.name]) == plain(expected), name


def plain(hint: Any) -> Any:
    """A type in comparable form: the order of a union does not count."""
    if get_origin(hint) is Union or NoneType in get_args(hint):
        return frozenset(map(plain, get_args(hint)))
    return hint


@pytest.mark.parametrize("name", ["orderUpdate", "coarseOrderUpdate"])
def test_a_frame_of_an_order_has_the_fields_of_an_update(name: str) -> None:
    payload = ASYNCAPI["components"]["messages"][name]["payload"]
    mine = {one.metadata.get(Model.WIRE, camel(one.name)) for one in fields(orders.Update) if one.name != "raw"}
    assert mine <= set(payload["properties"])
    assert set(payload["properties"]) - mine <= {"type", "detailedStatus"}
