"""The front door sends the handshakes on stream paths to the WebSocket API, with their query parameters."""

import json
import re

import pytest

from chalicelib.api.bare_problems import gateway_problem
from infra.aws.front_door import PAGE_FILES, caddy_config, cloudfront_function, rules
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
    assert [route["match"][0]["path_regexp"]["pattern"] for route in streams] == [
        stream.path for stream in rules().streams
    ]
    assert all(rules().handshake.keys() < route["match"][0]["header_regexp"].keys() for route in streams)
    assert "match" not in rest
    assert rest["handle"][0]["uri"] == "/rest{http.request.uri}"


def test_the_front_door_on_aws_is_the_generated_function(packaged: Packaged) -> None:
    code = packaged.resources("AWS::CloudFront::Function")["FrontDoorFunction"]["FunctionCode"]
    assert code == cloudfront_function()
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
    assert 'selectRequestOriginById("websocket")' in cloudfront_function()


def test_the_front_door_passes_every_method_that_a_route_has(packaged: Packaged) -> None:
    [door] = packaged.resources("AWS::CloudFront::Distribution").values()
    [api] = packaged.resources("AWS::Serverless::Api").values()
    methods = {method.upper() for path in api["DefinitionBody"]["paths"].values() for method in path}
    assert methods <= set(door["DistributionConfig"]["DefaultCacheBehavior"]["AllowedMethods"])


def test_cloudfront_keeps_and_compresses_the_files_of_the_page_as_long_as_the_app_says(packaged: Packaged) -> None:
    [door] = packaged.resources("AWS::CloudFront::Distribution").values()
    default, [files] = (door["DistributionConfig"][name] for name in ("DefaultCacheBehavior", "CacheBehaviors"))
    assert (files["PathPattern"], files["Compress"], default["Compress"]) == (PAGE_FILES, True, False)
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
    code = re.sub(r"//.*", "", cloudfront_function())
    assert not re.search(r"\bfor\s*\(\s*(const|let|var)\s+\w+\s+of\b|\?\.|\?\?|\bclass\b", code)


def test_the_function_answers_with_no_header_that_cloudfront_refuses() -> None:
    """Source: "Restrictions on all edge functions", AWS; one of these headers turns the answer into a 502."""
    table = json.loads(re.findall(r"const table = (.*);", cloudfront_function())[0])
    names = {name.lower() for name in table["refusal"]["headers"]}
    assert not names & {"upgrade", "connection", "x-amzn-requestid", "x-amzn-errortype"}
