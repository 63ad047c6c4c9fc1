"""The real adapters, as a Lambda function builds them at its start."""

from chalicelib.adapters import connect
from tests.contract.stores.aws import Wire, settings
from tests.contract.stores.conftest import DynamoStores


def test_building_the_adapters_calls_no_aws_service(dynamo: DynamoStores, wire: Wire) -> None:
    connect(settings())
    assert wire.calls == []
