"""The doctor's verdict as an item, which operators write and the API reads."""

from dataclasses import replace
from datetime import UTC, datetime

import boto3
import pytest

from chalicelib.ports.verdicts import DoctorVerdict, VerdictStatus
from chalicelib.stores.connection import SharedConnection
from chalicelib.stores.verdicts import DynamoVerdicts, item_of
from tests.contract.stores.aws import REGION, settings
from tests.contract.stores.conftest import DynamoStores

VERDICT = DoctorVerdict(
    datetime(2026, 1, 31, 12, 0, 0, 123_000, tzinfo=UTC), VerdictStatus.VIOLATIONS, 3, 1, ("I4 order: “gap” é",)
)


@pytest.fixture
def verdicts(dynamo: DynamoStores) -> DynamoVerdicts:
    return DynamoVerdicts(SharedConnection(settings()), settings())


def store(verdict: DoctorVerdict) -> None:
    client = boto3.client("dynamodb", REGION)
    client.put_item(TableName=settings().rate_limit_table, Item=item_of(verdict).to_dynamodb_dict())


def test_there_is_no_verdict_before_the_first(verdicts: DynamoVerdicts) -> None:
    assert verdicts.last() is None


def test_a_verdict_is_read_as_it_was_stored_until_the_next_one(verdicts: DynamoVerdicts) -> None:
    store(VERDICT)
    assert verdicts.last() == VERDICT
    store(replace(VERDICT, status=VerdictStatus.OK, violations=0, findings=()))
    assert verdicts.last() == DoctorVerdict(VERDICT.at, VerdictStatus.OK, 3, 0)


def test_a_verdict_leaves_the_slots_of_the_rate_limit_free(verdicts: DynamoVerdicts, dynamo: DynamoStores) -> None:
    store(VERDICT)
    reservation = dynamo.rate_limit_slots.reserve(1_000)
    assert (reservation.at_ms, dynamo.rate_limit_slots.use(0).reserved) == (1_000, 1)
