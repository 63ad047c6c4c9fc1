"""Objects of several kinds, and which schemas are shown once for all the places that use them."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from infra.contract.page_documents import Document, Json, schema_name

NULL: Json = {"type": "null"}
#: A larger enumeration has a section of its own.
MAX_SHOWN_VALUES = 12


@dataclass(frozen=True, slots=True)
class Union:
    """Objects by their kinds; an object that is no union is its own only member.

    ``is_named``: each kind has its name in the field ``type``, so that one table can show them all. ``name`` is what
    the names of the members end with: OrderRequest of MarketOrderRequest and LimitOrderRequest.
    """

    members: Mapping[str, Json]
    is_named: bool = True
    name: str | None = None

    @property
    def names(self) -> list[str]:
        """The names of all fields."""
        return list(dict.fromkeys(name for member in self.members.values() for name in member["properties"]))

    def beyond(self, other: "Union") -> "Union | None":
        """This object without the fields of another; None if it lacks one of them or has another form of it."""
        if self.members.keys() != other.members.keys():
            return None
        rest = {}
        for kind, member in self.members.items():
            fields, known = member["properties"], other.members[kind]["properties"]
            if any(fields.get(name) != field for name, field in known.items()):
                return None
            left = {name: field for name, field in fields.items() if name not in known}
            rest[kind] = {**member, "properties": left}
        return Union(rest, self.is_named)

    def _having(self, name: str) -> dict[str, Json]:
        return {kind: member for kind, member in self.members.items() if name in member["properties"]}

    def field(self, name: str) -> Json:
        """The schema of a field: the union of its constants, or the first member's.

        Null counts as absent in a request, so the type of an optional field does not show it.
        """
        having = self._having(name)
        fields = [member["properties"][name] for member in having.values()]
        if len(constants := list(dict.fromkeys(found for field in fields for found in _constants(field)))) > 1:
            return {"description": fields[0].get("description", ""), "enum": constants}
        closed = all(member.get("additionalProperties") is False for member in having.values())
        return _without_null(fields[0]) if closed else fields[0]

    def notes(self, name: str) -> list[str]:
        """Which kinds of a request need the field, and which have it; or that an answer may lack it."""
        having = self._having(name)
        needing = [kind for kind, member in having.items() if name in member.get("required", [])]
        is_request = all(member.get("additionalProperties") is False for member in having.values())
        if len(needing) == len(self.members):
            return ["required"] if is_request else []
        if others := [other for member in having.values() for other in _alternatives(member, name)]:
            return [f"this or {' or '.join(dict.fromkeys(others))}"]
        if not is_request and not needing:
            return ["optional"]
        only = [f"only {', '.join(having)}"] if len(having) < len(self.members) and list(having) != needing else []
        return [*([f"required for {', '.join(needing)}"] if needing else []), *only]


def union_of(document: Document, schema: Json) -> Union | None:
    """The kinds of an object; None for a schema of another type."""
    schema = document.resolve(schema)
    if "properties" in schema:
        return Union({"": schema})
    options: list[Json] = schema.get("oneOf") or schema.get("anyOf") or []
    resolved = [_without_excluded(document.resolve(option)) for option in options]
    if not resolved or any("properties" not in option for option in resolved):
        return None
    kinds = [constants for option in resolved for constants in _constants(option["properties"].get("type", {}))]
    if len(set(kinds)) == len(resolved):
        return Union(dict(zip(kinds, resolved, strict=True)), name=_common_end(options))
    return Union({str(index): option for index, option in enumerate(resolved)}, False, _common_end(options))


def _without_excluded(schema: Json) -> Json:
    """The object without the fields that its kind cannot have, which the schema allows as null alone."""
    if "properties" not in schema:
        return schema
    fields = {name: field for name, field in schema["properties"].items() if field.get("type") != "null"}
    return {**schema, "properties": fields}


def shared_schemas(document: Document) -> dict[str, Json]:
    """The objects and unions that several places refer to, and the enumerations whose values have meanings."""
    nodes = list(_nodes({**document.root, "paths": [call.operation for call in document.calls()]}))
    used = Counter(name for node in nodes if (name := schema_name(node)))
    times: Counter[str] = Counter()
    unions: dict[str, Json] = {}
    for node in nodes:
        options = node.get("oneOf", node.get("anyOf"))
        # A field may have the name of a keyword.
        if isinstance(options, list) and (name := _common_end(options)) and union_of(document, {"oneOf": options}):
            times[name] += 1
            unions[name] = {"oneOf": options}
            used.subtract(str(schema_name(option)) for option in options)
    found = {name: node for name, node in unions.items() if times[name] > 1}
    for name, schema in document.schemas.items():
        is_large = "x-enum-descriptions" in schema or len(schema.get("enum", ())) > MAX_SHOWN_VALUES
        if is_large or (used[name] > 1 and union_of(document, schema)):
            found[name] = schema
    return dict(sorted(found.items()))


def _common_end(options: list[Json]) -> str | None:
    """The words that the names of all options end with; None for options without names."""
    words = [re.findall("[A-Z][a-z]*", schema_name(option) or "")[::-1] for option in options]
    shared = takewhile(lambda found: len(set(found)) == 1, zip(*words, strict=False))
    return "".join(found[0] for found in [*shared][::-1]) or None if len(options) > 1 else None


def _constants(field: Json) -> list[Any]:
    return [option["const"] for option in field.get("anyOf", [field]) if "const" in option]


def _alternatives(member: Json, name: str) -> list[str]:
    """The fields of which an object must have one, if this field is one of them; without this field."""
    rules = [member, *member.get("allOf", [])]
    choices = [[name for option in rule.get("oneOf", []) for name in option.get("required", [])] for rule in rules]
    return [other for choice in choices if name in choice for other in choice if other != name]


def _without_null(field: Json) -> Json:
    if isinstance(field.get("type"), list):
        return {**field, "type": field["type"][0]}
    return {**field, "anyOf": [option for option in field["anyOf"] if option != NULL]} if "anyOf" in field else field


def _nodes(value: Any) -> Iterator[Json]:
    if isinstance(value, dict):
        yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _nodes(part)
