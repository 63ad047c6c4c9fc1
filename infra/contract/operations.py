"""The form in which the calls of the HTTP API are described. ``openapi`` joins them with the routes of the app."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from chalicelib.api.requests.fields import RequestModel
from chalicelib.domain.identity import Scope
from infra.contract.problems import Code


@dataclass(frozen=True)
class Answer:
    """A response that is no problem. ``body``: the models of which its JSON is one. ``media``: its types.

    ``is_streamed``: the client may have the body as server-sent events.
    """

    text: str
    body: tuple[type, ...] = ()
    headers: tuple[str, ...] = ()
    media: tuple[str, ...] = ("application/json",)
    is_streamed: bool = False


@dataclass(frozen=True)
class Operation:
    """A call. ``scope``: ``None`` needs no credential. ``body`` names the schema of the request's JSON.

    ``links`` are the operations that an answer leads to, by the expression of their order id.
    """

    name: str
    tag: str
    summary: str
    text: str
    scope: Scope | None
    answers: Mapping[int, Answer]
    query: type[RequestModel] | None = None
    body: str | None = None
    body_required: bool = True
    headers: tuple[str, ...] = ()
    problems: tuple[Code, ...] = ()
    links: Mapping[str, str] = field(default_factory=dict)
