"""The contract of ``ApiKeys``, on the fake and on DynamoDB, where the operators' command writes the keys."""

from collections.abc import Callable

import boto3
import pytest

from chalicelib.domain.identity import Scope
from chalicelib.ports.api_keys import ApiKey, ApiKeys
from chalicelib.stores.models import ApiKeyItem
from infra.errors import InfraError
from infra.ops.api_key_table import ApiKeyTable
from orderengine.testing.fakes.api_keys import FakeApiKeys
from tests.contract.stores.aws import REGION
from tests.contract.stores.conftest import TWINS, DynamoStores

KEY = ApiKey("a1B2c3D4e5F6", "alice", frozenset({Scope.READ, Scope.TRADE}), "0" * 64, created_at=1_700_000_000)
FULL = ApiKey("x" * 12, "bob", frozenset(Scope), "f" * 64, 1_700_000_000, 1_800_000_000, 1_750_000_000, 1_740_000_000)

Add = Callable[[ApiKey], None]


@pytest.fixture
def table(dynamo: DynamoStores) -> ApiKeyTable:
    return ApiKeyTable(boto3.client("dynamodb", REGION), "ApiKeysTable")


@pytest.fixture(params=TWINS)
def keys(request: pytest.FixtureRequest) -> tuple[ApiKeys, Add]:
    """A store, and what puts keys into it."""
    if request.param == "fake":
        fake = FakeApiKeys()
        return fake, fake.add
    stores: DynamoStores = request.getfixturevalue("dynamo")
    table: ApiKeyTable = request.getfixturevalue("table")
    return stores.api_keys, table.add


@pytest.mark.parametrize("key", [KEY, FULL])
def test_a_key_is_found_as_it_was_made(keys: tuple[ApiKeys, Add], key: ApiKey) -> None:
    store, add = keys
    add(key)
    assert store.find(key.id) == key


def test_an_unknown_id_has_no_key(keys: tuple[ApiKeys, Add]) -> None:
    assert keys[0].find("unknown") is None


def test_a_use_is_noted_unless_a_later_one_is(keys: tuple[ApiKeys, Add]) -> None:
    store, add = keys
    add(KEY)
    noted = []
    for at, unless_since in ((1000, 0), (1500, 900), (5000, 1400), (4000, 400)):
        store.note_use(KEY.id, at, unless_since)
        found = store.find(KEY.id)
        assert found is not None
        noted.append(found.last_used_at)
    assert noted == [1000, 1000, 5000, 5000]


def test_the_use_of_an_unknown_key_makes_no_key(keys: tuple[ApiKeys, Add]) -> None:
    keys[0].note_use("unknown", 1000, 0)
    assert keys[0].find("unknown") is None


def test_a_scope_of_another_version_grants_nothing(dynamo: DynamoStores, table: ApiKeyTable) -> None:
    table.add(KEY)
    item = dynamo.api_keys._item(KEY.id)
    item.update([ApiKeyItem.scopes.set({"read", "administer"})])
    found = dynamo.api_keys.find(KEY.id)
    assert found is not None
    assert found.scopes == {Scope.READ}


def test_operators_see_every_key_and_revoke_one(dynamo: DynamoStores, table: ApiKeyTable) -> None:
    table.add(KEY)
    table.add(FULL)
    assert set(table.all()) == {KEY, FULL}
    assert table.revoke(KEY.id, at=1_760_000_000).revoked_at == 1_760_000_000
    assert table.revoke(KEY.id, at=1_770_000_000).revoked_at == 1_760_000_000
    assert dynamo.api_keys.find(KEY.id) == table.find(KEY.id)
    with pytest.raises(InfraError, match="There is no API key unknown"):
        table.revoke("unknown", at=1)
    assert table.find("unknown") is None


def test_a_key_never_replaces_another(dynamo: DynamoStores, table: ApiKeyTable) -> None:
    table.add(KEY)
    with pytest.raises(table.client.exceptions.ConditionalCheckFailedException):
        table.add(KEY)
