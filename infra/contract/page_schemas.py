"""Schemas as tables: a row for each field, with its type in words."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from infra.contract.markup import Html, element, join
from infra.contract.page_documents import Document, Json, schema_name
from infra.contract.page_text import code, inline, link, table
from infra.contract.page_unions import NULL, Union, union_of

_FORMATS = {"date-time": "time (RFC 3339)", "uuid": "UUID", "uri": "address"}
#: The least and the most, and how they are written; the first form whose bounds are all given is taken.
_BOUNDS = (
    (("minLength", "maxLength"), "{} to {} characters"),
    (("maxLength",), "at most {} characters"),
    (("minimum", "maximum"), "{} to {}"),
    (("minimum",), "{} or more"),
    (("exclusiveMinimum",), "more than {}"),
)
#: An object with fewer fields is repeated where it is part of another.
MIN_SHARED_FIELDS = 10


@dataclass(frozen=True, slots=True)
class Schemas:
    """The schemas of the documents. Those of ``shared`` have sections; the others are shown where they are used."""

    document: Document
    shared: Mapping[str, Json]

    def fields(self, caption: str, schema: Json) -> Html:
        """The tables of an object's fields, or a sentence for a schema of another kind or with its own section."""
        if self._shared_name(schema):
            return element("p", f"{caption}: ", self.type_of(schema), ".")
        return self.described(caption, schema)

    def described(self, caption: str, schema: Json) -> Html:
        """The tables of an object's fields, one for each kind unless the kinds have names."""
        union = union_of(self.document, schema)
        if union is None:
            return element("p", f"{caption}: ", self.type_of(schema), ".")
        if union.is_named:
            return self._beyond_shared(caption, union) or self._table(caption, union)
        parts = union.members.values()
        return join((self._table(part.get("description", caption), Union({"": part})) for part in parts), "\n")

    def _beyond_shared(self, caption: str, union: Union) -> Html | None:
        """The fields that an object has beyond those of a large shared one."""
        for name, schema in self.shared.items():
            known = union_of(self.document, schema)
            rest = union.beyond(known) if known and len(known.names) >= MIN_SHARED_FIELDS else None
            if rest and rest.names:
                heading = element("p", "The fields of ", link(f"#schema-{name}", name), ", and:")
                return join([heading, self._table(caption, rest)])
        return None

    def _table(self, caption: str, union: Union) -> Html:
        rows = list(self._rows(union, ""))
        if not rows:
            return element("p", inline(caption), " No fields.")
        return table(inline(caption), ("Field", "Meaning"), rows)

    def meaning(self, schema: Json, text: str = "") -> Html:
        """The type in words, the default, and the description."""
        default = f", default {json.dumps(schema['default'])}" if "default" in schema else ""
        kind = element("i", self.type_of(schema), default)
        return join([kind, inline(text or schema.get("description", ""))])

    def type_of(self, schema: Json) -> Html:
        if name := self._shared_name(schema):
            return link(f"#schema-{name}", name)
        schema = self.document.resolve(schema)
        if "const" in schema:
            return code(json.dumps(schema["const"]))
        if "enum" in schema:
            return join([join(map(code, map(json.dumps, schema["enum"])), ", ")])
        options = schema.get("anyOf", schema.get("oneOf")) if "properties" not in schema else None
        return self._either(options) if options else self._plain(schema)

    def _either(self, options: list[Json]) -> Html:
        if {"number", "string"} <= {option.get("type") for option in options}:
            # The form of a decimal, whose pattern says no more than that.
            numbers = [option for option in options if option.get("type") == "number"]
            options = [{**numbers[0], "type": "number or decimal text"}, *(one for one in options if one == NULL)]
        return join(dict.fromkeys(map(self.type_of, options)), " or ")

    def _plain(self, schema: Json) -> Html:
        kind = schema.get("type", "object" if "properties" in schema else "any value")
        if isinstance(kind, list):
            return join([self._plain({**schema, "type": one}) for one in kind], " or ")
        if kind == "array":
            return join(["list of ", self.type_of(schema["items"])])
        if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
            return join(["object whose values are ", self.type_of(schema["additionalProperties"])])
        if kind == "null":
            return join(["null"])
        named = _FORMATS.get(schema.get("format", ""), "text" if kind == "string" else str(kind))
        return join([", ".join([named, *_bounds(schema)])])

    def _rows(self, union: Union, prefix: str) -> Iterator[tuple[Html, Html]]:
        for name in union.names:
            field = union.field(name)
            notes = (element("small", f" {note}") for note in union.notes(name))
            yield join([code(prefix + name), *notes]), self.meaning(field)
            inner, mark = self._inner(field)
            if inner is not None:
                yield from self._rows(inner, f"{prefix}{name}{mark}.")

    def _inner(self, field: Json) -> tuple[Union | None, str]:
        """The object that the field holds, and how its fields are named after it; None for a shared object."""
        options = [option for option in field.get("anyOf", [field]) if option != NULL]
        if len(options) != 1 or self._shared_name(options[0]):
            return None, ""
        only = self.document.resolve(options[0])
        if "items" in only:
            inner, mark = self._inner(only["items"])
            return inner, f"[]{mark}"
        if isinstance(values := only.get("additionalProperties"), dict):
            inner, mark = self._inner(values)
            return inner, f".*{mark}"
        return (Union({"": only}), "") if "properties" in only else (None, "")

    def _shared_name(self, schema: Json) -> str | None:
        union = None if schema_name(schema) else union_of(self.document, schema)
        name = schema_name(schema) or (union.name if union else None)
        return name if name in self.shared else None


def _bounds(schema: Json) -> list[str]:
    for names, words in _BOUNDS:
        if schema.keys() >= set(names):
            return [words.format(*(schema[name] for name in names))]
    return []
