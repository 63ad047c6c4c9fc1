"""The OpenAPI document: the routes of the app, joined with the words of ``calls``."""

import re
from collections.abc import Mapping
from typing import Any

from chalicelib import VERSION
from chalicelib.api.event_metas import QuotesReceivedMeta
from chalicelib.api.quotes import QuoteBody, RouteBody, quote_names
from chalicelib.api.responses.previews import PreviewBody
from chalicelib.simulation.venues import venue_names
from infra.contract.answers import Components, Schema
from infra.contract.bodies import request_bodies
from infra.contract.calls import OPERATIONS
from infra.contract.errors import UndescribedError
from infra.contract.examples import BODIES, QUERIES
from infra.contract.forms import TokenName
from infra.contract.headers import (
    RESPONSE_HEADERS,
    header_references,
    parameter_references,
    request_header_components,
)
from infra.contract.operations import Answer, Operation
from infra.contract.paths import path_parameter_components
from infra.contract.problems import ALWAYS, CLOSED, problem_responses
from infra.contract.requests import properties_of, required_of, second_names

Routes = Mapping[str, Mapping[str, Any]]

_PATH_PARAMETER = re.compile(r"\{(\w+)\}")

_DESCRIPTION = """Swap orders in, the best venue found, every status streamed.

JSON is UTF-8 and camelCase. Amounts and prices are accepted as JSON numbers or decimal strings in human units
(10 means 10 SOL), and are never rounded through a float; answers have them as JSON numbers with every digit,
and amounts also in base units as text. A price is quote per base, whichever way the swap goes. Times are RFC
3339 in UTC with milliseconds. A field that is null counts as absent. Unknown fields of a request are an error.
Answers may gain fields: ignore those that you do not know. Codes never change their meaning. Every GET answers
HEAD too."""

_TAGS = {
    "Orders": "Place, follow, amend and cancel orders.",
    "Market": "Tokens, quotes, and the feed of prices and launches.",
    "Streams": "Tickets for the status stream, which asyncapi.json describes.",
    "Engine": "The engine itself.",
    "Page": "The page that shows the engine at work, for browsers.",
    "Contract": "The contract in documents for machines.",
}


def openapi(routes: Routes) -> dict[str, Any]:
    """The document of these routes, as Chalice knows them.

    :raises UndescribedError: for a route, a field or a code without words.
    """
    components = answer_components()
    bodies = request_bodies(components)
    described = {(method, _path(route)): route for route, methods in routes.items() for method in methods}
    if missing := [f"{method} {path}" for method, path in described if (_read(method), path) not in OPERATIONS]:
        raise UndescribedError(f"infra/contract/calls.py: describe {', '.join(sorted(missing))}.")
    paths: dict[str, dict[str, Any]] = {}
    for method, path in sorted(described, key=_place):
        operation = OPERATIONS[_read(method), path]
        paths.setdefault(path, {})[method.lower()] = _operation(method, path, operation, components, bodies)
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "Order execution engine",
            "version": VERSION,
            "description": _DESCRIPTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/", "description": "The address that serves this document."}],
        "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(components.schemas.items())),
            "parameters": {
                **path_parameter_components(),
                **request_header_components(),
            },
            "headers": RESPONSE_HEADERS,
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API key or a JWT. The names of an operation's requirement are the scopes "
                    "that the credential must grant. A deployment without authentication takes every request.",
                }
            },
        },
    }


def answer_components() -> Components:
    """Components with the tokens of the registry, and in routes and previews the quote of each of its venues."""
    components = Components()
    components.refer(TokenName)
    quote = components.refer(QuoteBody)
    quotes = {
        name: {"description": f"The quote of {venue}; null without one.", "anyOf": [quote, {"type": "null"}]}
        for venue, name in quote_names(venue_names()).items()
    }
    for model in (RouteBody, PreviewBody, QuotesReceivedMeta):
        components.extend(model, quotes)
    return components


def _path(route: str) -> str:
    return route.replace("{order_id}", "{orderId}")


def _read(method: str) -> str:
    """The method whose operation describes a method."""
    return "GET" if method == "HEAD" else method


def _place(described: tuple[str, str]) -> tuple[int, int]:
    """Where an operation is in the document: as in ``OPERATIONS``, HEAD after GET."""
    method, path = described
    return list(OPERATIONS).index((_read(method), path)), method == "HEAD"


def _operation(
    method: str, path: str, operation: Operation, components: Components, bodies: Mapping[str, Schema]
) -> dict[str, Any]:
    is_head = method == "HEAD"
    codes = {*ALWAYS, *(CLOSED if operation.scope else ()), *operation.problems}
    responses = problem_responses(sorted(codes, key=lambda code: code.value), components)
    for status, answer in operation.answers.items():
        responses[str(status)] = _with_links(
            _answer(answer, responses.get(str(status)), components), operation, status
        )
    in_path = parameter_references(*_PATH_PARAMETER.findall(path))
    parameters = in_path + _query(operation) + parameter_references(*operation.headers)
    found: dict[str, Any] = {
        "operationId": f"head{operation.name[3:]}" if is_head else operation.name,
        "tags": [operation.tag],
        "summary": f"{operation.summary}: the headers alone" if is_head else operation.summary,
        "description": f"The headers that GET would have. {operation.text}" if is_head else operation.text,
        "security": [] if operation.scope is None else [{"bearer": [operation.scope.value]}],
        "parameters": parameters,
    }
    if operation.body:
        content = {"schema": bodies[operation.body], "examples": BODIES[operation.name]}
        found["requestBody"] = {"required": operation.body_required, "content": {"application/json": content}}
    found["responses"] = dict(sorted(responses.items()))
    return _without_bodies(found) if is_head else found


def _answer(answer: Answer, problem: Schema | None, components: Components) -> Schema:
    content: dict[str, Any] = dict(problem["content"]) if problem else {}
    if answer.body:
        schemas = [components.refer(model) for model in answer.body]
        schema = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
        streamed = {"text/event-stream": {"schema": {"type": "string"}}} if answer.is_streamed else {}
        content = {**{media: {"schema": schema} for media in answer.media}, **streamed, **content}
    headers = (problem["headers"] if problem else {}) | header_references(*answer.headers)
    return {"description": answer.text, "headers": headers, **({"content": content} if content else {})}


def _with_links(response: Schema, operation: Operation, status: int) -> Schema:
    if not operation.links or status >= 300:
        return response
    tag = {"header.If-Match": "$response.header.ETag"} if "ETag" in response["headers"] else {}
    links = {
        name: {
            "operationId": name,
            "parameters": {"path.orderId": expression, **(tag if name == "amendOrder" else {})},
        }
        for name, expression in operation.links.items()
    }
    return {**response, "links": links}


def _query(operation: Operation) -> list[dict[str, Any]]:
    if operation.query is None:
        return []
    aliases, required = second_names(operation.query), required_of(operation.query)
    examples = QUERIES.get(operation.name, {})
    found = []
    for name, schema in properties_of(operation.query).items():
        words = schema.pop("description")
        other = f" Another name of it is {aliases[name]}." if name in aliases else ""
        example = {"example": examples[name]} if name in examples else {}
        found.append(
            {
                "name": name,
                "in": "query",
                "required": name in required,
                "description": words + other,
                "schema": _of_text(schema),
                **example,
            }
        )
    return found


def _of_text(schema: Schema) -> Schema:
    """The schema of a query parameter: a number that a body may have in two forms has one there."""
    texts = [option for option in schema.get("anyOf", ()) if option.get("type") == "string"]
    return texts[0] if texts else schema


def _without_bodies(operation: dict[str, Any]) -> dict[str, Any]:
    kept = ("description", "headers")
    responses = {
        status: {name: part for name, part in response.items() if name in kept}
        for status, response in operation["responses"].items()
    }
    return {**operation, "responses": responses}
