"""The production template has the properties that operators rely on."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest
import yaml
from pynamodb.models import Model

from chalicelib.api.bare_problems import gateway_problem
from chalicelib.api.problems import CONTENT_TYPE
from chalicelib.codec.looks import read_look_message
from chalicelib.consumers.batch import failure_pause_seconds
from chalicelib.http.headers import FIXED_HEADERS
from chalicelib.ports.queues import LooksOfMinute
from chalicelib.services.operations.looks import MAX_COVERED_SECONDS
from chalicelib.services.operations.work import SLOTS
from chalicelib.settings import Settings, read_settings
from chalicelib.stores.models import (
    ApiKeyItem,
    IdempotencyItem,
    LedgerItem,
    MarketItem,
    OrderItem,
    RateLimitItem,
    StreamItem,
)
from infra.aws.alarms import RUNBOOK
from infra.aws.cors import ORIGIN
from infra.project import APP, ROOT, STAGES
from infra.settings import SETTINGS
from tests.infrastructure.conftest import RUNTIME, Packaged

TABLES = {
    "OrdersTable": OrderItem,
    "StreamsTable": StreamItem,
    "LedgerTable": LedgerItem,
    "IdempotencyTable": IdempotencyItem,
    "RateLimitTable": RateLimitItem,
    "MarketTable": MarketItem,
    "ApiKeysTable": ApiKeyItem,
}
#: Lambda refuses a function that sets one of these. Source: "Defined runtime environment variables", AWS.
RESERVED_BY_LAMBDA = {
    *("_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV", "AWS_ACCESS_KEY"),
    *("AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION"),
    *("AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME"),
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_LAMBDA_RUNTIME_API"),
    *("LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR"),
}
#: Indexes that only operators and fault tests query, for the swaps of an order.
OPERATORS_INDEXES = {"LedgerTable": {"orderId"}}


def everything(data: Any) -> Iterator[Any]:
    """Yield every key and value in ``data``, at any depth."""
    yield data
    for inner in [*data, *data.values()] if isinstance(data, dict) else data if isinstance(data, list) else ():
        yield from everything(inner)


def arn_of(value: Any) -> str:
    """Return the resource whose ARN a ``Fn::Sub`` or ``Fn::GetAtt`` is."""
    if "Fn::Sub" in value:
        text: str = value["Fn::Sub"]
        assert text.startswith("${")
        assert text.endswith(".Arn}")
        return text[2:-5]
    name, attribute = value["Fn::GetAtt"]
    assert attribute == "Arn"
    return str(name)


def test_cloudformation_will_accept_the_template(packaged: Packaged) -> None:
    lint = Path(sys.executable).with_name("cfn-lint")
    done = subprocess.run([lint, "-t", packaged.template_file], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


# --- concurrency and queues ---------------------------------------------------------------------------------


def test_ten_orders_run_at_once_and_the_poller_fetches_no_more_than_that(packaged: Packaged) -> None:
    assert packaged.queue_events()["ProcessOrders"]["ScalingConfig"] == {"MaximumConcurrency": SLOTS}
    assert packaged.queue_events()["ProcessOrders"]["BatchSize"] == 1


def test_dead_letters_open_few_connections_to_postgres(packaged: Packaged) -> None:
    assert packaged.queue_events()["CloseDeadLetters"]["ScalingConfig"] == {"MaximumConcurrency": 2}


def test_every_function_that_a_queue_invokes_is_bounded(packaged: Packaged) -> None:
    assert all("ScalingConfig" in event for event in packaged.queue_events().values())


def test_no_function_takes_concurrency_from_the_account_unless_it_is_given_some(packaged: Packaged) -> None:
    reserved = {
        name: function["ReservedConcurrentExecutions"]
        for name, function in packaged.functions.items()
        if "ReservedConcurrentExecutions" in function
    }
    for function, name in {"ProcessOrders": "ProcessorConcurrency", "APIHandler": "ApiConcurrency"}.items():
        assert reserved.pop(function) == {"Fn::If": [f"Has{name}", {"Ref": name}, {"Ref": "AWS::NoValue"}]}
        assert packaged.template["Parameters"][name]["Default"] == ""
    assert reserved == {}


def test_a_reservation_of_the_processor_is_no_less_than_its_poller_fetches(packaged: Packaged) -> None:
    pattern = packaged.template["Parameters"]["ProcessorConcurrency"]["AllowedPattern"]
    accepted = [text for text in ("", "1", "9", "10", "11", "100") if re.fullmatch(pattern, text)]
    assert accepted == ["", "10", "11", "100"]
    assert SLOTS == 10


def test_the_api_alone_knows_how_many_environments_it_has(packaged: Packaged) -> None:
    variables = {
        name: function.get("Environment", {}).get("Variables", {}) for name, function in packaged.functions.items()
    }
    known = {name: held["API_CONCURRENCY"] for name, held in variables.items() if "API_CONCURRENCY" in held}
    assert known == {"APIHandler": {"Ref": "ApiConcurrency"}}


def test_every_queue_handler_fails_or_retries_messages_one_by_one(packaged: Packaged) -> None:
    events = packaged.queue_events()
    assert {name: arn_of(event["Queue"]) for name, event in events.items()} == {
        "ProcessOrders": "OrdersQueue",
        "ReplayStreams": "ReplayQueue",
        "FanOut": "FanOutQueue",
        "CloseDeadLetters": "DeadLettersQueue",
        "RunLooks": "LooksQueue",
    }
    for name, event in events.items():
        if name == "RunLooks":
            # A failed look is an error of the function, which raises the alarm.
            assert (event["BatchSize"], event.get("FunctionResponseTypes")) == (1, None)
        else:
            assert event["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert set(event["Queue"]) in ({"Fn::Sub"}, {"Fn::GetAtt"}), "the merge left two references"


@pytest.mark.parametrize(
    ("queue", "receives", "dead_letters"),
    [
        ("OrdersQueue", 5, "DeadLettersQueue"),
        ("HighPriorityQueue", 5, "DeadLettersQueue"),
        ("ReplayQueue", 10, "ReplayDeadLettersQueue"),
        ("FanOutQueue", 10, "FanOutDeadLettersQueue"),
    ],
)
def test_an_undeliverable_message_ends_in_a_queue_that_keeps_it_for_two_weeks(
    packaged: Packaged, queue: str, receives: int, dead_letters: str
) -> None:
    queues = packaged.resources("AWS::SQS::Queue")
    redrive = queues[queue]["RedrivePolicy"]
    assert redrive["maxReceiveCount"] == receives
    assert arn_of(redrive["deadLetterTargetArn"]) == dead_letters
    assert queues[dead_letters]["MessageRetentionPeriod"] == 14 * 24 * 3600


@pytest.mark.parametrize("queue", ["OrdersQueue", "HighPriorityQueue", "ReplayQueue", "FanOutQueue"])
def test_a_message_that_fails_at_every_receive_is_a_dead_letter_before_it_expires(
    packaged: Packaged, queue: str
) -> None:
    properties = packaged.resources("AWS::SQS::Queue")[queue]
    receives = properties["RedrivePolicy"]["maxReceiveCount"]
    pauses = sum(map(failure_pause_seconds, range(1, receives + 1)))
    assert pauses + receives * properties["VisibilityTimeout"] < properties["MessageRetentionPeriod"]


def test_the_operators_commands_find_every_queue_of_dead_letters(packaged: Packaged) -> None:
    queues = packaged.resources("AWS::SQS::Queue").values()
    targets = {arn_of(queue["RedrivePolicy"]["deadLetterTargetArn"]) for queue in queues if "RedrivePolicy" in queue}
    assert {f"{target}Url" for target in targets} <= packaged.template["Outputs"].keys()


def test_the_message_of_a_killed_worker_reappears_within_seconds_and_not_beside_a_running_one(
    packaged: Packaged,
) -> None:
    queues = packaged.resources("AWS::SQS::Queue")
    for name, event in packaged.queue_events().items():
        timeout, visibility = packaged.functions[name]["Timeout"], queues[arn_of(event["Queue"])]["VisibilityTimeout"]
        # Lambda refuses a mapping whose queue has a shorter visibility timeout than the function's timeout.
        assert visibility == timeout, name
        assert timeout <= 20, name


def test_the_lease_of_an_attempt_fits_into_its_functions_timeout(packaged: Packaged) -> None:
    defaults = {field.name: field.default for field in fields(Settings)}
    assert defaults["lease_seconds"] < packaged.functions["ProcessOrders"]["Timeout"]


def test_every_queue_and_table_is_encrypted_without_calls_to_kms(packaged: Packaged) -> None:
    assert all(queue["SqsManagedSseEnabled"] for queue in packaged.resources("AWS::SQS::Queue").values())
    assert not [
        name for name, table in packaged.resources("AWS::DynamoDB::Table").items() if "SSESpecification" in table
    ]


def test_eventbridge_asks_for_looks_every_minute(packaged: Packaged) -> None:
    [rule] = packaged.resources("AWS::Events::Rule").values()
    [target] = rule["Targets"]
    assert (rule["ScheduleExpression"], arn_of(target["Arn"])) == ("rate(1 minute)", "LooksQueue")
    assert read_look_message(target["Input"]) == LooksOfMinute()


def test_only_the_schedule_may_send_to_the_looks_queue_from_outside(packaged: Packaged) -> None:
    [policy] = packaged.resources("AWS::SQS::QueuePolicy").values()
    [statement] = policy["PolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert (statement["Action"], arn_of(statement["Resource"])) == ("sqs:SendMessage", "LooksQueue")
    assert arn_of(statement["Condition"]["ArnEquals"]["aws:SourceArn"]) == "LooksSchedule"


def test_a_look_outlives_the_longest_delay_of_its_queue(packaged: Packaged) -> None:
    queue = packaged.resources("AWS::SQS::Queue")["LooksQueue"]
    assert queue["MessageRetentionPeriod"] >= MAX_COVERED_SECONDS + queue["VisibilityTimeout"]
    assert "RedrivePolicy" not in queue, "a lost look is replaced by the next"


@pytest.mark.parametrize("name", ["OrdersTable", "LedgerTable", "MarketTable", "ApiKeysTable"])
def test_deleting_the_stack_deletes_no_order_no_swap_and_no_key(packaged: Packaged, name: str) -> None:
    table = packaged.template["Resources"][name]
    assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    assert table["Properties"]["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    # Off at the first deployment: a table that DynamoDB refuses to delete could not be rolled back.
    protected = {"Fn::If": ["HasDeletionProtection", True, False]}
    assert table["Properties"]["DeletionProtectionEnabled"] == protected
    assert packaged.template["Parameters"]["DeletionProtection"]["Default"] == "off"


# --- tables -------------------------------------------------------------------------------------------------


def model_schema(model: type[Model]) -> dict[str, Any]:
    """Return the keys and indexes that a model requires of its table, in the template's terms."""
    schema = model._get_schema()
    return {
        "keys": {(key["AttributeName"], key["KeyType"]) for key in schema["key_schema"]},
        "types": {each["AttributeName"]: each["AttributeType"] for each in schema["attribute_definitions"]},
        "indexes": {
            index["index_name"]: (
                {(key["AttributeName"], key["KeyType"]) for key in index["key_schema"]},
                index["projection"]["ProjectionType"],
            )
            for index in schema["global_secondary_indexes"]
        },
    }


@pytest.mark.parametrize("name", TABLES)
def test_a_table_has_the_keys_and_indexes_of_its_model(packaged: Packaged, name: str) -> None:
    table = packaged.resources("AWS::DynamoDB::Table")[name]
    expected = model_schema(TABLES[name])
    extra = OPERATORS_INDEXES.get(name, set())
    types = {each["AttributeName"]: each["AttributeType"] for each in table["AttributeDefinitions"]}
    indexes = {
        index["IndexName"]: (
            {(key["AttributeName"], key["KeyType"]) for key in index["KeySchema"]},
            index["Projection"]["ProjectionType"],
        )
        for index in table.get("GlobalSecondaryIndexes", [])
    }
    assert {(key["AttributeName"], key["KeyType"]) for key in table["KeySchema"]} == expected["keys"]
    assert {index: shape for index, shape in indexes.items() if index not in extra} == expected["indexes"]
    assert expected["types"].items() <= types.items()


def test_every_table_has_a_model(packaged: Packaged) -> None:
    assert packaged.resources("AWS::DynamoDB::Table").keys() == TABLES.keys()


@pytest.mark.parametrize("name", ["StreamsTable", "IdempotencyTable", "RateLimitTable", "MarketTable"])
def test_items_expire_by_the_attribute_that_their_store_writes(packaged: Packaged, name: str) -> None:
    limit = packaged.resources("AWS::DynamoDB::Table")[name]["TimeToLiveSpecification"]
    assert limit == {"AttributeName": TABLES[name].expires_at.attr_name, "Enabled": True}  # type: ignore[attr-defined]


@pytest.mark.parametrize("file", ["infra/aws/aws.yaml", "infra/aws/resources.yaml", "infra/local/local.yaml"])
def test_no_name_comes_twice_in_a_file_of_the_template(file: str) -> None:
    """YAML keeps the last one in silence."""
    nodes = [yaml.compose((ROOT / file).read_text())]
    while nodes:
        node = nodes.pop()
        if isinstance(node, yaml.MappingNode):
            names = [name.value for name, _ in node.value]
            assert len(set(names)) == len(names), f"{file}:{node.start_mark.line + 1}"
            nodes += [value for _, value in node.value]
        elif isinstance(node, yaml.SequenceNode):
            nodes += node.value


# --- permissions --------------------------------------------------------------------------------------------


def statements(packaged: Packaged, function: str) -> list[dict[str, Any]]:
    role = arn_of(packaged.functions[function]["Role"])
    policies = packaged.resources("AWS::IAM::Role")[role]["Policies"]
    always = [one for one in policies if "Fn::If" not in one]  # Tracing has a condition, and touches nothing of ours.
    return [each for policy in always for each in policy["PolicyDocument"]["Statement"]]


def listed(one_or_many: Any) -> list[Any]:
    return one_or_many if isinstance(one_or_many, list) else [one_or_many]


def test_every_function_has_a_role_of_its_own(packaged: Packaged) -> None:
    roles = [arn_of(function["Role"]) for function in packaged.functions.values()]
    assert {*roles} == packaged.resources("AWS::IAM::Role").keys() - {"AccessLogsRole"}
    assert len(set(roles)) == len(roles)


def test_only_the_functions_that_use_postgres_get_its_secret_and_enter_its_network(packaged: Packaged) -> None:
    users = {"APIHandler", "WebsocketMessage", "ProcessOrders", "CloseDeadLetters", "RunLooks"}
    in_vpc = {"Fn::If": ["InVpc", ANY, {"Ref": "AWS::NoValue"}]}
    for name, function in packaged.functions.items():
        is_user = name in users
        permitted = {"secretsmanager:GetSecretValue"} if is_user else set()
        variables = function.get("Environment", {}).get("Variables", {})
        assert variables.get("DATABASE_SECRET") == ({"Ref": "DatabaseSecret"} if is_user else None)
        assert allowed(packaged, name, "${DatabaseSecret}") == permitted
        assert function.get("VpcConfig") == (in_vpc if is_user else None)
        role = packaged.resources("AWS::IAM::Role")[arn_of(function["Role"])]
        assert role.get("ManagedPolicyArns") == (in_vpc if is_user else None), name


def test_no_function_has_the_address_of_the_database(packaged: Packaged) -> None:
    assert not [text for text in everything(packaged.template) if "DATABASE_URL" in str(text)]
    assert "DatabaseUrl" not in packaged.template["Parameters"]
    assert "DATABASE_SECRET" not in packaged.variables


def test_a_deployment_that_names_no_subnets_is_in_no_network(packaged: Packaged) -> None:
    assert packaged.template["Conditions"]["InVpc"] == {
        "Fn::Not": [{"Fn::Equals": [{"Fn::Join": ["", {"Ref": "SubnetIds"}]}, ""]}]
    }
    parameters = packaged.template["Parameters"]
    for name in ("SubnetIds", "SecurityGroupIds"):
        assert (parameters[name]["Type"], parameters[name]["Default"]) == ("CommaDelimitedList", "")


def test_no_statement_has_a_wildcard_for_actions_or_resources(packaged: Packaged) -> None:
    for name in packaged.functions:
        for statement in statements(packaged, name):
            assert not [action for action in listed(statement["Action"]) if "*" in action], (
                name,
                statement["Sid"],
            )
            assert "NotAction" not in statement
            assert "NotResource" not in statement
            resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
            for resource in resources:
                text = resource["Fn::Sub"] if isinstance(resource, dict) else resource
                assert text.startswith(("arn:${AWS::Partition}:", "${")), (name, statement["Sid"])
                assert ":*:*" not in text, (name, statement["Sid"])


def allowed(packaged: Packaged, function: str, resource: str) -> set[str]:
    return {
        action
        for statement in statements(packaged, function)
        if {"Fn::Sub": resource} in statement["Resource"]
        for action in statement["Action"]
    }


def test_a_queue_handler_may_receive_extend_and_delete_its_own_messages(packaged: Packaged) -> None:
    for name, event in packaged.queue_events().items():
        needed = {"ReceiveMessage", "DeleteMessage", "GetQueueAttributes"}
        if name != "RunLooks":
            needed.add("ChangeMessageVisibility")
        queue = arn_of(event["Queue"])
        granted = allowed(packaged, name, f"${{{queue}.Arn}}")
        assert {f"sqs:{action}" for action in needed} <= granted, name
    assert "sqs:SendMessage" not in allowed(packaged, "ProcessOrders", "${OrdersQueue.Arn}"), (
        "Lambda would detect a loop"
    )


def test_only_the_http_and_socket_functions_may_create_an_order(packaged: Packaged) -> None:
    makers = {
        name for name in packaged.functions if "dynamodb:PutItem" in allowed(packaged, name, "${OrdersTable.Arn}")
    }
    assert makers == {"APIHandler", "WebsocketMessage"}


def test_each_function_has_only_the_market_permissions_that_it_needs(packaged: Packaged) -> None:
    def functions_that_may(action: str, resource: str) -> set[str]:
        return {name for name in packaged.functions if f"dynamodb:{action}" in allowed(packaged, name, resource)}

    assert functions_that_may("Query", "${OrdersTable.Arn}/index/waiting") == {"APIHandler", "RunLooks"}
    # Functions that quote read pushed prices; functions that accept orders write watch entries for pairs and mints.
    quoting = {"APIHandler", "WebsocketMessage", "ProcessOrders", "RunLooks"}
    assert functions_that_may("Query", "${MarketTable.Arn}") == quoting
    assert functions_that_may("UpdateItem", "${MarketTable.Arn}") == {"APIHandler", "WebsocketMessage"}
    # Launches are announced over HTTP and simulated by the market watcher, which also deletes old ones.
    assert functions_that_may("PutItem", "${MarketTable.Arn}") == {"APIHandler", "RunLooks"}
    assert functions_that_may("DeleteItem", "${MarketTable.Arn}") == {"RunLooks"}


def test_browsers_may_send_a_credential_and_read_why_it_is_refused(packaged: Packaged) -> None:
    [api] = packaged.resources("AWS::Serverless::Api").values()
    for path, methods in api["DefinitionBody"]["paths"].items():
        [answer] = methods["options"]["x-amazon-apigateway-integration"]["responses"].values()
        headers = {name.rpartition(".")[2]: value for name, value in answer["responseParameters"].items()}
        assert "Authorization" in headers["Access-Control-Allow-Headers"].strip("'").split(","), path
        exposed = headers["Access-Control-Expose-Headers"].strip("'").split(",")
        assert {"WWW-Authenticate", "Retry-After"} <= set(exposed), path


def test_browsers_may_amend_orders_with_tracing_and_read_the_headers_of_the_answer(packaged: Packaged) -> None:
    [api] = packaged.resources("AWS::Serverless::Api").values()
    preflight = api["DefinitionBody"]["paths"]["/api/orders/{order_id}"]["options"]
    [answer] = preflight["x-amazon-apigateway-integration"]["responses"].values()
    headers = {name.rpartition(".")[2]: value for name, value in answer["responseParameters"].items()}
    assert "PATCH" in headers["Access-Control-Allow-Methods"]
    allowed_headers = headers["Access-Control-Allow-Headers"].strip("'").split(",")
    assert {"If-Match", "Idempotency-Key", "traceparent", "tracestate", "X-Request-Id"} <= set(allowed_headers)
    exposed_headers = headers["Access-Control-Expose-Headers"].strip("'").split(",")
    assert {"ETag", "Retry-After", "X-Request-Id"} <= set(exposed_headers)


def test_every_resource_that_answers_get_answers_head(packaged: Packaged) -> None:
    [api] = packaged.resources("AWS::Serverless::Api").values()
    for path, methods in api["DefinitionBody"]["paths"].items():
        assert ("head" in methods) == ("get" in methods), path


def test_no_function_may_delete_orders_swaps_or_idempotency_keys(packaged: Packaged) -> None:
    for table in ("OrdersTable", "LedgerTable", "IdempotencyTable"):
        for name in packaged.functions:
            assert "dynamodb:DeleteItem" not in allowed(packaged, name, f"${{{table}.Arn}}")


def test_functions_may_query_only_existing_indexes(packaged: Packaged) -> None:
    tables = packaged.resources("AWS::DynamoDB::Table")
    for name in packaged.functions:
        for statement in statements(packaged, name):
            for resource in statement["Resource"]:
                table, _, index = resource["Fn::Sub"].partition(".Arn}/index/")
                if index:
                    indexes = [each["IndexName"] for each in tables[table[2:]]["GlobalSecondaryIndexes"]]
                    assert index in indexes, (name, index)


def test_no_function_may_query_the_operators_index(packaged: Packaged) -> None:
    for name in packaged.functions:
        assert not allowed(packaged, name, "${LedgerTable.Arn}/index/orderId"), name


# --- settings -----------------------------------------------------------------------------------------------


def test_the_template_sets_every_setting_or_makes_it_a_parameter(packaged: Packaged) -> None:
    parameters = {row.env: row.parameter for row in SETTINGS}
    set_by_template = {field.name.upper() for field in fields(Settings)} - parameters.keys()
    of_some_functions = {"AWS_REGION", "AWS_ENDPOINT_URL", "DATABASE_SECRET", "API_CONCURRENCY"}
    assert set_by_template - of_some_functions <= packaged.variables.keys()
    for variable, parameter in parameters.items():
        assert packaged.variables[variable] == {"Ref": parameter}
        assert packaged.template["Parameters"][parameter] == {"Type": "String", "Default": ""}


def test_the_settings_fit_the_limits_of_cloudformation_and_lambda(packaged: Packaged) -> None:
    assert len(packaged.template["Parameters"]) <= 200
    # Lambda allows 4 KB of environment for names and values.
    variables = packaged.variables | {"DATABASE_SECRET": {"Ref": "DatabaseSecret"}}
    assert sum(len(name) + size_of(name, value) for name, value in variables.items()) < 4096


def size_of(name: str, value: Any) -> int:
    """Return the longest usual length of a variable: a setting is a number, or the address and name of an issuer."""
    tunable = {row.env for row in SETTINGS}
    if isinstance(value, str):
        return len(value)
    if value.get("Ref") in TABLES:
        # CloudFormation adds the stack's name and thirteen characters.
        return len(f"{APP}-prod-{value['Ref']}-") + 13
    if name in tunable:
        return {"AUTH_ISSUER": 128, "AUTH_AUDIENCE": 64}.get(name, 8)
    return 140


def test_a_deployment_without_parameters_runs_on_the_defaults(packaged: Packaged) -> None:
    parameters = {name: row.get("Default", "") for name, row in packaged.template["Parameters"].items()}

    def value(wanted: Any) -> str:
        reference = wanted.get("Ref") if isinstance(wanted, dict) else None
        return str(parameters.get(reference, f"value of {wanted}")) if isinstance(wanted, dict) else str(wanted)

    settings = read_settings({name: value(wanted) for name, wanted in packaged.variables.items()})
    for field in fields(Settings):
        if field.default is not MISSING:
            assert getattr(settings, field.name) == field.default, field.name


def test_the_secret_of_the_credentials_is_made_by_aws_and_outlives_the_stack(packaged: Packaged) -> None:
    secret = packaged.template["Resources"]["AuthSecret"]
    assert (secret["DeletionPolicy"], secret["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    assert secret["Properties"]["GenerateSecretString"]["PasswordLength"] >= 43
    assert packaged.variables["AUTH_SECRET"] == {"Ref": "AuthSecret"}
    assert packaged.variables["STAGE"] == "prod"


def test_no_output_leads_around_the_front_door(packaged: Packaged) -> None:
    # The operators' commands and the page know the front door alone.
    assert not {"EndpointURL", "WebsocketConnectEndpointURL"} & packaged.template["Outputs"].keys()
    outputs = packaged.template["Outputs"]
    assert "FrontDoorUrl" in outputs
    # A DNS record for a domain of one's own leads here.
    assert outputs["FrontDoorTarget"]["Value"] == {"Fn::Sub": "${FrontDoor.DomainName}"}


def test_a_second_region_of_the_account_can_have_the_stack_too(packaged: Packaged) -> None:
    names = [function["Name"]["Fn::Sub"] for function in packaged.resources("AWS::CloudFront::Function").values()]
    assert len(set(names)) == 2
    assert all("${AWS::Region}" in name for name in names)


def test_the_template_for_production_has_no_part_of_the_local_stack(packaged: Packaged) -> None:
    texts = {each for each in everything(packaged.template) if isinstance(each, str)}
    assert not [text for text in texts if "AWS_ENDPOINT_URL" in text or "AwsEndpointUrl" in text]
    assert not [text for text in texts if "localhost" in text or "127.0.0.1" in text or "_aws/execute-api" in text]
    assert "AWS::CloudFormation::WaitConditionHandle" not in texts
    assert packaged.resources("AWS::ApiGatewayV2::Deployment")
    assert not RESERVED_BY_LAMBDA & packaged.variables.keys()
    assert packaged.template["Parameters"]["Simulation"]["Default"] == ""


def test_every_alarm_says_what_broke_and_names_its_section_of_the_runbook(packaged: Packaged) -> None:
    alarms = packaged.resources("AWS::CloudWatch::Alarm")
    runbook = (ROOT / RUNBOOK).read_text().splitlines()
    sections = [line.removeprefix("## ") for line in runbook if line.startswith("## ")]
    assert [section for section in sections if section.endswith("Alarm")] == list(alarms)
    for name, alarm in alarms.items():
        description = alarm["AlarmDescription"]
        assert description.endswith(f" See {RUNBOOK}#{name.lower()}.")
        assert len(description) <= 1024, "CloudWatch allows no more"


def test_every_dead_letter_rings_an_alarm(packaged: Packaged) -> None:
    queues = packaged.resources("AWS::SQS::Queue").values()
    targets = {arn_of(queue["RedrivePolicy"]["deadLetterTargetArn"]) for queue in queues if "RedrivePolicy" in queue}
    watched = json.dumps(packaged.resources("AWS::CloudWatch::Alarm"))
    assert {target for target in targets if target not in watched} == set()


# --- errors that API Gateway answers itself -----------------------------------------------------------------


def test_api_gateways_own_errors_are_the_apps_problems(packaged: Packaged) -> None:
    [api] = packaged.resources("AWS::Serverless::Api").values()
    failures = ("API_CONFIGURATION_ERROR", "INTEGRATION_FAILURE", "INTEGRATION_TIMEOUT", "DEFAULT_5XX")
    statuses = {"MISSING_AUTHENTICATION_TOKEN": 404, "THROTTLED": 429, "REQUEST_TOO_LARGE": 413}
    statuses |= dict.fromkeys(failures, 503)
    statuses |= dict.fromkeys(("INVALID_SIGNATURE", "EXPIRED_TOKEN", "RESOURCE_NOT_FOUND"), 404)
    statuses |= dict.fromkeys(("ACCESS_DENIED", "WAF_FILTERED", "DEFAULT_4XX"), 403)
    codes = {403: "FORBIDDEN", 404: "NOT_FOUND", 429: "TOO_MANY_REQUESTS", 413: "BODY_TOO_LARGE", 503: "UNAVAILABLE"}
    responses = api["GatewayResponses"]
    assert {kind: int(response["StatusCode"]) for kind, response in responses.items()} == statuses
    for kind, response in responses.items():
        body = json.loads(response["ResponseTemplates"]["application/json"])
        assert body == gateway_problem(statuses[kind]).as_body("$context.requestId")
        assert (body["status"], body["code"]) == (statuses[kind], codes[statuses[kind]])
        headers = response["ResponseParameters"]["Headers"]
        assert headers["Content-Type"] == f"'{CONTENT_TYPE}'"
        assert headers["X-Request-Id"] == "context.requestId"
        assert {name: f"'{value}'" for name, value in FIXED_HEADERS.items()}.items() <= headers.items()
        assert headers["Access-Control-Allow-Origin"] == ORIGIN
        # The throttle's bucket gets tokens every second.
        assert headers.get("Retry-After") == {429: "'1'", 503: "'5'"}.get(statuses[kind])


# --- functions ----------------------------------------------------------------------------------------------


def test_functions_run_on_the_platform_that_their_code_was_built_for(packaged: Packaged) -> None:
    for function in packaged.functions.values():
        assert function["Runtime"] == f"python{RUNTIME}"
        assert function["Architectures"] == ["x86_64"]


def handlers_of_the_app() -> set[str]:
    from app import app

    events = {source.handler_string.split(".")[-1] for source in app.event_sources}
    sockets = {handler.handler_string.split(".")[-1] for handler in app.websocket_handlers.values()}
    pure = {handler.name for handler in app.pure_lambda_functions}
    authorizers = {handler.name for handler in app.builtin_auth_handlers}
    return events | sockets | pure | authorizers


def chalice_config() -> dict[str, Any]:
    config: dict[str, Any] = json.loads((ROOT / ".chalice/config.json").read_text())
    return config


def test_every_handler_has_its_timeout_memory_and_policy() -> None:
    config = chalice_config()
    assert config["lambda_functions"].keys() == handlers_of_the_app() | {"api_handler"}
    assert config["autogen_policy"] is False
    for name, function in config["lambda_functions"].items():
        # No function needs more than 100 MB (`make bench PARTS=memory`).
        assert function.get("lambda_memory_size", config["lambda_memory_size"]) >= 256, name
        assert function["lambda_timeout"] <= 90, name
        assert function["iam_policy_file"] == f"policies/{name}.json"
        assert (ROOT / ".chalice" / function["iam_policy_file"]).is_file()


def test_all_stages_have_the_same_configuration() -> None:
    assert chalice_config()["stages"] == {stage: {} for stage in STAGES}


def test_every_policy_belongs_to_a_function() -> None:
    used = {row["iam_policy_file"] for row in chalice_config()["lambda_functions"].values()}
    assert {f"policies/{file.name}" for file in (ROOT / ".chalice/policies").iterdir()} == used


def test_every_handler_is_deployed_as_a_function(packaged: Packaged) -> None:
    deployed = {function["Handler"] for function in packaged.functions.values()}
    assert deployed == {"app.app"} | {f"app.{name}" for name in handlers_of_the_app()}
