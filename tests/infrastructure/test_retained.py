"""What a deleted stack of the deployed template leaves, and a later one of the same name finds."""

import boto3
import pytest
from moto import mock_aws

from infra.aws.retained import SECRET, TABLE, adoptable_in, find_retained, retained_in
from tests.infrastructure.conftest import Packaged

REGION = "eu-west-1"


def test_a_first_deployment_finds_nothing_in_an_empty_account_and_later_what_an_earlier_stack_left(
    packaged: Packaged, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        dynamodb, secrets = boto3.client("dynamodb", REGION), boto3.client("secretsmanager", REGION)
        assert find_retained("app-prod", packaged.template, dynamodb, secrets) == {}
        for stack in ("app-prod", "app-prod-two"):
            dynamodb.create_table(
                TableName=f"{stack}-OrdersTable-1A2B",
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": "orderId", "AttributeType": "S"}],
                KeySchema=[{"AttributeName": "orderId", "KeyType": "HASH"}],
            )
        text = packaged.resources(SECRET)["AuthSecret"]["Description"]["Fn::Sub"]
        description = text.replace("${AWS::StackName}", "app-prod")
        arn = secrets.create_secret(Name="x", Description=description, SecretString="x")["ARN"]
        assert find_retained("app-prod", packaged.template, dynamodb, secrets) == {
            "OrdersTable": ["app-prod-OrdersTable-1A2B"],
            "AuthSecret": [arn],
        }


def test_a_later_stack_takes_tables_and_secrets_back_and_leaves_the_role_of_the_account_alone(
    packaged: Packaged,
) -> None:
    left, adoptable = retained_in(packaged.template), adoptable_in(packaged.template)
    assert {"AccessLogsRole", "AccessLogsAccount"} <= left.keys()
    assert left.keys() - adoptable.keys() == {"AccessLogsRole", "AccessLogsAccount"}
    assert set(adoptable.values()) == {TABLE, SECRET}
