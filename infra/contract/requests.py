"""The JSON schemas of requests, made from the pydantic models of ``chalicelib.api.requests``.

Pydantic knows the fields, their bounds and their defaults. ``forms`` adds the rules of validators, and this module
the second names of fields and null, which counts as absent everywhere.
"""

from collections.abc import Collection, Mapping

from pydantic import AliasChoices
from pydantic.json_schema import model_json_schema

from chalicelib.api.requests.fields import RequestModel
from infra.contract.answers import Schema
from infra.contract.forms import REQUEST_FORMS
from infra.contract.words import words_of

#: What pydantic writes about a field and a client does not need.
_NOISE = {"title", "default", "ge", "le", "description"}


def request_name(model: type[RequestModel]) -> str:
    """The name of a model in the documents."""
    return model.__name__.removesuffix("Model") + "Request"


def properties_of(model: type[RequestModel]) -> dict[str, Schema]:
    """The schema of each field by its name on the wire, without null.

    :raises UndescribedError: for a field without words.
    """
    whole = model_json_schema(model, by_alias=True)
    definitions: Mapping[str, Schema] = whole.get("$defs", {})
    found: dict[str, Schema] = {}
    for field, written in whole["properties"].items():
        schema = _without_null(written)
        if "$ref" in schema:
            schema = definitions[schema["$ref"].rpartition("/")[2]]
        kept = {name: value for name, value in schema.items() if name not in _NOISE}
        form = REQUEST_FORMS.get(f"{request_name(model)}.{field}", REQUEST_FORMS.get(field))
        if form is not None:
            kept = {**form, **(kept if "type" in form else {}), **({"type": form["type"]} if "type" in form else {})}
        default = written.get("default")
        found[field] = {
            **kept,
            **({} if default in (None, "") else {"default": default}),
            "description": words_of(request_name(model), field),
        }
    return found


def required_of(model: type[RequestModel]) -> list[str]:
    """The names of the fields that a request must have."""
    return list(model_json_schema(model, by_alias=True).get("required", []))


def second_names(model: type[RequestModel]) -> dict[str, str]:
    """The second name of each field that has one."""
    aliases = {name: field.validation_alias for name, field in model.model_fields.items()}
    return {
        str(alias.choices[0]): str(alias.choices[1]) for alias in aliases.values() if isinstance(alias, AliasChoices)
    }


def body_schema(
    model: type[RequestModel],
    description: str = "",
    *,
    without: Collection[str] = (),
    required: Collection[str] = (),
    values: Mapping[str, Schema] | None = None,
) -> Schema:
    """A JSON object with the fields of a model.

    ``without`` are fields that it cannot have, ``required`` further fields that it must have, ``values`` schemas that
    replace those of fields.
    """
    properties = {name: schema for name, schema in properties_of(model).items() if name not in without}
    properties |= values or {}
    needed = [name for name in properties if name in {*required_of(model), *required}]
    aliases = {name: other for name, other in second_names(model).items() if name in properties}
    rules: list[Schema] = []
    for name, other in aliases.items():
        names = [given(name), given(other)]
        rules.append({"oneOf": names} if name in needed else {"not": {"allOf": names}})
        properties[other] = {**properties[name], "description": f"Another name of {name}."}
    # Null counts as absent in these too.
    nulls = {*without, *(other for name, other in second_names(model).items() if name in without)}
    properties |= {name: {"type": "null", "description": "Not for this type."} for name in sorted(nulls)}
    needed = [name for name in needed if name not in aliases]
    return {
        "type": "object",
        "description": description or " ".join((model.__doc__ or "").replace("``", "").split()),
        "properties": {name: schema if name in needed else _or_null(schema) for name, schema in properties.items()},
        "required": needed,
        **({"allOf": rules} if rules else {}),
        # A feed may have fields of its own.
        **({} if model.model_config.get("extra") == "ignore" else {"additionalProperties": False}),
    }


def given(name: str) -> Schema:
    """The rule that a field is given, and not as null."""
    return {"required": [name], "properties": {name: {"not": {"type": "null"}}}}


def _without_null(schema: Schema) -> Schema:
    options = [option for option in schema.get("anyOf", [schema]) if option.get("type") != "null"]
    return options[0] if len(options) == 1 else {"anyOf": options}


def _or_null(schema: Schema) -> Schema:
    """The schema of a field that may be absent, and that null leaves out too."""
    if schema.get("type") == "null":
        return schema
    if isinstance(kind := schema.get("type"), str) and "enum" not in schema and "const" not in schema:
        return {**schema, "type": [kind, "null"]}
    words: Schema = {name: schema[name] for name in ("description", "default") if name in schema}
    rest = {name: value for name, value in schema.items() if name not in words}
    return {**words, "anyOf": [*rest.get("anyOf", [rest]), {"type": "null"}]}
