"""What every call has, which the reference describes once: errors and headers."""

from collections.abc import Iterable
from dataclasses import dataclass

from infra.contract.markup import Html, element, join
from infra.contract.page_documents import Call, Document, codes_of
from infra.contract.page_text import code, entry, inline, link, prose, table

ANCHOR = "every-call"
_DESCRIPTION = """
An error is a problem (RFC 9457, `application/problem+json`). Its `code` never changes its meaning; `detail` is for
people and may be reworded; `errors` names every bad field at once. After 429 and 503 wait for the seconds of
`Retry-After`. Every call can fail with the errors below, an open call with those that are not about a credential.
"""


@dataclass(frozen=True, slots=True)
class Common:
    """The ``(status, code)`` pairs of all calls that need a credential, and the headers of all answers."""

    errors: frozenset[tuple[str, str]]
    headers: frozenset[str]


def errors_of(document: Document, call: Call) -> list[tuple[str, str]]:
    """Each ``(status, code)`` that a call may answer with."""
    answers = document.answers(call, errors=True)
    return [(status, name) for status, response in answers for name in codes_of(response)]


def common_of(document: Document) -> Common:
    calls = list(document.calls())
    closed = [set(errors_of(document, call)) for call in calls if call.operation.get("security")]
    answers = [response for call in calls for _, response in document.answers(call, errors=False)]
    headers = [set(response.get("headers", {})) for response in answers]
    return Common(frozenset(set.intersection(*closed)), frozenset(set.intersection(*headers)))


def error_table(caption: str, errors: Iterable[tuple[str, str]]) -> Html:
    """The codes by their status, each with a link to its meaning."""
    by_status: dict[str, list[str]] = {}
    for status, name in errors:
        by_status.setdefault(status, []).append(name)
    rows = [
        (code(status), join((link(f"#code-{name}", code(name)) for name in sorted(names)), " "))
        for status, names in sorted(by_status.items())
    ]
    return table(inline(caption), ("Status", "Codes"), rows)


def common_entry(document: Document, common: Common) -> Html:
    """The section that other sections refer to."""
    described = document.root["components"]["headers"]
    headers = [
        element("p", "Every answer has ", code(name), ". ", inline(described[name]["description"]))
        for name in sorted(common.headers)
    ]
    problem = element("p", "The fields of a problem: ", link("#schema-Problem", "Problem"), ".")
    described = [prose(_DESCRIPTION), problem, *headers, error_table("Errors of every call", common.errors)]
    return entry(ANCHOR, "Errors and headers of every call", described)
