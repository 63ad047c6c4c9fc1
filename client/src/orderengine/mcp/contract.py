"""The operations of ``openapi.json`` that become tools."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

Json: TypeAlias = Mapping[str, Any]

#: Documents, tickets and the page for browsers are of no use to an agent, which has the tools and ``waitForOrder``.
_SKIPPED_TAGS = {"Contract", "Page", "Streams"}
#: One parameter has no effect, and one is for server-sent events.
_SKIPPED_PARAMETERS = {"upgrade", "Last-Event-ID"}
#: The parameters that make a write safe to repeat.
GUARDS = {"Idempotency-Key", "If-Match"}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a request. ``name`` is that of the tool's argument, ``wire`` that of the contract."""

    name: str
    wire: str
    place: str
    required: bool
    schema: Json


@dataclass(frozen=True, slots=True)
class Operation:
    """A call of the contract. ``body`` is the schema of its body, without references."""

    name: str
    method: str
    path: str
    summary: str
    description: str
    parameters: tuple[Parameter, ...]
    body: Json | None
    scopes: frozenset[str]

    @property
    def is_write(self) -> bool:
        """Whether it changes anything: a preview is a POST that needs no right but to read."""
        return self.method != "GET" and self.scopes != {"read"}

    @property
    def guard(self) -> Parameter | None:
        return next((one for one in self.parameters if one.wire in GUARDS), None)

    @property
    def is_repeatable(self) -> bool:
        """Whether a repeat changes nothing: it is a read, has a guard, or cancels one order, which it does once."""
        cancels_one = self.method == "DELETE" and any(one.place == "path" for one in self.parameters)
        return not self.is_write or self.guard is not None or cancels_one


def operations(document: Json) -> dict[str, Operation]:
    """The operations that become tools, by their names. A second path to the same operation is left out."""
    found: dict[str, Operation] = {}
    seen: list[tuple[Any, ...]] = []
    for path, methods in document["paths"].items():
        for method, described in methods.items():
            if method not in ("get", "post", "patch", "delete") or _SKIPPED_TAGS & set(described.get("tags", ())):
                continue
            same = (method, described.get("requestBody"), described["responses"])
            if described.get("requestBody") and same in seen:
                continue
            seen.append(same)
            operation = _operation(document, path, method, described)
            found[operation.name] = operation
    return found


def _operation(document: Json, path: str, method: str, described: Json) -> Operation:
    return Operation(
        name=described["operationId"],
        method=method.upper(),
        path=path,
        summary=described.get("summary", ""),
        description=described.get("description", ""),
        parameters=tuple(_parameters(document, described)),
        body=_body(document, described),
        scopes=frozenset(
            scope for one in described.get("security", ()) for scopes in one.values() for scope in scopes
        ),
    )


def _parameters(document: Json, described: Json) -> Iterator[Parameter]:
    for reference in described.get("parameters", ()):
        one = inlined(document, reference)
        if one["name"] not in _SKIPPED_PARAMETERS:
            schema = {**one.get("schema", {}), "description": one.get("description", "")}
            yield Parameter(_argument(one["name"]), one["name"], one["in"], one.get("required", False), schema)


def _argument(wire: str) -> str:
    """``Idempotency-Key`` becomes ``idempotencyKey``; names in camel case stay."""
    first, *rest = wire.split("-")
    return first[0].lower() + first[1:] + "".join(rest)


def _body(document: Json, described: Json) -> Json | None:
    content = described.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return None
    examples = [inlined(document, one)["value"] for one in content.get("examples", {}).values()]
    schema: dict[str, Any] = inlined(document, content["schema"])
    return {**schema, "examples": examples} if examples else schema


def inlined(document: Json, value: Any, path: tuple[str, ...] = ()) -> Any:
    """A part of the document with every reference replaced by what it refers to.

    :raises ValueError: for a reference to itself.
    """
    if isinstance(value, list):
        return [inlined(document, one, path) for one in value]
    if not isinstance(value, Mapping):
        return value
    reference = value.get("$ref")
    if not isinstance(reference, str):
        return {name: inlined(document, one, path) for name, one in value.items()}
    if reference in path:
        raise ValueError(f"{reference} refers to itself")
    target: Any = document
    for part in reference.removeprefix("#/").split("/"):
        target = target[part.replace("~1", "/").replace("~0", "~")]
    beside = {name: one for name, one in value.items() if name != "$ref"}
    return {**inlined(document, target, (*path, reference)), **inlined(document, beside, path)}
