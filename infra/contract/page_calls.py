"""The calls of the HTTP API, each with its parameters, body, answers, errors and samples."""

from collections.abc import Iterator, Sequence

from infra.contract import page_samples
from infra.contract.markup import Html, element, join
from infra.contract.page_common import ANCHOR, Common, error_table, errors_of
from infra.contract.page_documents import Call, Document, Example, Json, examples_of
from infra.contract.page_schemas import Schemas
from infra.contract.page_text import block, code, details, entry, inline, json_block, link, prose, table

_PLACES = ("path", "query", "header")


def call_entry(schemas: Schemas, common: Common, call: Call, answers: Sequence[Example]) -> Html:
    """One call. ``answers`` are the examples of its answers."""
    document = schemas.document
    described = [
        element("p", code(call.name), class_="address"),
        prose(call.operation["description"]),
        _scope(document, call),
        *_parameters(schemas, call),
        *_body(schemas, call),
        *_answers(schemas, common, call),
        *_errors(document, common, call),
    ]
    request = page_samples.request_of(document, call)
    shown = [
        element("h4", "curl"),
        block(page_samples.curl(request)),
        element("h4", "Python"),
        block(page_samples.python(request)),
        # The samples have the first body.
        *(details(f"Body: {example.title}", json_block(example.value)) for example in _bodies(document, call)[1:]),
        *(details(example.title, json_block(example.value)) for example in answers),
    ]
    return entry(f"call-{call.id}", call.operation["summary"], described, shown)


def _scope(document: Document, call: Call) -> Html:
    needed: list[Json] = call.operation.get("security") or []
    scopes = [scope for requirement in needed for names in requirement.values() for scope in names]
    if not needed:
        return element("p", "Open: needs no credential.", class_="scope")
    return element("p", "Needs the scope ", join(map(code, scopes), " or "), ".", class_="scope")


def _parameters(schemas: Schemas, call: Call) -> Iterator[Html]:
    rows = []
    for place in _PLACES:
        for parameter in schemas.document.parameters(call, place):
            must = " required" if parameter.get("required") and place != "path" else ""
            name = join([code(parameter["name"]), element("small", f" {place}{must}")])
            rows.append((name, schemas.meaning(parameter["schema"], parameter.get("description", ""))))
    if rows:
        yield table("Parameters", ("Name", "Meaning"), rows)


def _body(schemas: Schemas, call: Call) -> Iterator[Html]:
    if media := schemas.document.body(call):
        needed = schemas.document.resolve(call.operation["requestBody"]).get("required")
        yield element("h4", "Body" if needed else "Body (may be left out)")
        yield schemas.fields("JSON", media["schema"])


def _answers(schemas: Schemas, common: Common, call: Call) -> Iterator[Html]:
    for status, response in schemas.document.answers(call, errors=False):
        yield element("h4", f"Answer {status}")
        yield prose(response["description"])
        for name, header in response.get("headers", {}).items():
            if name not in common.headers:
                described = schemas.document.resolve(header).get("description", "")
                yield element("p", "Header ", code(name), ". ", inline(described))
        for kind, media in response.get("content", {}).items():
            if "schema" in media:
                yield schemas.fields(kind, media["schema"])


def _errors(document: Document, common: Common, call: Call) -> Iterator[Html]:
    own = [error for error in errors_of(document, call) if error not in common.errors]
    if own:
        yield error_table("Errors", own)
    yield element("p", "And the ", link(f"#{ANCHOR}", "errors of every call"), ".")


def _bodies(document: Document, call: Call) -> list[Example]:
    return examples_of(document.body(call))
