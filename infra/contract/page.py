"""The reference for people: one static page made from the OpenAPI and the AsyncAPI document.

The page has neither scripts nor outside resources, and its style is inside: it needs no second request, and works at
every address and as a file.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from infra.contract import page_samples
from infra.contract.markup import Html, element, join
from infra.contract.page_calls import call_entry
from infra.contract.page_codes import CODES, code_sections, value_table
from infra.contract.page_common import ANCHOR, Common, common_entry, common_of
from infra.contract.page_documents import Document, Json
from infra.contract.page_schemas import Schemas
from infra.contract.page_stream import message_entry, messages, opening
from infra.contract.page_text import block, entry, link, prose
from infra.contract.page_unions import shared_schemas
from infra.contract.recorded import Answers, examples

_STYLE_FILE = Path(__file__).with_name("page.css")
_CREDENTIALS = """
Send an API key or a JWT as `Authorization: Bearer`. Each call names the scope that the credential must grant. A
deployment without authentication takes every request.
"""


class Chapter(NamedTuple):
    """A part of the page; ``entries`` are the titles of its entries by their anchors."""

    anchor: str
    title: str
    content: Html
    entries: Mapping[str, str]


def page(document: Document, answers: Answers) -> str:
    """The whole page. ``answers`` are examples."""
    shared = shared_schemas(document)
    schemas = Schemas(document, shared)
    objects = {name: schema for name, schema in shared.items() if name not in CODES}
    common = common_of(document)
    chapters = [
        _begin(document, common),
        *(_calls(schemas, common, tag, answers) for tag in document.root["tags"]),
        _stream(schemas),
        _messages(schemas, "frame", "Frames", "send"),
        _messages(schemas, "action", "Actions", "receive"),
        _objects(schemas, objects),
        _codes(document),
    ]
    title = f"{document.root['info']['title']} {document.root['info']['version']}: reference"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        element("style", Html(_style())),
    )
    body = element(
        "body",
        element("a", "Skip to the reference", href="#reference", class_="skip"),
        element("div", _contents(chapters), _main(title, chapters), class_="page"),
    )
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n"


def _main(title: str, chapters: Sequence[Chapter]) -> Html:
    parts = [
        element("section", element("h2", chapter.title), chapter.content, id=chapter.anchor) for chapter in chapters
    ]
    return element("main", element("h1", title), join(parts, "\n"), id="reference")


def _contents(chapters: Sequence[Chapter]) -> Html:
    lists = []
    for chapter in chapters:
        items = (element("li", link(f"#{anchor}", title)) for anchor, title in chapter.entries.items())
        lists.append(
            element("li", link(f"#{chapter.anchor}", element("strong", chapter.title)), element("ul", *items))
        )
    return element("nav", element("ul", join(lists, "\n")), aria_label="Contents")


def _begin(document: Document, common: Common) -> Chapter:
    files = ("openapi.json", "asyncapi.json", "llms.txt")
    content = [
        prose(document.root["info"]["description"]),
        element("p", "For programs: ", join((link(f"/{name}", name) for name in files), ", "), "."),
        prose(_CREDENTIALS),
        element("p", "The samples begin with:"),
        block(page_samples.SHELL_SETUP.strip()),
        block(page_samples.PYTHON_SETUP.strip()),
        common_entry(document, common),
    ]
    return Chapter("begin", "Begin", join(content), {ANCHOR: "Errors of every call"})


def _calls(schemas: Schemas, common: Common, tag: Json, answers: Answers) -> Chapter:
    calls = [call for call in schemas.document.calls() if tag["name"] in call.operation["tags"]]
    entries = [call_entry(schemas, common, call, examples(answers, call.id)) for call in calls]
    links = {f"call-{call.id}": str(call.operation["summary"]) for call in calls}
    content = join([prose(tag["description"]), *entries], "\n")
    return Chapter(f"calls-{tag['name'].lower()}", tag["name"], content, links)


def _stream(schemas: Schemas) -> Chapter:
    return Chapter("stream", "The status stream", opening(schemas), {"stream-open": "Open a socket"})


def _messages(schemas: Schemas, kind: str, title: str, action: str) -> Chapter:
    found = messages(schemas.document, action)
    content = join((message_entry(schemas, kind, name, message) for name, message in found.items()), "\n")
    return Chapter(f"{kind}s", title, content, {f"{kind}-{name}": name for name in found})


def _objects(schemas: Schemas, objects: Mapping[str, Any]) -> Chapter:
    content = []
    for name, schema in objects.items():
        caption = schema.get("description", "Fields")
        shown = value_table(schema) if "enum" in schema else schemas.described(caption, schema)
        content.append(entry(f"schema-{name}", name, [shown]))
    return Chapter("objects", "Objects", join(content, "\n"), {f"schema-{name}": name for name in objects})


def _codes(document: Document) -> Chapter:
    entries = {f"schema-{name}": title for name, (title, _) in CODES.items()}
    return Chapter("codes", "Error codes", code_sections(document), entries)


def _style() -> str:
    """The style sheet without the spaces that only its editors need."""
    return " ".join(_STYLE_FILE.read_text().split())
