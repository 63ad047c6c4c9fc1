"""The real adapters, as a Lambda function builds them at its start."""

from collections import Counter
from dataclasses import replace

import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.exceptions import ReadTimeoutError
from botocore.httpsession import URLLib3Session

from chalicelib.bootstrap import build_engine
from chalicelib.connect import connect
from chalicelib.ports.queues import MarketLook
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
    looks, sockets = adapters.look_queue, adapters.sockets
    for client in (looks._client, looks._once, sockets._client):  # type: ignore[attr-defined]
        assert client.meta.config.user_agent.startswith(USER_AGENT)


def test_a_request_that_wakes_the_looks_waits_for_one_attempt_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time of three attempts, and then that of the order's own message, is longer than an answer may take."""
    attempts: list[str] = []

    def no_answer(_: URLLib3Session, request: AWSPreparedRequest) -> None:
        attempts.append(request.url)
        raise ReadTimeoutError(endpoint_url=request.url)

    monkeypatch.setattr(URLLib3Session, "send", no_answer)
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda seconds: None)
    looks = connect(replace(settings(), aws_endpoint_url="http://localhost:1")).look_queue
    with pytest.raises(ReadTimeoutError):
        looks.wake()
    assert len(attempts) == 1
    with pytest.raises(ReadTimeoutError):
        looks.send([(MarketLook(1), 0)])
    assert len(attempts) == 1 + 3, "the worker of the looks has the time to try again"


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
