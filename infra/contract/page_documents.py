"""What the reference reads out of the OpenAPI and the AsyncAPI document, which it takes as one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from infra.errors import InfraError

Json = dict[str, Any]

#: The methods of an OpenAPI path item that the reference shows. ``HEAD`` answers as ``GET`` does, without a body.
_METHODS = ("get", "post", "put", "patch", "delete")
_SCHEMAS = "#/components/schemas/"


class ConflictError(InfraError):
    """The two documents contradict one another."""


@dataclass(frozen=True, slots=True)
class Call:
    """An operation of the OpenAPI document."""

    method: str
    path: str
    operation: Json

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def id(self) -> str:
        return str(self.operation["operationId"])


@dataclass(frozen=True, slots=True)
class Example:
    """A value of a parameter, body, answer or frame, and what it is an example of."""

    title: str
    value: Any


@dataclass(frozen=True, slots=True)
class Document:
    """Both documents in one, whose references are all local."""

    root: Json

    def resolve(self, node: Json) -> Json:
        """The node, or the target of its reference."""
        while "$ref" in node:
            target: Any = self.root
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part.replace("~1", "/").replace("~0", "~")]
            node = target
        return node

    @property
    def schemas(self) -> Json:
        return dict(self.root["components"]["schemas"])

    def calls(self) -> Iterator[Call]:
        for path, item in self.root["paths"].items():
            yield from (Call(method.upper(), path, item[method]) for method in _METHODS if method in item)

    def parameters(self, call: Call, place: str) -> list[Json]:
        """The parameters in ``path``, ``query`` or ``header``."""
        found = [self.resolve(parameter) for parameter in call.operation.get("parameters", [])]
        return [parameter for parameter in found if parameter["in"] == place]

    def body(self, call: Call) -> Json:
        """The media type of the request's JSON, empty for a call without a body."""
        content = self.resolve(call.operation.get("requestBody", {})).get("content", {})
        return dict(content.get("application/json", {}))

    def answers(self, call: Call, *, errors: bool) -> list[tuple[str, Json]]:
        """The responses by their status, only the problems or only the others."""
        return [
            (status, self.resolve(response))
            for status, response in call.operation["responses"].items()
            if (status >= "400") is errors
        ]


def merged(openapi: Json, asyncapi: Json) -> Document:
    """Both documents as one.

    :raises ConflictError: if they describe one schema differently.
    """
    http, stream = openapi["components"], asyncapi["components"]
    both = http["schemas"].keys() & stream["schemas"].keys()
    if differing := sorted(name for name in both if http["schemas"][name] != stream["schemas"][name]):
        raise ConflictError(f"openapi.json and asyncapi.json differ on {', '.join(differing)}.")
    components = {kind: {**stream.get(kind, {}), **http.get(kind, {})} for kind in {**http, **stream}}
    about = {"x-stream-description": asyncapi["info"]["description"]}
    return Document({**asyncapi, **openapi, **about, "components": components})


def examples_of(node: Json) -> list[Example]:
    """The examples of a parameter, media type or message."""
    if "example" in node:
        return [Example("Example", node["example"])]
    named = node.get("examples", {})
    if isinstance(named, Mapping):
        return [Example(example.get("summary", name), example["value"]) for name, example in named.items()]
    return [Example(example.get("summary", "Example"), example["payload"]) for example in named]


def schema_name(node: Json) -> str | None:
    """The name of the schema that the node refers to."""
    ref = str(node.get("$ref", ""))
    return ref.removeprefix(_SCHEMAS) if ref.startswith(_SCHEMAS) else None


def codes_of(response: Json) -> list[str]:
    """The error codes of a problem."""
    schema: Json = response.get("content", {}).get("application/problem+json", {}).get("schema", {})
    return list(schema.get("properties", {}).get("code", {}).get("enum", []))
