"""The front door: one address for the HTTP API and the WebSocket API.

API Gateway's WebSocket API takes no path after its stage and cannot share a domain with a REST API. A handshake on a
stream path of ``front_door_rules.json`` therefore goes to the WebSocket API, with the path's parameter as the one
value of a query parameter; every other request goes to the REST API. On AWS a CloudFront function routes the
requests, locally Caddy does; this module generates both from the one table. Both first remove repeated and trailing
slashes, which API Gateway and the emulator treat differently. Both match a path as the client writes it, with ``%77``
for a ``w``: such a path is no stream.

CloudFront selects a cache behavior, and with it an origin, before its function runs. A stream path that is no route
of the HTTP API has a behavior of its own whose origin is the WebSocket API: its handshakes depend on no origin that a
function selects. The function selects the origin where the behavior has another one: for the path that both
APIs have, and for every path that CloudFront and the table read differently. Each behavior's copy of the function
knows the behavior's origin.

A ``GET`` of a stream path that is no handshake gets 400 and not 426, because a CloudFront function cannot send the
``Upgrade`` that belongs to a 426.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from chalicelib.api.problems import CONTENT_TYPE
from chalicelib.http.cors import ALLOW_ORIGIN
from chalicelib.http.headers import CACHE_CONTROL, FIXED_HEADERS
from infra.aws.bare_answers import BareAnswer, bare_answer

#: The paths whose answers both front doors compress: they are the same for everybody, so their length tells nothing.
PAGE_FILES = "/ui/*"
#: The resources of the CloudFront function before each API.
FUNCTION, SOCKET_FUNCTION = "FrontDoorFunction", "SocketDoorFunction"
RULES_FILE = Path(__file__).with_name("front_door_rules.json")
FUNCTION_FILE = Path(__file__).with_name("front_door_function.js")


#: The headers of a handshake that CloudFront hides from its functions. API Gateway checks them on AWS.
_UPGRADE = {"Upgrade": r"(?i)^\s*websocket\s*$", "Connection": r"(?i)(^|,)\s*upgrade\s*(,|$)"}
_REQUEST_ID_OF_CADDY = "{http.request.uuid}"


@dataclass(frozen=True)
class Stream:
    """A stream path as a regular expression, and the query parameter that takes its first group, if it has one.

    ``pattern`` is the path pattern of its cache behavior; a path that the HTTP API has too has none.
    """

    path: str
    parameter: str | None = None
    pattern: str | None = None


@dataclass(frozen=True)
class Rewrite:
    """A regular expression in paths, and the text that replaces each of its matches."""

    find: str
    replace: str


@dataclass(frozen=True)
class Rules:
    """The table: the rewrites in their order, and the streams in the order in which they are tried.

    ``handshake`` has a regular expression for each header that makes a ``GET`` a handshake (RFC 6455, 4.2.1).
    """

    rewrites: list[Rewrite]
    handshake: dict[str, str]
    streams: list[Stream]


def rules() -> Rules:
    """Return the table."""
    table = json.loads(RULES_FILE.read_text())
    rewrites, streams = table["rewrites"], table["streams"]
    return Rules([Rewrite(**row) for row in rewrites], table["handshake"], [Stream(**row) for row in streams])


def cloudfront_function(origin: str) -> str:
    """Return the source of the CloudFront function for cache behaviors with ``origin``, with the table written in."""
    table = asdict(rules()) | {"refusal": asdict(_refusal("REQUEST_ID")), "origin": origin}
    return FUNCTION_FILE.read_text().replace("{/* table */}", json.dumps(table))


def template() -> dict[str, Any]:
    """Return the part of the template that gives the CloudFront functions their code."""
    code = {FUNCTION: cloudfront_function("rest"), SOCKET_FUNCTION: cloudfront_function("websocket")}
    return {"Resources": {name: {"Properties": {"FunctionCode": text}} for name, text in code.items()}}


def add_socket_behaviors(resources: dict[str, Any]) -> None:
    """Give each stream path with a pattern its cache behavior: the default one, before the WebSocket API."""
    settings = resources["FrontDoor"]["Properties"]["DistributionConfig"]
    arn = {"Fn::GetAtt": [SOCKET_FUNCTION, "FunctionARN"]}
    behavior = settings["DefaultCacheBehavior"] | {
        "TargetOriginId": "websocket",
        "FunctionAssociations": [{"EventType": "viewer-request", "FunctionARN": arn}],
    }
    patterns = [stream.pattern for stream in rules().streams if stream.pattern]
    settings["CacheBehaviors"] += [{"PathPattern": pattern} | behavior for pattern in patterns]


def caddy_config(
    *, listen: list[str], upstream: str, rest_path: str, websocket_path: str, origin: str
) -> dict[str, Any]:
    """Return Caddy's configuration for a front door on ``listen`` before an emulator on ``upstream``.

    The emulator serves the two APIs at ``rest_path`` and ``websocket_path``. Pages of ``origin`` may read why the
    emulator does not answer.
    """
    table, unavailable = rules(), _respond(bare_answer(503, _REQUEST_ID_OF_CADDY), origin)
    proxy = _proxy(upstream, unavailable)
    slashes = {"handler": "rewrite", "path_regexp": [asdict(rewrite) for rewrite in table.rewrites]}
    no_upgrade = {"handler": "headers", "request": {"delete": ["Upgrade"]}}
    headers = {name: {"pattern": pattern} for name, pattern in (table.handshake | _UPGRADE).items()}
    handshake = {"method": ["GET"], "protocol": "http/1.1", "header_regexp": headers}
    stream_paths = [{"method": ["GET", "HEAD"], "vars_regexp": _as_written(stream)} for stream in table.streams]
    server = {
        "listen": listen,
        "protocols": ["h1"],
        "automatic_https": {"disable": True},
        "routes": [
            {"handle": [*_headers_of_every_answer(), slashes]},
            # The emulator would switch to HTTP/2 if asked to.
            {"match": [{"not": [{"header_regexp": {"Upgrade": headers["Upgrade"]}}]}], "handle": [no_upgrade]},
            *(_stream_route(handshake, stream, websocket_path, proxy) for stream in table.streams),
            {"match": stream_paths, "handle": [_respond(_refusal(_REQUEST_ID_OF_CADDY))]},
            {
                "match": [{"method": ["GET"], "path": [PAGE_FILES]}],
                "handle": [{"handler": "encode", "encodings": {"gzip": {}}}],
            },
            {"handle": [{"handler": "rewrite", "path_regexp": [asdict(Rewrite("^", rest_path))]}, proxy]},
        ],
        # The emulator does not answer, or breaks an answer off.
        "errors": {"routes": [{"handle": [unavailable]}]},
    }
    return {
        "admin": {"disabled": True, "config": {"persist": False}},
        "logging": {"logs": {"default": {"level": "ERROR"}}},
        "apps": {"http": {"grace_period": "1s", "servers": {"front": server}}},
    }


def _refusal(request_id: str) -> BareAnswer:
    """Return the answer to a ``GET`` of a stream path that is no handshake."""
    answer = bare_answer(400, request_id)
    return BareAnswer(answer.status, answer.headers | {"Sec-WebSocket-Version": "13"}, answer.body)


def _proxy(upstream: str, unavailable: dict[str, Any]) -> dict[str, Any]:
    problems, failures = {"headers": {"Content-Type": [f"{CONTENT_TYPE}*"]}}, {"status_code": [500, 502, 504]}
    return {
        "handler": "reverse_proxy",
        "upstreams": [{"dial": upstream}],
        # The emulator distinguishes the APIs by path and answers only under its own host name.
        "headers": {"request": {"set": {"Host": [upstream]}}},
        "transport": {"protocol": "http", "compression": False},
        # The first match decides: a failure that is no problem has a text of the emulator's own.
        "handle_response": [
            {"match": problems, "routes": [{"handle": [{"handler": "copy_response"}]}]},
            {"match": failures, "routes": [{"handle": [unavailable]}]},
        ],
    }


def _headers_of_every_answer() -> list[dict[str, Any]]:
    """Set the headers on the emulator's own answers too, like ``FrontDoorHeaders`` of the template for AWS.

    The app decides which of its answers a cache may keep.
    """
    headers = {name: [value] for name, value in FIXED_HEADERS.items() if name != CACHE_CONTROL}
    absent = {"headers": {CACHE_CONTROL: None}}
    uncached = {"deferred": True, "require": absent, "set": {CACHE_CONTROL: [FIXED_HEADERS[CACHE_CONTROL]]}}
    return [
        {"handler": "headers", "response": {"deferred": True, "set": headers}},
        {"handler": "headers", "response": uncached},
    ]


def _respond(answer: BareAnswer, origin: str = "") -> dict[str, Any]:
    allowed = {ALLOW_ORIGIN: origin} if origin else {}
    headers = {name: [value] for name, value in (answer.headers | allowed).items()}
    return {"handler": "static_response", "status_code": answer.status, "headers": headers, "body": answer.body}


def _as_written(stream: Stream) -> dict[str, Any]:
    """Return the regular expression for the URI with its query, as the CloudFront function sees the path.

    Caddy's own expressions for paths would match the decoded path, without its dots.
    """
    return {"{http.request.uri}": {"name": "stream", "pattern": stream.path.removesuffix("$") + r"(?:\?|$)"}}


def _stream_route(
    handshake: dict[str, Any], stream: Stream, websocket_path: str, proxy: dict[str, Any]
) -> dict[str, Any]:
    rewrite: dict[str, Any] = {"handler": "rewrite", "uri": websocket_path}
    if stream.parameter:
        # The path decides over any value of the parameter in the query.
        rewrite["query"] = {"set": [{"key": stream.parameter, "val": "{http.regexp.stream.1}"}]}
    return {
        "match": [handshake | {"vars_regexp": _as_written(stream)}],
        "handle": [rewrite, proxy],
    }
