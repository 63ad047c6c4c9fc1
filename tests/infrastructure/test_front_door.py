"""The front door sends the handshakes on stream paths to the WebSocket API, with their query parameters."""

import json
import re
from fnmatch import fnmatchcase
from typing import Any

import pytest

from chalicelib.api.bare_problems import gateway_problem
from infra.aws.front_door import (
    FUNCTION,
    PAGE_FILES,
    SOCKET_FUNCTION,
    caddy_config,
    cloudfront_function,
    rules,
)
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
    "/ws/orders/1&orderId=2",
    "/ws/orders/1%2F2",
    "/api/orders/executed",
    "/api/orders/1",
    "/orders",
]


def ruled(path: str) -> dict[str, str] | None:
    """Return the query parameters of a handshake on ``path``, or ``None`` if it stays with the HTTP API."""
    for stream in rules().streams:
        if found := re.search(stream.path, path):
            return {stream.parameter: found[1]} if stream.parameter else {}
    return None


@pytest.mark.parametrize("path", STREAMS)
def test_every_stream_path_of_the_contract_opens_a_socket(path: str) -> None:
    assert ruled(path) == STREAMS[path]


@pytest.mark.parametrize("path", NO_STREAMS)
def test_every_other_path_stays_with_the_http_api(path: str) -> None:
    assert ruled(path) is None


def test_the_local_front_door_follows_the_same_table() -> None:
    config = caddy_config(
        listen=[":1"], upstream="127.0.0.1:2", rest_path="/rest", websocket_path="/ws-api", origin=""
    )
    _, _, *streams, _, _, rest = config["apps"]["http"]["servers"]["front"]["routes"]
    for route, stream in zip(streams, rules().streams, strict=True):
        [written] = route["match"][0]["vars_regexp"].values()
        assert written["pattern"].startswith(stream.path.removesuffix("$"))
    assert all(rules().handshake.keys() < route["match"][0]["header_regexp"].keys() for route in streams)
    assert "match" not in rest
    assert rest["handle"][0]["path_regexp"] == [{"find": "^", "replace": "/rest"}]


@pytest.mark.parametrize(("function", "origin"), [(FUNCTION, "rest"), (SOCKET_FUNCTION, "websocket")])
def test_the_front_door_on_aws_is_the_generated_function(packaged: Packaged, function: str, origin: str) -> None:
    code = packaged.resources("AWS::CloudFront::Function")[function]["FunctionCode"]
    assert code == cloudfront_function(origin)
    assert "generated" not in code.splitlines()[-1]
    for stream in rules().streams:
        assert json.dumps(stream.path) in code
    assert gateway_problem(400).code.value in code
    assert len(code.encode()) <= 10 * 1024, "CloudFront accepts no larger function"


def test_both_origins_are_the_apis_of_the_stack_at_their_stages(packaged: Packaged) -> None:
    [door] = packaged.resources("AWS::CloudFront::Distribution").values()
    origins = {origin["Id"]: origin for origin in door["DistributionConfig"]["Origins"]}
    [rest] = packaged.resources("AWS::Serverless::Api").values()
    [stage] = packaged.resources("AWS::ApiGatewayV2::Stage").values()
    assert origins["rest"]["OriginPath"] == f"/{rest['StageName']}"
    assert origins["websocket"]["OriginPath"] == f"/{stage['StageName']}"
    assert packaged.variables["WEBSOCKET_ENDPOINT"]["Fn::Sub"].endswith(f"/{stage['StageName']}")


def behaviors(packaged: Packaged) -> dict[str, dict[str, Any]]:
    """Return the cache behaviors by their path patterns, in the order in which CloudFront tries them."""
    [door] = packaged.resources("AWS::CloudFront::Distribution").values()
    settings = door["DistributionConfig"]
    found = {one["PathPattern"]: one for one in settings["CacheBehaviors"]}
    assert len(found) == len(settings["CacheBehaviors"])
    return found | {"*": settings["DefaultCacheBehavior"]}


def test_socket_paths_have_a_behavior_before_the_websocket_api_like_the_default_one(packaged: Packaged) -> None:
    found = behaviors(packaged)
    default = found["*"]
    assert found.keys() == {"/ws/*", "/ws", "/api/orders/connect", PAGE_FILES, "*"}
    for pattern in found.keys() - {PAGE_FILES, "*"}:
        changed = {name: value for name, value in found[pattern].items() if default.get(name) != value}
        assert changed == {
            "PathPattern": pattern,
            "TargetOriginId": "websocket",
            "FunctionAssociations": [
                {"EventType": "viewer-request", "FunctionARN": {"Fn::GetAtt": [SOCKET_FUNCTION, "FunctionARN"]}}
            ],
        }


@pytest.mark.parametrize("path", STREAMS)
def test_cloudfront_itself_sends_a_stream_path_to_the_websocket_api_unless_the_http_api_has_it_too(
    packaged: Packaged, path: str
) -> None:
    pattern = next(one for one in behaviors(packaged) if fnmatchcase(path, one))
    [api] = packaged.resources("AWS::Serverless::Api").values()
    is_shared = path in api["DefinitionBody"]["paths"]
    assert behaviors(packaged)[pattern]["TargetOriginId"] == ("rest" if is_shared else "websocket")


def test_the_front_door_passes_every_method_that_a_route_has(packaged: Packaged) -> None:
    [door] = packaged.resources("AWS::CloudFront::Distribution").values()
    [api] = packaged.resources("AWS::Serverless::Api").values()
    methods = {method.upper() for path in api["DefinitionBody"]["paths"].values() for method in path}
    assert methods <= set(door["DistributionConfig"]["DefaultCacheBehavior"]["AllowedMethods"])


def test_cloudfront_keeps_and_compresses_the_files_of_the_page_as_long_as_the_app_says(packaged: Packaged) -> None:
    found = behaviors(packaged)
    default, files = found["*"], found[PAGE_FILES]
    assert (files["Compress"], default["Compress"]) == (True, False)
    # CachingOptimized, which puts neither the query nor a header into the key or into the request to the origin.
    assert files["CachePolicyId"] == "658327ea-f89d-4fab-a63d-7e88639e58f6"
    assert "OriginRequestPolicyId" not in files
    [api] = packaged.resources("AWS::Serverless::Api").values()
    methods = {method.upper() for method in api["DefinitionBody"]["paths"]["/ui/{name}"]}
    assert set(files["AllowedMethods"]) == methods
    for name in ("TargetOriginId", "ViewerProtocolPolicy", "ResponseHeadersPolicyId", "FunctionAssociations"):
        assert files[name] == default[name]


def test_the_function_uses_only_documented_cloudfront_javascript() -> None:
    """``cloudfront-js-2.0``: ES 5.1 statements, ``const``, ``let``, ``async`` and ``await``; no ``for...of``."""
    code = re.sub(r"//.*", "", cloudfront_function("rest"))
    assert not re.search(r"\bfor\s*\(\s*(const|let|var)\s+\w+\s+of\b|\?\.|\?\?|\bclass\b", code)


def test_the_function_answers_with_no_header_that_cloudfront_refuses() -> None:
    """Source: "Restrictions on all edge functions", AWS; one of these headers turns the answer into a 502."""
    table = json.loads(re.findall(r"const table = (.*);", cloudfront_function("rest"))[0])
    names = {name.lower() for name in table["refusal"]["headers"]}
    assert not names & {"upgrade", "connection", "x-amzn-requestid", "x-amzn-errortype"}
