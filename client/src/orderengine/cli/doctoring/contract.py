"""The engine's contract against this client: fields that only one of them knows."""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from orderengine import Client, errors
from orderengine.cli.doctoring.check import Check, State
from orderengine.core.answers import json_object
from orderengine.models import engine, explanations, orders, quotes
from orderengine.models.reading import Model, camel

#: The schemas of the contract that a client reads, and the class that reads each.
READ_BY: Mapping[str, type[Model]] = {
    "Accepted": orders.Accepted,
    "OrderRecord": orders.Order,
    "OrderStatus": orders.OrderStatus,
    "Event": orders.Update,
    "Cancellation": orders.Cancellation,
    "Cancellations": orders.Cancellations,
    "List": orders.Page,
    "Preview": quotes.Preview,
    "Quote": quotes.Quote,
    "Explanation": explanations.Explanation,
    "Replay": explanations.Replay,
    "Stats": engine.Stats,
    "Health": engine.Health,
    "Token": engine.Token,
    "Ticket": engine.Ticket,
}
_NOT_IN_ANSWERS = {"raw"}
_ADDED_BY_CLIENT = {"Update": {"orderId", "userId"}}


def compare(client: Client) -> Iterator[Check]:
    try:
        document = json_object(client.request("GET", "/openapi.json"))
        schemas = document["components"]["schemas"]
        version = document["info"]["version"]
    except (errors.OrderEngineError, KeyError, TypeError) as error:
        reason = error if isinstance(error, errors.OrderEngineError) else "it has not the form of OpenAPI"
        advice = "another service may answer at this address"
        yield Check("contract", State.FAIL, f"/openapi.json cannot be read: {reason}", advice)
        return
    new, gone = differences(schemas)
    if gone:
        advice = "the client is newer than the engine or older by far: install the version that fits the engine"
        yield Check("contract", State.FAIL, f"version {version} lacks {', '.join(gone)}", advice)
    elif new:
        advice = "nothing breaks; a newer client has names for them (they are in .raw and in --json)"
        yield Check("contract", State.WARN, f"version {version} has {', '.join(new)}, which are new here", advice)
    else:
        yield Check("contract", State.OK, f"version {version}; this client knows every field")


def differences(schemas: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """The fields that only the contract knows, and those that the client needs and the contract lacks."""
    new: list[str] = []
    gone: list[str] = []
    for name, kind in READ_BY.items():
        there = set(schemas.get(name, {}).get("properties", {}))
        known, needed = _known(kind)
        new += [f"{name}.{one}" for one in sorted(there - known)]
        gone += [f"{name}.{one}" for one in sorted(needed - there)] if name in schemas else [name]
    return new, gone


def _known(kind: type[Model]) -> tuple[set[str], set[str]]:
    read = [one for one in fields(kind) if one.name not in _NOT_IN_ANSWERS]
    names = {one.name: one.metadata.get(Model.WIRE, camel(one.name)) for one in read}
    needed = {names[one.name] for one in read if one.default is one.default_factory}
    return set(names.values()), needed - _ADDED_BY_CLIENT.get(kind.__name__, set())
