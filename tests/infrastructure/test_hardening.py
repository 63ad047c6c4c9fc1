"""The template bounds what strangers may ask for, and protects every answer and every log line."""

import copy
import json
from collections.abc import Mapping
from typing import Any

import pytest
from samtranslator.translator.transform import transform

from chalicelib.http.cors import ALLOW_ORIGIN, allowed_origin
from chalicelib.http.headers import FIXED_HEADERS
from infra.aws.cors import CONDITIONS, ORIGIN
from infra.aws.socket_deployment import renamed_deployment
from infra.aws.stage_parameters import STAGE_PARAMETERS, stage_parameters
from infra.settings import SETTINGS
from tests.infrastructure.conftest import Packaged

#: The codes that CloudFront caches, whatever the cache policy says. Source: "Control how long CloudFront caches
#: errors", AWS.
CACHED_ERRORS = {400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504}


class NoPolicies:
    """The managed policies of an account, which the template does not use."""

    def load(self) -> dict[str, str]:
        return {}


@pytest.fixture(scope="module")
def door(packaged: Packaged) -> dict[str, Any]:
    [found] = packaged.resources("AWS::CloudFront::Distribution").values()
    configuration: dict[str, Any] = found["DistributionConfig"]
    return configuration


def resolved(value: Any, parameters: Mapping[str, str]) -> Any:
    """The value of a condition or an intrinsic function of the template, ``None`` for no value."""
    if not isinstance(value, dict):
        return value
    [(function, argument)] = value.items()
    match function:
        case "Ref":
            return parameters.get(argument)
        case "Fn::Equals":
            return resolved(argument[0], parameters) == resolved(argument[1], parameters)
        case "Fn::Not":
            return not resolved(argument[0], parameters)
        case "Fn::Or":
            return any(resolved(one, parameters) for one in argument)
        case "Fn::Sub":
            return argument.replace("${CorsOrigin}", parameters["CorsOrigin"])
        case "Fn::If":
            name, yes, no = argument
            return resolved(yes if resolved(CONDITIONS[name], parameters) else no, parameters)
    raise AssertionError(function)


# --- throttles ----------------------------------------------------------------------------------------------


def test_both_apis_are_throttled(packaged: Packaged) -> None:
    [rest] = packaged.resources("AWS::Serverless::Api").values()
    [settings] = rest["MethodSettings"]
    assert (settings["ResourcePath"], settings["HttpMethod"]) == ("/*", "*")
    [stage] = packaged.resources("AWS::ApiGatewayV2::Stage").values()
    for limits, api in ((settings, "Api"), (stage["DefaultRouteSettings"], "Socket")):
        assert limits["ThrottlingRateLimit"] == {"Ref": f"{api}RateLimit"}
        assert limits["ThrottlingBurstLimit"] == {"Ref": f"{api}BurstLimit"}
        assert packaged.template["Parameters"][f"{api}RateLimit"]["Default"] == 500
        assert packaged.template["Parameters"][f"{api}BurstLimit"]["Default"] == 1000


def test_a_web_acl_is_attached_if_one_is_given(packaged: Packaged, door: dict[str, Any]) -> None:
    assert door["WebACLId"] == {"Fn::If": ["HasWebAcl", {"Ref": "WebAclArn"}, {"Ref": "AWS::NoValue"}]}
    assert packaged.template["Conditions"]["HasWebAcl"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "WebAclArn"}, ""]}]}


def test_make_deploy_sets_every_parameter_that_is_no_setting(packaged: Packaged) -> None:
    of_the_database = {"DatabaseSecret", "SubnetIds", "SecurityGroupIds"}
    set_elsewhere = {row.parameter for row in SETTINGS} | of_the_database | {"PublicWsUrl"}
    set_elsewhere |= {"DeletionProtection"}
    assert packaged.template["Parameters"].keys() - set_elsewhere == set(STAGE_PARAMETERS.values())


def test_a_deployment_keeps_the_stage_parameters_that_the_environment_lacks() -> None:
    assert stage_parameters({"API_RATE_LIMIT": "50", "WEB_ACL_ARN": "", "PATH": "/"}) == {"ApiRateLimit": "50"}


def test_every_parameter_with_a_pattern_says_in_words_what_it_must_be(packaged: Packaged) -> None:
    for name in STAGE_PARAMETERS.values():
        parameter = packaged.template["Parameters"][name]
        assert ("AllowedPattern" in parameter) == ("ConstraintDescription" in parameter), name
        assert parameter["Type"] != "Number" or {"MinValue", "AllowedValues"} & parameter.keys(), name


# --- the front door -----------------------------------------------------------------------------------------


def test_cloudfront_caches_no_error(door: dict[str, Any]) -> None:
    rows = door["CustomErrorResponses"]
    assert {row["ErrorCode"]: row["ErrorCachingMinTTL"] for row in rows} == dict.fromkeys(CACHED_ERRORS, 0)


def test_cloudfront_sets_the_headers_of_the_app_on_every_answer_and_says_that_it_takes_tls_alone(
    packaged: Packaged, door: dict[str, Any]
) -> None:
    for behavior in (door["DefaultCacheBehavior"], *door["CacheBehaviors"]):
        assert behavior["ResponseHeadersPolicyId"] == {"Ref": "FrontDoorHeaders"}
    [policy] = packaged.resources("AWS::CloudFront::ResponseHeadersPolicy").values()
    security = policy["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]
    [custom] = policy["ResponseHeadersPolicyConfig"]["CustomHeadersConfig"]["Items"]
    assert {custom["Header"]: custom["Value"]} | {
        "Referrer-Policy": security["ReferrerPolicy"]["ReferrerPolicy"],
        "X-Content-Type-Options": "nosniff",
    } == FIXED_HEADERS
    assert security["StrictTransportSecurity"]["AccessControlMaxAgeSec"] >= 31_536_000
    # The app decides which of its answers a cache may keep.
    assert not custom["Override"]
    assert all(one["Override"] for one in security.values())


def test_the_front_doors_own_domain_takes_tls_1_2_at_least(door: dict[str, Any]) -> None:
    name, own, default = door["ViewerCertificate"]["Fn::If"]
    assert (name, own["MinimumProtocolVersion"]) == ("HasDomain", "TLSv1.2_2021")
    assert default == {"CloudFrontDefaultCertificate": True}
    assert {tuple(origin["CustomOriginConfig"]["OriginSSLProtocols"]) for origin in door["Origins"]} == {("TLSv1.2",)}


# --- pages of other origins ---------------------------------------------------------------------------------


@pytest.mark.parametrize("auth", ["", "on", "off", "OFF", "Off", "0", "false", "False", "FALSE", "1"])
@pytest.mark.parametrize("origin", ["", "*", "https://app.example"])
def test_api_gateway_allows_the_origin_that_the_app_allows(auth: str, origin: str) -> None:
    allowed = allowed_origin({"AUTH": auth, "CORS_ORIGIN": origin})
    header = resolved(ORIGIN, {"Auth": auth, "CorsOrigin": origin})
    assert header == (f"'{allowed}'" if allowed else None)


def test_every_preflight_has_the_allowed_origin_and_the_headers_of_all_answers(packaged: Packaged) -> None:
    assert CONDITIONS.items() <= packaged.template["Conditions"].items()
    [api] = packaged.resources("AWS::Serverless::Api").values()
    for path, methods in api["DefinitionBody"]["paths"].items():
        preflight = methods["options"]
        [answer] = preflight["x-amazon-apigateway-integration"]["responses"].values()
        headers = {name.rpartition(".")[2]: value for name, value in answer["responseParameters"].items()}
        assert headers[ALLOW_ORIGIN] == ORIGIN, path
        assert {name: f"'{value}'" for name, value in FIXED_HEADERS.items()}.items() <= headers.items(), path
        assert "Authorization" in headers["Access-Control-Allow-Headers"].strip("'").split(","), path
        exposed = headers["Access-Control-Expose-Headers"].strip("'").split(",")
        assert {"WWW-Authenticate", "Retry-After"} <= set(exposed), path
        # API Gateway refuses a header that the method's response does not declare.
        assert headers.keys() <= preflight["responses"]["200"]["headers"].keys(), path


def test_sam_takes_the_template_and_deploys_the_api_after_a_change_of_a_parameter(
    packaged: Packaged, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    template = copy.deepcopy(packaged.template)
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = {"Bucket": "bucket", "Key": "code.zip"}
    template = transform(template, {"DatabaseUrl": "postgresql://somewhere"}, NoPolicies())
    resources = template["Resources"]
    assert not [name for name, one in resources.items() if one["Type"].startswith("AWS::Serverless")]
    assert resources["RestAPI"]["Properties"]["Body"]["x-amazon-apigateway-gateway-responses"]
    assert packaged.template["Resources"]["RestAPI"]["Properties"]["AlwaysDeploy"] is True
    assert resources["RestAPIapiStage"]["Properties"]["MethodSettings"][0]["ThrottlingRateLimit"]
    assert resources["RunLooks"]["Properties"]["LoggingConfig"]["LogFormat"] == "JSON"
    # SAM's own stage, "Stage", would have neither throttle nor alarm.
    [stage] = [one["Properties"] for one in resources.values() if one["Type"] == "AWS::ApiGateway::Stage"]
    assert stage["StageName"] == "api"
    [deployment] = [one["Properties"] for one in resources.values() if one["Type"] == "AWS::ApiGateway::Deployment"]
    assert "StageName" not in deployment
    # The metrics of two stages differ by the name of the API alone. An import names it by its title.
    api = resources["RestAPI"]["Properties"]
    assert api["Name"] == api["Body"]["info"]["title"] == {"Ref": "AWS::StackName"}
    assert all(resources[name]["Properties"]["Runtime"].startswith("python3.") for name in packaged.functions)
    assert resources["RestAPIapiStage"]["Properties"]["AccessLogSetting"]["Fn::If"][0] == "HasAccessLogs"
    assert resources["RestAPIapiStage"]["Properties"]["TracingEnabled"] == {"Fn::If": ["IsTraced", True, False]}
    assert resources["RunLooks"]["Properties"]["TracingConfig"]["Mode"]["Fn::If"][0] == "IsTraced"


# --- the deployment of the WebSocket API --------------------------------------------------------------------


def test_a_changed_route_or_integration_of_the_websocket_api_is_deployed(packaged: Packaged) -> None:
    [name] = packaged.resources("AWS::ApiGatewayV2::Deployment")
    [stage] = packaged.resources("AWS::ApiGatewayV2::Stage").values()
    assert stage["DeploymentId"] == {"Ref": name}

    def deployed_as(resources: dict[str, Any]) -> str:
        plain = {"WebsocketAPIDeployment" if key == name else key: value for key, value in resources.items()}
        renamed = renamed_deployment(plain)
        [found] = [key for key, one in renamed.items() if one["Type"] == "AWS::ApiGatewayV2::Deployment"]
        return found

    resources = copy.deepcopy(packaged.template["Resources"])
    assert deployed_as(resources) == name
    resources["WebsocketConnect"]["Properties"]["Timeout"] = 11
    assert deployed_as(resources) == name
    resources["WebsocketConnectRoute"]["Properties"]["AuthorizationType"] = "CUSTOM"
    assert deployed_as(resources) != name
    assert name.startswith("WebsocketAPIDeployment")
    assert name.isalnum()


# --- logs ---------------------------------------------------------------------------------------------------


def test_every_function_logs_json_into_a_group_of_its_own_that_forgets(packaged: Packaged) -> None:
    groups = packaged.resources("AWS::Logs::LogGroup")
    for name, function in packaged.functions.items():
        logging = function["LoggingConfig"]
        assert logging["LogFormat"] == "JSON"
        assert logging["ApplicationLogLevel"] == "DEBUG", "LOG_LEVEL decides"
        group = groups[logging["LogGroup"]["Ref"]]
        assert group["RetentionInDays"] == {"Ref": "LogRetentionDays"}
        role = packaged.template["Resources"][function["Role"]["Fn::GetAtt"][0]]
        policy = json.dumps(role["Properties"]["Policies"])
        prefix = group["LogGroupName"]["Fn::Sub"].removesuffix("logs")
        assert f"log-group:{prefix}*:*" in policy, name
    assert groups.keys() - {"HttpAccessLogs", "SocketAccessLogs"} == {f"{name}Logs" for name in packaged.functions}


def access_logs(packaged: Packaged) -> dict[str, dict[str, Any]]:
    """The settings of both stages, by their log groups."""
    [rest] = packaged.resources("AWS::Serverless::Api").values()
    [sockets] = packaged.resources("AWS::ApiGatewayV2::Stage").values()
    found = {"HttpAccessLogs": rest["AccessLogSetting"], "SocketAccessLogs": sockets["AccessLogSettings"]}
    for settings in found.values():
        assert (settings["Fn::If"][0], settings["Fn::If"][2]) == ("HasAccessLogs", {"Ref": "AWS::NoValue"})
    return {name: settings["Fn::If"][1] for name, settings in found.items()}


def test_both_apis_log_each_request_into_a_group_that_forgets(packaged: Packaged) -> None:
    for name, settings in access_logs(packaged).items():
        group = packaged.template["Resources"][name]
        assert settings["DestinationArn"]["Fn::Sub"].endswith(f":log-group:${{{name}}}")
        assert group["Condition"] == "HasAccessLogs"
        assert group["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}


def test_a_line_of_the_access_logs_is_json_without_credentials(packaged: Packaged) -> None:
    """Credentials come in headers and in the query, and none of these variables has a part of either."""
    harmless = {
        *(
            "requestId",
            "requestTime",
            "identity.sourceIp",
            "httpMethod",
            "resourcePath",
            "path",
            "routeKey",
            "eventType",
        ),
        *("connectionId", "status", "responseLatency", "responseLength", "error.responseType"),
        *("integration.latency", "integration.status"),
    }
    for name, settings in access_logs(packaged).items():
        line = json.loads(settings["Format"])
        assert {"requestId", "ip", "route", "status", "functionMs"} <= line.keys(), name
        assert {value.removeprefix("$context.") for value in line.values()} <= harmless, name
        assert "\n" not in settings["Format"], "API Gateway refuses a format of several lines"


def test_access_logs_work_in_a_new_account_and_can_leave_the_accounts_own_role_alone(packaged: Packaged) -> None:
    """API Gateway refuses a stage with access logs in an account without a role for them."""
    resources, conditions = packaged.template["Resources"], packaged.template["Conditions"]
    assert packaged.template["Parameters"]["AccessLogs"]["Default"] == "stack"
    assert conditions["OwnAccessLogsRole"] == {"Fn::Equals": [{"Ref": "AccessLogs"}, "stack"]}
    account, role = resources["AccessLogsAccount"], resources["AccessLogsRole"]
    assert account["Properties"]["CloudWatchRoleArn"] == {"Fn::Sub": "${AccessLogsRole.Arn}"}
    for one in (account, role):
        # Other stages of the account log by this role.
        assert (one["Condition"], one["DeletionPolicy"]) == ("OwnAccessLogsRole", "Retain")
    for group in access_logs(packaged):
        tags = resources[group]["Properties"]["Tags"]["Fn::If"]
        assert tags[0] == "OwnAccessLogsRole"
        assert {"Ref": "AccessLogsAccount"} in [tag["Value"] for tag in tags[1]], "the stage must wait for the role"


# --- tracing ------------------------------------------------------------------------------------------------


def test_x_ray_traces_every_function_and_the_api_of_a_stage_that_asks_for_it(packaged: Packaged) -> None:
    assert packaged.template["Parameters"]["Tracing"]["Default"] == "off"
    assert packaged.template["Conditions"]["IsTraced"] == {"Fn::Equals": [{"Ref": "Tracing"}, "on"]}
    mode = {"Fn::If": ["IsTraced", "Active", "PassThrough"]}
    assert {json.dumps(function["Tracing"]) for function in packaged.functions.values()} == {json.dumps(mode)}
    [rest] = packaged.resources("AWS::Serverless::Api").values()
    assert rest["TracingEnabled"] == {"Fn::If": ["IsTraced", True, False]}


def test_a_traced_function_waits_for_the_permission_without_which_lambda_refuses_to_trace_it(
    packaged: Packaged,
) -> None:
    """A role has its inline policies when it is complete, and a function refers to its role."""
    for name, function in packaged.functions.items():
        role = packaged.template["Resources"][function["Role"]["Fn::GetAtt"][0]]["Properties"]
        [(condition, policy, otherwise)] = [one["Fn::If"] for one in role["Policies"] if "Fn::If" in one]
        assert (condition, otherwise) == ("IsTraced", {"Ref": "AWS::NoValue"}), name
        [statement] = policy["PolicyDocument"]["Statement"]
        assert statement["Action"] == ["xray:PutTraceSegments", "xray:PutTelemetryRecords"], name
