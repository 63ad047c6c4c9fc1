"""The real adapters, as a Lambda function builds them at its start."""

from collections import Counter
from dataclasses import replace

from chalicelib.bootstrap import build_engine
from chalicelib.connect import connect
from chalicelib.runtime import Runtime
from chalicelib.settings import USER_AGENT
from orderengine.testing.fakes.history import FakeHistory
from tests.contract.stores.aws import Wire, settings
from tests.contract.stores.conftest import DynamoStores
from tests.support.callers import ANYONE


def test_building_the_adapters_calls_no_aws_service(dynamo: DynamoStores, wire: Wire) -> None:
    connect(settings())
    assert wire.calls == []


def test_every_client_names_the_engine_to_aws(dynamo: DynamoStores) -> None:
    adapters = connect(settings())
    for client in (adapters.look_queue._client, adapters.sockets._client):  # type: ignore[attr-defined]
        assert client.meta.config.user_agent.startswith(USER_AGENT)


def test_the_state_of_an_engine_at_rest_costs_fourteen_calls_however_many_pages_poll_it(
    dynamo: DynamoStores, wire: Wire
) -> None:
    """The orders that execute cost one call more, for a hundred of them."""
    knobs = replace(settings(), rate_limit_per_minute=100)
    adapters = replace(connect(knobs), history=FakeHistory())
    engine = build_engine(knobs, adapters, Runtime(dynamo.clock.now, dynamo.clock.sleep))
    for _ in range(10):
        assert engine.state(ANYONE).outages == {}
    assert Counter(wire.calls) == {"GetQueueAttributes": 6, "Query": 6, "Scan": 1, "GetItem": 1}
