"""The real adapters as a function builds it when it starts."""

from chalicelib.bootstrap import connect
from tests.contract.stores.aws import Wire, settings
from tests.contract.stores.conftest import DynamoStores


def test_the_outside_is_put_together_before_anything_is_called(dynamo: DynamoStores, wire: Wire) -> None:
    connect(settings())
    assert wire.calls == []
