"""The calls of the HTTP API, in words."""

from typing import Any

from chalicelib.api.codes import ProblemCode
from chalicelib.api.quotes import RouteBody
from chalicelib.api.requests.queries import StatsModel
from chalicelib.api.requests.swaps import SwapModel
from chalicelib.api.responses.engine_state import EngineStateBody
from chalicelib.api.responses.operations import (
    HealthBody,
    LaunchAcceptedBody,
    PriceAcceptedBody,
    StatsBody,
    TokensBody,
)
from chalicelib.api.responses.streams import TicketBody
from chalicelib.domain.failures import FailureCode
from chalicelib.domain.identity import Scope
from infra.contract.operations import Answer, Operation
from infra.contract.order_calls import ORDER_CALLS
from infra.contract.problems import BODY, ORDER_BODY

_DOCUMENT: dict[str, Any] = {
    "tag": "Contract",
    "scope": None,
    "headers": ("If-None-Match",),
    "answers": {
        200: Answer("The document.", (dict,), ("ETag", "Cache-Control")),
        304: Answer("The document has not changed.", headers=("ETag", "Cache-Control")),
    },
}


def _text_document(*media: str, words: str = "The document.") -> dict[str, Any]:
    answers = {**_DOCUMENT["answers"], 200: Answer(words, (str,), ("ETag", "Cache-Control"), media)}
    return {**_DOCUMENT, "answers": answers}


def _of_page(words: str, *media: str) -> dict[str, Any]:
    return {**_text_document(*media, words=words), "tag": "Page", "problems": (ProblemCode.NOT_FOUND,)}


OPERATIONS: dict[tuple[str, str], Operation] = {
    **ORDER_CALLS,
    ("GET", "/api/quotes"): Operation(
        "getQuotes",
        "Market",
        "Get quotes",
        "The quotes of all venues for an amount, and the route that an order would take now.",
        Scope.READ,
        {200: Answer("The routing decision.", (RouteBody,))},
        query=SwapModel,
        problems=tuple(FailureCode),
    ),
    ("POST", "/api/market/events"): Operation(
        "postMarketEvent",
        "Market",
        "Push a price or a launch",
        "The feed that triggers limit and sniper orders. Unknown fields of a feed are ignored.",
        Scope.OPERATE,
        {202: Answer("The event is taken.", (PriceAcceptedBody, LaunchAcceptedBody))},
        body="MarketEventRequest",
        problems=ORDER_BODY,
    ),
    ("POST", "/api/stream-tickets"): Operation(
        "createStreamTicket",
        "Streams",
        "Get a ticket for a socket",
        "A browser cannot set headers on a handshake: a ticket, as the query parameter token, opens one socket "
        "within a minute with the rights of this call's credential.",
        Scope.READ,
        {201: Answer("The ticket.", (TicketBody,))},
        body="TicketRequest",
        body_required=False,
        problems=(*BODY, ProblemCode.MALFORMED_REQUEST),
    ),
    ("GET", "/api/tokens"): Operation(
        "getTokens",
        "Market",
        "List the tokens",
        "The token registry.",
        None,
        {200: Answer("The tokens.", (TokensBody,))},
    ),
    ("GET", "/api/stats"): Operation(
        "getStats",
        "Engine",
        "Get statistics",
        "How well the orders of a window were executed: outcomes, time per stage, slippage, what routing gained, "
        "retries and missed limits. The window is the last day unless from and to name another. The orders are "
        "those of userId or, without operate, of the caller; with operate and without userId those of all users.",
        Scope.READ,
        {200: Answer("The statistics.", (StatsBody,))},
        query=StatsModel,
    ),
    ("GET", "/api/engine"): Operation(
        "getEngine",
        "Engine",
        "Get the state of the engine",
        "What the engine does now: the orders in its ten slots, those that wait and for what, the rate limit, dead "
        "letters, the lag of the history, sockets, and the last verdict of the doctor. Made to be polled every two "
        "seconds. The call answers 200 while one of its sources is away, and says which parts are missing.",
        Scope.OPERATE,
        {200: Answer("The state.", (EngineStateBody,))},
    ),
    ("GET", "/health"): Operation(
        "getHealth",
        "Engine",
        "Get the health",
        "The state of each dependency.",
        None,
        {
            200: Answer("The engine trades; degraded without one of its dependencies.", (HealthBody,)),
            503: Answer("The engine cannot trade.", (HealthBody,)),
        },
    ),
    ("GET", "/"): Operation(
        "getPage",
        summary="Open the page",
        text="The page that shows the engine at work. It runs in a browser and makes the other calls of this "
        "document. Its ETag changes with its text, so every use of a kept copy asks again.",
        **_of_page("The page.", "text/html"),
    ),
    ("GET", "/ui/{name}"): Operation(
        "getPageFile",
        summary="Get a file of the page",
        text="A script, a style sheet or the icon, as the page names it. The name changes with the file, so a cache "
        "may keep it for ever, and the name of another version is 404.",
        **_of_page("The file.", "text/javascript", "text/css", "image/svg+xml"),
    ),
    ("GET", "/openapi.json"): Operation(
        "getOpenapi",
        summary="Get this document",
        text="The contract over HTTP, OpenAPI 3.1.",
        **_DOCUMENT,
    ),
    ("GET", "/asyncapi.json"): Operation(
        "getAsyncapi",
        summary="Get the contract of the status stream",
        text="The contract of the WebSocket, AsyncAPI 3.0.",
        **_DOCUMENT,
    ),
    ("GET", "/docs"): Operation(
        "getDocs",
        summary="Read the reference",
        text="This contract as one page for people.",
        **_text_document("text/html"),
    ),
    ("GET", "/llms.txt"): Operation(
        "getLlms",
        summary="Get the guide for language models",
        text="The rules that a program must know, in plain text (llmstxt.org).",
        **_text_document("text/plain"),
    ),
}
