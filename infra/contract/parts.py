"""The parts of a document that clients rely on, each with a place that a person can name."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Part:
    """A call, an answer, a message, a parameter or a field.

    ``is_input``: clients send it. ``values`` are those of its enumeration, ``types`` its JSON types; empty is any.
    """

    place: str
    parent: str = ""
    is_input: bool = False
    required: bool = False
    values: frozenset[str] = frozenset()
    types: frozenset[str] = frozenset()


def parts_of(document: Document) -> Iterator[Part]:
    """The parts of an OpenAPI or an AsyncAPI document, parents first."""
    for path, item in document.get("paths", {}).items():
        for method, operation in item.items():
            yield from _operation(document, f"{method.upper()} {path}", operation)
    for channel in document.get("channels", {}).values():
        place = f"channel {channel['address']}"
        yield Part(place)
        yield from _fields(document, place, channel["bindings"]["ws"]["query"], is_input=True)
    received = {
        reference["$ref"].rpartition("/")[2]
        for operation in document.get("operations", {}).values()
        if operation["action"] == "receive"
        for reference in operation["messages"]
    }
    for name, message in document.get("components", {}).get("messages", {}).items():
        yield Part(f"message {name}")
        yield from _fields(document, f"message {name}", message["payload"], is_input=name in received)


def _operation(document: Document, place: str, operation: Document) -> Iterator[Part]:
    yield Part(place)
    for reference in operation["parameters"]:
        parameter = _resolved(document, reference)
        at = f"{place} {parameter['in']}.{parameter['name']}"
        yield _part(
            document, at, place, parameter["schema"], is_input=True, required=parameter.get("required", False)
        )
    body = operation.get("requestBody", {})
    if body:
        yield Part(f"{place} body", place, is_input=True, required=body["required"])
    for content in body.get("content", {}).values():
        yield from _fields(document, f"{place} body", content["schema"], is_input=True)
    for status, response in operation["responses"].items():
        yield Part(f"{place} {status}", place)
        for name in response.get("headers", {}):
            yield Part(f"{place} {status} header.{name}", f"{place} {status}")
        forms = [content["schema"] for content in response.get("content", {}).values()]
        yield from _fields(document, f"{place} {status}", {"anyOf": forms}, is_input=False)


def _fields(document: Document, place: str, schema: Document, *, is_input: bool) -> Iterator[Part]:
    """The fields of an object, however deep. A field of several alternatives is one, with the values of all."""
    objects = [one for one in _alternatives(document, schema) if "properties" in one]
    fields: dict[str, list[Document]] = {}
    for one in objects:
        for name, field in one["properties"].items():
            fields.setdefault(name, []).append(field)
    for name, forms in fields.items():
        required = all(name in one.get("required", ()) for one in objects)
        field = {"anyOf": forms}
        yield _part(document, f"{place}.{name}", place, field, is_input=is_input, required=required)
        yield from _fields(document, f"{place}.{name}", field, is_input=is_input)
    for one in _alternatives(document, schema):
        if "items" in one:
            yield from _fields(document, f"{place}[]", one["items"], is_input=is_input)


def _part(document: Document, place: str, parent: str, schema: Document, *, is_input: bool, required: bool) -> Part:
    values: set[str] = set()
    types: set[str] = set()
    for one in _alternatives(document, schema):
        values |= set(map(str, one.get("enum", [one["const"]] if "const" in one else [])))
        kind = one.get("type", [])
        types |= {kind} if isinstance(kind, str) else set(kind)
    return Part(place, parent, is_input, required, frozenset(values), frozenset(types))


def _alternatives(document: Document, schema: Document) -> Iterator[Document]:
    """The schema, and each of those of which a value is one."""
    whole = _resolved(document, schema)
    yield whole
    for kind in ("anyOf", "oneOf"):
        for one in whole.get(kind, ()):
            yield from _alternatives(document, one)


def _resolved(document: Document, schema: Document) -> Document:
    """The schema to which a reference leads, narrowed by what is beside the reference."""
    if "$ref" not in schema:
        return schema
    found: Any = document
    for name in schema["$ref"].removeprefix("#/").split("/"):
        found = found[name]
    beside = {name: part for name, part in schema.items() if name != "$ref"}
    properties = {**found.get("properties", {}), **beside.get("properties", {})}
    return {**found, **beside, **({"properties": properties} if properties else {})}
