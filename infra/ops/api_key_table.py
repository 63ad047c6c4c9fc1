"""The operators' view of the API keys of a deployment. Only operators make and revoke keys."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from chalicelib.auth.derived_keys import derived_key
from chalicelib.auth.key_text import new_key
from chalicelib.auth.key_verifier import LABEL
from chalicelib.domain.identity import Scope
from chalicelib.ports.api_keys import ApiKey
from chalicelib.stores.api_keys import item_of, key_of
from chalicelib.stores.models import ApiKeyItem
from infra.errors import InfraError
from infra.ops.deployment import Deployment


@dataclass(frozen=True)
class ApiKeyTable:
    """The table of keys. ``client`` is one of DynamoDB."""

    client: Any
    name: str

    def add(self, key: ApiKey) -> None:
        """Store a new key. A key with this id must not exist."""
        self.client.put_item(
            TableName=self.name,
            Item=item_of(key).to_dynamodb_dict(),
            ConditionExpression="attribute_not_exists(id)",
        )

    def find(self, key_id: str) -> ApiKey | None:
        answer = self.client.get_item(TableName=self.name, Key={"id": {"S": key_id}}, ConsistentRead=True)
        return _read(answer["Item"]) if "Item" in answer else None

    def all(self) -> Iterator[ApiKey]:
        """Yield every key, in no order."""
        pages = self.client.get_paginator("scan").paginate(TableName=self.name, ConsistentRead=True)
        for page in pages:
            yield from map(_read, page["Items"])

    def revoke(self, key_id: str, at: int) -> ApiKey:
        """Revoke a key, and return it. A key that is revoked already keeps the time of its revocation.

        :raises InfraError: if there is no such key.
        """
        try:
            answer = self.client.update_item(
                TableName=self.name,
                Key={"id": {"S": key_id}},
                UpdateExpression="SET revokedAt = if_not_exists(revokedAt, :at)",
                ConditionExpression="attribute_exists(id)",
                ExpressionAttributeValues={":at": {"N": str(at)}},
                ReturnValues="ALL_NEW",
            )
        except self.client.exceptions.ConditionalCheckFailedException:
            raise InfraError(f"There is no API key {key_id}.") from None
        return _read(answer["Attributes"])


def key_table(deployment: Deployment) -> ApiKeyTable:
    """Return the table of keys of a deployment."""
    return ApiKeyTable(deployment.client("dynamodb"), deployment.output("ApiKeysTableName"))


def create_key(
    deployment: Deployment, stage: str, user_id: str, scopes: frozenset[Scope], now: int, expires_at: int | None
) -> str:
    """Make a key, and return its text, which is stored nowhere. Times are in seconds since the epoch."""
    found = deployment.client("secretsmanager").get_secret_value(SecretId=deployment.output("AuthSecretName"))
    made = new_key(stage)
    digest = made.digest(derived_key(found["SecretString"], LABEL))
    key_table(deployment).add(ApiKey(made.id, user_id, scopes, digest, now, expires_at))
    return made.text


def _read(item: dict[str, Any]) -> ApiKey:
    return key_of(ApiKeyItem.from_raw_data(item))
