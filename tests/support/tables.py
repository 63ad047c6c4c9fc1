"""Templates with tables and indexes, as small as a test of their changes needs them."""

from typing import Any

from infra.aws.template import Template


def attribute(name: str, kind: str = "S") -> dict[str, str]:
    return {"AttributeName": name, "AttributeType": kind}


def table(*indexes: str, **types: str) -> dict[str, Any]:
    """Return a table whose indexes each have the attribute of their own name as the key."""
    key = [{"AttributeName": "id", "KeyType": "HASH"}]
    properties: dict[str, Any] = {
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": key,
        "AttributeDefinitions": [attribute(name, types.get(name, "S")) for name in ("id", *indexes)],
    }
    if indexes:
        properties["GlobalSecondaryIndexes"] = [
            {
                "IndexName": name,
                "KeySchema": [{"AttributeName": name, "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
            for name in indexes
        ]
    return properties


def template(**tables: dict[str, Any]) -> Template:
    resources = {name: {"Type": "AWS::DynamoDB::Table", "Properties": one} for name, one in tables.items()}
    return {"Parameters": {"Size": {"Type": "String", "Default": ""}}, "Resources": resources}


def names(one: Template, of: str = "Orders") -> list[str]:
    return [index["IndexName"] for index in one["Resources"][of]["Properties"].get("GlobalSecondaryIndexes", [])]
