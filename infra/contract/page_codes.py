"""The error codes, each with an anchor that the ``code`` of a problem leads to."""

from infra.contract.markup import Html, element, join
from infra.contract.page_documents import Document, Json, codes_of
from infra.contract.page_text import breakable, code, inline, table

#: The enumerations of codes, and where each code is found.
CODES = {
    "ProblemCode": ("Problems", "The `code` of a problem."),
    "FieldCode": ("Fields", "The `code` of a member of `errors`: what is wrong with one field."),
    "FailureCode": ("Failures", "Why an attempt or a quote failed; also the `code` of a problem without a quote."),
    "WarningCode": ("Warnings", "The `code` of a warning of a preview."),
}


def code_sections(document: Document) -> Html:
    """A table of the codes of each enumeration."""
    statuses = _statuses(document)
    return join(_section(name, document.schemas[name], statuses) for name in CODES)


def value_table(schema: Json) -> Html:
    """The values of an enumeration that is no enumeration of codes, with their meanings if they have any."""
    if "x-enum-descriptions" not in schema:
        values = inline(schema.get("description", "")), join(map(code, schema["enum"]), ", ")
        return element("p", join(values, " "))
    rows = [(code(value), inline(meaning)) for value, meaning in schema["x-enum-descriptions"].items()]
    return table("Values", ("Value", "Meaning"), rows)


def _section(name: str, schema: Json, statuses: dict[str, list[str]]) -> Html:
    title, described = CODES[name]
    rows = [
        (
            join([element("code", breakable(value), id=f"code-{value}"), *_status(statuses.get(value, []))]),
            inline(meaning),
        )
        for value, meaning in schema["x-enum-descriptions"].items()
    ]
    return element(
        "section",
        element("h3", title),
        table(inline(described), ("Code", "Meaning"), rows),
        id=f"schema-{name}",
    )


def _status(statuses: list[str]) -> list[Html]:
    return [element("small", f" {', '.join(statuses)}")] if statuses else []


def _statuses(document: Document) -> dict[str, list[str]]:
    """The HTTP statuses that come with each code."""
    found: dict[str, set[str]] = {}
    for call in document.calls():
        for status, response in document.answers(call, errors=True):
            for name in codes_of(response):
                found.setdefault(name, set()).add(status)
    return {name: sorted(statuses) for name, statuses in found.items()}
