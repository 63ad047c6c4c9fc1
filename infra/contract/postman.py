"""The Postman collection (v2.1): the requests of the story, with test scripts of a fixed vocabulary.

A script has these statements alone, one a line, so that a test can run them without Postman:

    pm.test("…", () => pm.response.to.have.status(202));
    pm.test("…", () => pm.expect(pm.response.json().path).to.eql(value));
    pm.collectionVariables.set("name", pm.response.json().path);
    pm.collectionVariables.set("name", pm.response.headers.get("Name"));
"""

from collections.abc import Iterable, Sequence
from urllib.parse import urlencode

from chalicelib.codec.exact_json import dumps
from infra.contract.errors import UndescribedError
from infra.contract.page_documents import Call, Document, Json
from infra.contract.page_text import laid_out
from infra.contract.postman_story import STORY, Step

_SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
#: The id of a Postman collection, by which an import replaces the one before.
_ID = "0b6f1f6a-6a0b-4b57-9a5d-2f1c6f3a9d10"
_VARIABLES = {
    "baseUrl": "http://localhost:8000",
    "apiKey": "your-api-key",
    "orderId": "",
    "limitId": "",
    "etag": "",
}


def collection(document: Document, story: Sequence[Step] = STORY) -> Json:
    """The collection of the story.

    :raises UndescribedError: for a step whose call the document does not have.
    """
    calls = {call.name: call for call in document.calls()}
    if unknown := sorted({step.call for step in story} - calls.keys()):
        raise UndescribedError(f"infra/contract/postman_story.py: no such call: {', '.join(unknown)}.")
    info = document.root["info"]
    return {
        "info": {"_postman_id": _ID, "name": info["title"], "description": info["description"], "schema": _SCHEMA},
        "auth": {"type": "bearer", "bearer": [{"key": "token", "value": "{{apiKey}}", "type": "string"}]},
        "variable": [{"key": name, "value": value} for name, value in _VARIABLES.items()],
        "item": [_item(document, calls[step.call], step) for step in story],
    }


def _item(document: Document, call: Call, step: Step) -> Json:
    headers = {"Content-Type": "application/json"} if step.body else {}
    request: Json = {
        "method": call.method,
        "header": [{"key": name, "value": value} for name, value in {**headers, **step.headers}.items()],
        "url": _url(call, step),
        "description": call.operation["description"],
    }
    if step.body:
        example = document.body(call)["examples"][step.body]["value"]
        request["body"] = {"mode": "raw", "raw": laid_out({**example, **step.changes})}
    script = {"type": "text/javascript", "exec": list(_script(step))}
    return {"name": step.name, "request": request, "event": [{"listen": "test", "script": script}]}


def _url(call: Call, step: Step) -> Json:
    path = call.path.replace("{orderId}", step.order)
    query = f"?{urlencode(step.query)}" if step.query else ""
    base = "{{baseUrl}}"
    found: Json = {"raw": f"{base}{path}{query}", "host": [base], "path": path.strip("/").split("/")}
    if step.query:
        found["query"] = [{"key": name, "value": value} for name, value in step.query.items()]
    return found


def _script(step: Step) -> Iterable[str]:
    yield f'pm.test("The answer is {step.status}", () => pm.response.to.have.status({step.status}));'
    for path, value in step.expect.items():
        expected = dumps(value)
        title = dumps(f"{path} is {expected}")
        yield f"pm.test({title}, () => pm.expect(pm.response.json().{path}).to.eql({expected}));"
    for name, source in step.save.items():
        yield f'pm.collectionVariables.set("{name}", {_source(source)});'


def _source(source: str) -> str:
    """A path in the JSON of the answer, or a header, whose name begins with a capital letter."""
    return f'pm.response.headers.get("{source}")' if source[0].isupper() else f"pm.response.json().{source}"


def postman(document: Document) -> str:
    """The text of the collection's file."""
    return laid_out(collection(document)) + "\n"
