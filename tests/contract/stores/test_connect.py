"""The real adapters, as a Lambda function builds them at its start."""

from chalicelib.adapters import connect
from chalicelib.settings import USER_AGENT
from tests.contract.stores.aws import Wire, settings
from tests.contract.stores.conftest import DynamoStores


def test_building_the_adapters_calls_no_aws_service(dynamo: DynamoStores, wire: Wire) -> None:
    connect(settings())
    assert wire.calls == []


def test_every_client_names_the_engine_to_aws(dynamo: DynamoStores) -> None:
    adapters = connect(settings())
    for client in (adapters.look_queue._client, adapters.sockets._client):  # type: ignore[attr-defined]
        assert client.meta.config.user_agent.startswith(USER_AGENT)
