"""The front door: one address for the HTTP API and the WebSocket API.

API Gateway's WebSocket API takes no path after its stage and cannot share a domain with a REST API. A handshake on a
stream path of ``front_door_rules.json`` therefore goes to the WebSocket API, with the path's parameter as a query
parameter; every other request goes to the REST API unchanged. On AWS a CloudFront function routes the requests,
locally Caddy does; this module generates both from the one table.

A request is a handshake if it has a ``Sec-WebSocket-Key``: CloudFront hides ``Upgrade`` from its functions.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RULES_FILE = Path(__file__).with_name("front_door_rules.json")
FUNCTION_FILE = Path(__file__).with_name("front_door_function.js")


@dataclass(frozen=True)
class Rule:
    """A stream path as a regular expression, and the query parameter that takes its first group, if it has one."""

    path: str
    parameter: str | None = None


def rules() -> list[Rule]:
    """Return the table in the order in which the rules are tried."""
    return [Rule(**row) for row in json.loads(RULES_FILE.read_text())]


def cloudfront_function() -> str:
    """Return the source of the CloudFront function with the table written into it."""
    table = json.dumps([{"path": rule.path, "parameter": rule.parameter} for rule in rules()])
    return FUNCTION_FILE.read_text().replace("[/* rules */]", table)


def template() -> dict[str, Any]:
    """Return the part of the template that gives the CloudFront function its code."""
    return {"Resources": {"FrontDoorFunction": {"Properties": {"FunctionCode": cloudfront_function()}}}}


def caddy_config(*, listen: list[str], upstream: str, rest_path: str, websocket_path: str) -> dict[str, Any]:
    """Return Caddy's configuration for a front door on ``listen`` before an emulator on ``upstream``.

    The emulator serves the two APIs at ``rest_path`` and ``websocket_path``.
    """
    proxy = {
        "handler": "reverse_proxy",
        "upstreams": [{"dial": upstream}],
        # The emulator distinguishes the APIs by path and answers only under its own host name.
        "headers": {"request": {"set": {"Host": [upstream]}}},
        "transport": {"protocol": "http", "compression": False},
    }
    routes = [_stream_route(number, rule, websocket_path, proxy) for number, rule in enumerate(rules())]
    routes.append({"handle": [{"handler": "rewrite", "uri": rest_path + "{http.request.uri}"}, proxy]})
    server = {
        "listen": listen,
        "protocols": ["h1"],
        "automatic_https": {"disable": True},
        "routes": routes,
    }
    return {
        "admin": {"disabled": True, "config": {"persist": False}},
        "logging": {"logs": {"default": {"level": "ERROR"}}},
        "apps": {"http": {"grace_period": "1s", "servers": {"front": server}}},
    }


def _stream_route(number: int, rule: Rule, websocket_path: str, proxy: dict[str, Any]) -> dict[str, Any]:
    name = f"rule{number}"
    query = "{http.request.uri.query}"
    if rule.parameter:
        query = f"{rule.parameter}={{http.regexp.{name}.1}}&{query}"
    match = {
        "header": {"Sec-WebSocket-Key": ["*"]},
        "path_regexp": {"name": name, "pattern": rule.path},
    }
    return {
        "match": [match],
        "handle": [{"handler": "rewrite", "uri": f"{websocket_path}?{query}"}, proxy],
    }
