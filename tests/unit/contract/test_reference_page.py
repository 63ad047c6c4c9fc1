"""The reference page is complete, whole, and asks for nothing but itself."""

from base64 import b64encode
from hashlib import sha256
from typing import Any

import pytest
from chalice.app import Chalice
from chalice.test import Client

from chalicelib.api.codes import FieldCode, ProblemCode, WarningCode
from chalicelib.codec.exact_json import dumps, loads
from chalicelib.domain.failures import FailureCode
from chalicelib.http.contract import DIRECTORY
from infra.contract.page_documents import Document, merged
from infra.contract.page_stream import messages
from infra.contract.recorded import recorded_answers
from tests.support.contract import faults_of_answer
from tests.support.reference_page import ReferencePage

DOCUMENT: Document = merged(*(loads((DIRECTORY / name).read_text()) for name in ("openapi.json", "asyncapi.json")))
#: Their answers are the documents themselves, and the page.
DOCUMENTS = {"Contract", "Page"}


@pytest.fixture(scope="module")
def page() -> ReferencePage:
    return ReferencePage()


def test_every_call_frame_action_and_code_has_an_anchor(page: ReferencePage) -> None:
    anchors = [f"call-{call.id}" for call in DOCUMENT.calls()]
    anchors += [f"frame-{name}" for name in messages(DOCUMENT, "send")]
    anchors += [f"action-{name}" for name in messages(DOCUMENT, "receive")]
    anchors += [f"code-{code}" for codes in (ProblemCode, FieldCode, FailureCode, WarningCode) for code in codes]
    assert set(anchors) <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))


def test_every_element_is_closed(page: ReferencePage) -> None:
    assert page.open == []


def test_the_page_has_no_script_and_asks_for_nothing_else(page: ReferencePage) -> None:
    assert {tag for tag, _ in page.elements} & {"script", "link", "img", "iframe", "form", "object", "base"} == set()
    names = {name for _, attributes in page.elements for name in attributes}
    assert names <= {"lang", "charset", "name", "content", "id", "class", "href", "aria-label"}
    assert "url(" not in (DIRECTORY / "docs.html").read_text()
    assert "@import" not in (DIRECTORY / "docs.html").read_text()


def test_every_link_leads_to_a_part_of_the_page_or_to_a_document(page: ReferencePage) -> None:
    documents = {"/openapi.json", "/asyncapi.json", "/llms.txt"}
    outside = [link for link in page.links if link not in documents and link.removeprefix("#") not in page.ids]
    assert outside == []


def test_every_link_of_the_guide_leads_to_a_part_of_the_page_or_to_a_document(page: ReferencePage) -> None:
    targets = [part.partition(")")[0] for part in (DIRECTORY / "llms.txt").read_text().split("](")[1:]]
    known = {"/docs", "/openapi.json", "/asyncapi.json", *(f"/docs#{anchor}" for anchor in page.ids)}
    assert targets
    assert set(targets) <= known


def test_every_call_has_samples(page: ReferencePage) -> None:
    calls = {f"call-{call.id}" for call in DOCUMENT.calls()}
    assert calls == {anchor for anchor, samples in page.samples.items() if samples.keys() == {"curl", "Python"}}


def test_every_call_has_an_example_of_each_success() -> None:
    recorded = recorded_answers()
    wanted = [call for call in DOCUMENT.calls() if not DOCUMENTS & set(call.operation["tags"])]
    missing = [
        f"{call.name} {status}"
        for call in wanted
        for status, answer in DOCUMENT.answers(call, errors=False)
        if "content" in answer and status not in recorded.get(call.id, {})
    ]
    assert not missing, "record them: python -m tests.e2e.answers"


def _recorded() -> list[tuple[str, str, str, Any]]:
    calls = {call.id: call for call in DOCUMENT.calls()}
    return [
        (calls[name].method, calls[name].path, status, answer)
        for name, answers in recorded_answers().items()
        for status, answer in answers.items()
    ]


@pytest.mark.parametrize(("method", "path", "status", "answer"), _recorded())
def test_an_example_is_as_the_contract_says(method: str, path: str, status: str, answer: Any) -> None:
    kind = "application/json" if status < "400" else "application/problem+json"
    faults = faults_of_answer(method, path, int(status), {"content-type": kind}, dumps(answer))
    # An example has no headers.
    assert [fault for fault in faults if not fault.startswith("the header")] == []


def test_a_browser_applies_the_style_of_the_page_and_loads_nothing(app: Chalice) -> None:
    with Client(app) as client:
        answer = client.http.get("/docs")
    style = answer.body.decode().partition("<style>")[2].partition("</style>")[0]
    digest = b64encode(sha256(style.encode()).digest()).decode()
    rules = dict(rule.split(" ", 1) for rule in answer.headers["Content-Security-Policy"].split("; "))
    assert rules == {
        "default-src": "'none'",
        "style-src": f"'sha256-{digest}'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
