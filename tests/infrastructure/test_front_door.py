"""The front door sends the handshakes on stream paths to the WebSocket API, with their query parameters."""

import json
import re
import shutil
import subprocess
from typing import Any

import pytest

from infra.aws.front_door import caddy_config, cloudfront_function, rules
from tests.infrastructure.conftest import Packaged

#: The query parameters of each stream path of the contract.
STREAMS = {
    "/ws/orders/0b9f2a4e-6f0d-4c7a-9a55-3c1f6a1f2b3c": {"orderId": "0b9f2a4e-6f0d-4c7a-9a55-3c1f6a1f2b3c"},
    "/api/orders/execute": {},
    "/ws": {},
    "/api/orders/connect": {},
}
NO_STREAMS = [
    "/",
    "/health",
    "/wsx",
    "/x/ws",
    "/ws/orders",
    "/ws/orders/1/events",
    "/api/orders/executed",
    "/api/orders/1",
    "/orders",
]


def ruled(path: str) -> dict[str, str] | None:
    """Return the query parameters of a handshake on ``path``, or ``None`` if it stays with the HTTP API."""
    for rule in rules():
        if found := re.search(rule.path, path):
            return {rule.parameter: found[1]} if rule.parameter else {}
    return None


@pytest.mark.parametrize("end", ["", "/"])
@pytest.mark.parametrize("path", STREAMS)
def test_every_stream_path_of_the_contract_opens_a_socket(path: str, end: str) -> None:
    assert ruled(path + end) == STREAMS[path]


@pytest.mark.parametrize("path", NO_STREAMS)
def test_every_other_path_stays_with_the_http_api(path: str) -> None:
    assert ruled(path) is None


def test_the_local_front_door_follows_the_same_table() -> None:
    config = caddy_config(listen=[":1"], upstream="127.0.0.1:2", rest_path="/rest", websocket_path="/ws-api")
    *streams, rest = config["apps"]["http"]["servers"]["front"]["routes"]
    assert [route["match"][0]["path_regexp"]["pattern"] for route in streams] == [rule.path for rule in rules()]
    assert all(route["match"][0]["header"] == {"Sec-WebSocket-Key": ["*"]} for route in streams)
    assert "match" not in rest
    assert rest["handle"][0]["uri"] == "/rest{http.request.uri}"
    assert streams[0]["handle"][0]["uri"] == "/ws-api?orderId={http.regexp.rule0.1}&{http.request.uri.query}"


def test_the_front_door_on_aws_is_the_generated_function(packaged: Packaged) -> None:
    code = packaged.resources("AWS::CloudFront::Function")["FrontDoorFunction"]["FunctionCode"]
    assert code == cloudfront_function()
    assert "generated" not in code.splitlines()[-1]
    for rule in rules():
        assert json.dumps(rule.path) in code
    assert len(code.encode()) <= 10 * 1024, "CloudFront accepts no larger function"


def test_both_origins_are_the_apis_of_the_stack_at_their_stages(packaged: Packaged) -> None:
    [door] = packaged.resources("AWS::CloudFront::Distribution").values()
    origins = {origin["Id"]: origin for origin in door["DistributionConfig"]["Origins"]}
    [rest] = packaged.resources("AWS::Serverless::Api").values()
    [stage] = packaged.resources("AWS::ApiGatewayV2::Stage").values()
    assert origins["rest"]["OriginPath"] == f"/{rest['StageName']}"
    assert origins["websocket"]["OriginPath"] == f"/{stage['StageName']}"
    assert packaged.variables["WEBSOCKET_ENDPOINT"]["Fn::Sub"].endswith(f"/{stage['StageName']}")
    assert 'selectRequestOriginById("websocket")' in cloudfront_function()


def test_the_function_uses_only_documented_cloudfront_javascript() -> None:
    """``cloudfront-js-2.0``: ES 5.1 statements, ``const``, ``let``, ``async`` and ``await``; no ``for...of``."""
    code = re.sub(r"//.*", "", cloudfront_function())
    assert not re.search(r"\bfor\s*\(\s*(const|let|var)\s+\w+\s+of\b|\?\.|\?\?|\bclass\b", code)


HARNESS = """
const origins = [];
const cf = {selectRequestOriginById: (id) => origins.push(id)};
CODE
const asked = JSON.parse(require("fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(asked.map((request) => {
  origins.length = 0;
  const answer = handler({request});
  return {uri: answer.uri, querystring: answer.querystring, origins: origins.slice()};
})));
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
def test_the_function_sends_only_handshakes_to_the_socket_api() -> None:
    def request(path: str, **headers: Any) -> dict[str, Any]:
        return {"uri": path, "headers": headers, "querystring": {"afterSeq": {"value": "3"}}}

    key = {"sec-websocket-key": {"value": "x"}}
    asked = [request(path, **headers) for path in [*STREAMS, *NO_STREAMS] for headers in (key, {})]
    code = HARNESS.replace("CODE", cloudfront_function().replace('import cf from "cloudfront";', ""))
    done = subprocess.run(["node", "-e", code], input=json.dumps(asked), capture_output=True, text=True, check=True)
    for before, after in zip(asked, json.loads(done.stdout), strict=True):
        said = ruled(before["uri"]) if before["headers"] else None
        if said is None:
            assert after == {"uri": before["uri"], "querystring": before["querystring"], "origins": []}
            continue
        query = before["querystring"] | {name: {"value": value} for name, value in said.items()}
        assert after == {"uri": "/", "querystring": query, "origins": ["websocket"]}
