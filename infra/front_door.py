"""The front door: one address for the HTTP API and the WebSocket API.

API Gateway's WebSocket API knows no path after its stage and cannot share a domain with a REST API. So a
handshake on one of the stream paths of ``front_door_rules.json`` is sent to the WebSocket API, with what the
path says as a query parameter, and everything else to the REST API as it is. On AWS a CloudFront function
does that, locally Caddy; both are generated here from the one table.

A handshake is known by its ``Sec-WebSocket-Key``: CloudFront hides ``Upgrade`` from its functions.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RULES_FILE = Path(__file__).with_name("front_door_rules.json")
FUNCTION_FILE = Path(__file__).with_name("front_door_function.js")


@dataclass(frozen=True)
class Rule:
    """A stream path, and the query parameter that its first group becomes, if it has one."""

    path: str
    parameter: str | None = None


def rules() -> list[Rule]:
    """The table, in the order in which it is tried."""
    return [Rule(**row) for row in json.loads(RULES_FILE.read_text())]


def cloudfront_function() -> str:
    """The source of the CloudFront function with the table written into it."""
    table = json.dumps([{"path": rule.path, "parameter": rule.parameter} for rule in rules()])
    return FUNCTION_FILE.read_text().replace("[/* rules */]", table)


def caddy_config(*, listen: list[str], upstream: str, rest_path: str, websocket_path: str) -> dict[str, Any]:
    """Caddy's configuration for a front door on ``listen`` before an emulator on ``upstream``.

    ``rest_path`` and ``websocket_path`` are where the emulator serves the two APIs.
    """
    proxy = {
        "handler": "reverse_proxy",
        "upstreams": [{"dial": upstream}],
        # The APIs are told apart by path, and answer under the upstream's own name.
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
