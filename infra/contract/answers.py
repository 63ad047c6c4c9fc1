"""The JSON schemas of answers and frames, made from the TypedDicts of ``chalicelib.api``."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Literal, TypeAlias, Union, get_args, get_origin, get_type_hints

from infra.contract.codes import described
from infra.contract.errors import UndescribedError
from infra.contract.forms import ANSWER_FORMS, Form
from infra.contract.model_words import model_words
from infra.contract.words import words_of

Schema: TypeAlias = dict[str, Any]

_SCALARS: dict[Any, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    # The engine writes a Decimal as a JSON number, with every digit.
    Decimal: {"type": "number"},
    Any: {},
}

#: The names of models whose own, without its suffix, is that of an enumeration.
_NAMES = {"StatusBody": "OrderStatus"}


def wire_name(model: type) -> str:
    """The name of a model in the documents."""
    return _NAMES.get(model.__name__) or model.__name__.removesuffix("Body").removesuffix("Frame")


class Components:
    """The schemas that a document refers to. Each model and each enumeration is there once."""

    def __init__(self) -> None:
        self.schemas: dict[str, Schema] = {}
        self._kinds: dict[str, type] = {}
        self._extensions: dict[str, Mapping[str, Schema]] = {}

    def extend(self, model: type, properties: Mapping[str, Schema]) -> None:
        """Give a model optional properties whose names the deployment decides."""
        self._extensions[wire_name(model)] = properties

    def add(self, name: str, schema: Schema) -> Schema:
        """Add a schema under this name, and return the reference to it."""
        self.schemas[name] = schema
        return {"$ref": f"#/components/schemas/{name}"}

    def refer(self, kind: type) -> Schema:
        """Return a reference to the schema of a TypedDict or an enumeration; of ``dict`` and ``str`` the type.

        :raises UndescribedError: for a field or a code without words.
        """
        if kind in (dict, str):
            return {"type": "object" if kind is dict else "string"}
        name = wire_name(kind)
        if name not in self._kinds:
            self._kinds[name] = kind
            self.schemas[name] = described(kind) if issubclass(kind, Enum) else self.whole(kind)
        elif self._kinds[name] is not kind:
            raise UndescribedError(f"infra/contract/answers.py: two models have the name {name}.")
        return {"$ref": f"#/components/schemas/{name}"}

    def whole(self, model: type) -> Schema:
        """Return the schema of a TypedDict itself.

        :raises UndescribedError: for a field without words.
        """
        name = wire_name(model)
        properties = {
            field: {**self._schema(hint, name, field), "description": words_of(name, field)}
            for field, hint in get_type_hints(model).items()
        }
        properties |= self._extensions.get(name, {})
        # The attribute of every TypedDict, which the type of types lacks.
        required: frozenset[str] = model.__required_keys__  # type: ignore[attr-defined]
        return {
            "type": "object",
            "description": model_words(name, model),
            "properties": properties,
            "required": [field for field in properties if field in required],
        }

    def _schema(self, hint: Any, model: str, field: str) -> Schema:
        form = ANSWER_FORMS.get(f"{model}.{field}")
        members = [member for member in _members(hint) if member is not NoneType]
        if form is not None:
            found = self._formed(form)
        elif len(members) == 1:
            found = self._one(members[0], model, field)
        else:
            found = {"anyOf": [self._one(member, model, field) for member in members]}
        return _nullable(found) if NoneType in _members(hint) else found

    def _one(self, hint: Any, model: str, field: str) -> Schema:
        origin, arguments = get_origin(hint), get_args(hint)
        if origin is Literal:
            return {"type": "string", "enum": list(arguments)}
        if origin in (list, tuple):
            return {"type": "array", "items": self._schema(arguments[0], model, f"{field}[]")}
        if origin in (dict, Mapping):
            return {"type": "object", "additionalProperties": self._schema(arguments[1], model, f"{field}{{}}")}
        if hint in _SCALARS:
            form = ANSWER_FORMS.get(field)
            return self._formed(form) if form is not None and _fits(form, hint) else dict(_SCALARS[hint])
        return self.refer(hint)

    def _formed(self, form: Form) -> Schema:
        if isinstance(form, tuple):
            return {"anyOf": [self._formed(one) for one in form]}
        return dict(form) if isinstance(form, dict) else self.refer(form)


def _fits(form: Form, hint: Any) -> bool:
    """Whether the form of a field's name is about values of this type: ``status`` is a text or a number."""
    kind = form["type"] if isinstance(form, dict) else "string"
    return bool(_SCALARS[hint].get("type") == kind)


def _members(hint: Any) -> Iterable[Any]:
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)


def _nullable(schema: Schema) -> Schema:
    if "enum" not in schema and isinstance(kind := schema.get("type"), str):
        return {**schema, "type": [kind, "null"]}
    return {"anyOf": [schema, {"type": "null"}]}
