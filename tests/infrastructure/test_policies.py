"""The IAM policies allow the requests that the functions make to AWS. No emulator enforces policies."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, cast

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest
from moto.core.botocore_stubber import BotocoreStubber

from chalicelib.api.requests.orders import read_order
from chalicelib.auth.derived_keys import derived_key
from chalicelib.auth.key_text import new_key
from chalicelib.auth.key_verifier import LABEL
from chalicelib.bootstrap import build_engine
from chalicelib.connect import connect
from chalicelib.domain.conditions import Launch
from chalicelib.domain.errors import RateLimitedError, TooManySocketsError
from chalicelib.domain.identity import Caller, Credential, Scope
from chalicelib.domain.tokens import find_market
from chalicelib.engine import Engine
from chalicelib.ports.api_keys import ApiKey
from chalicelib.ports.authentication import Authenticator
from chalicelib.ports.history import OrderFilter
from chalicelib.ports.market import PushedPrice
from chalicelib.ports.orders import StoredOrder
from chalicelib.ports.streams import CheckSocket, CloseSockets, Subscriber
from chalicelib.runtime import Runtime
from chalicelib.services.streams.fan_out import GROUPS
from chalicelib.services.streams.order_stream import OrderStream
from chalicelib.simulation.launches import pool_address
from infra.ops.api_key_table import ApiKeyTable
from infra.project import ROOT
from orderengine.testing.fakes.clock import FakeClock
from orderengine.testing.fakes.history import FakeHistory
from orderengine.testing.fakes.streams import FakeSockets
from tests.contract.stores.aws import REGION, aws, resources, settings
from tests.support.authentication import FakeAuthenticator
from tests.support.callers import ANYONE

#: The IAM actions of the operations within a DynamoDB transaction.
PARTS = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}
FUNCTIONS = [file.stem for file in (ROOT / ".chalice/policies").iterdir()]
MINTS = [pool_address("policy", str(number)) for number in range(3)]


def asked_of(operation: str, body: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each IAM action that a request needs, and its resource."""
    if "QueueUrl" in body:
        # IAM has one action for a single message and for a batch.
        yield operation.removesuffix("Batch"), body["QueueUrl"].rsplit("/", 1)[-1]
    elif "SecretId" in body:
        yield operation, body["SecretId"]
    elif "TransactItems" in body:
        for item in body["TransactItems"]:
            yield from ((PARTS[kind], part["TableName"]) for kind, part in item.items())
    elif "RequestItems" in body:
        yield from ((operation, table) for table in body["RequestItems"])
    else:
        yield operation, "/index/".join(filter(None, (body["TableName"], body.get("IndexName"))))


@contextmanager
def listening(patch: pytest.MonkeyPatch) -> Iterator[set[tuple[str, str]]]:
    """Collect the actions and resources of all requests to AWS within the block."""
    asked: set[tuple[str, str]] = set()
    through = BotocoreStubber.__call__

    def heard(stubber: BotocoreStubber, event_name: str, request: AWSPreparedRequest, **rest: Any) -> Any:
        asked.update(asked_of(event_name.rsplit(".", 1)[-1], json.loads(cast("bytes", request.body) or b"{}")))
        return through(stubber, event_name, request, **rest)

    with patch.context() as patched:
        patched.setattr(BotocoreStubber, "__call__", heard)
        yield asked


def allowed(function: str) -> set[tuple[str, str]]:
    return {
        (action.split(":")[1], resource["Fn::Sub"].replace(".Arn}", "").strip("${}"))
        for statement in json.loads((ROOT / f".chalice/policies/{function}.json").read_text())["Statement"]
        for action in statement["Action"]
        if action.startswith(("dynamodb:", "sqs:", "secretsmanager:"))
        for resource in statement["Resource"]
    }


def submit(engine: Engine, clock: FakeClock, **fields: Any) -> None:
    body = {"tokenIn": "SOL", "tokenOut": "USDC", "amountIn": 1, **fields}
    engine.submit(ANYONE, read_order(body, ANYONE, engine.rules, clock.now()))


def test_the_looks_have_exactly_the_permissions_on_orders_and_market_that_they_use(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = FakeClock()
    knobs = replace(settings(), simulated_launch_seconds=20)
    with aws(resources()) as stand_in:
        stand_in.start_over()
        adapters = replace(connect(knobs), history=FakeHistory())
        engine = build_engine(knobs, adapters, Runtime(clock.now, clock.sleep))
        soon = (clock.now() + timedelta(seconds=5)).isoformat()
        submit(engine, clock, type="limit", limitPrice=500, expiresAt=soon)
        submit(engine, clock, type="limit", limitPrice=200)
        for mint in MINTS:
            submit(engine, clock, type="sniper", tokenOut=mint, launch={"minLiquidity": 40})
        clock.sleep(10)
        markets = adapters.markets
        pair = find_market("SOL/USDC")
        assert pair
        markets.push_price(pair, PushedPrice(Decimal(250), clock.now_ms()))
        # The first launch passes its order's filters, the second does not, and the third is simulated.
        for mint, liquidity in zip(MINTS[:2], (1000, 1), strict=True):
            launch = Launch(mint, "raydium", "pool", 1, Decimal("0.001"), Decimal(liquidity), clock.now_ms())
            assert markets.announce(launch)
        leased(engine, clock)
        with listening(monkeypatch) as asked:
            engine.read_gauges()
            assert engine.market.look() == 2
            clock.sleep(20)
            engine.market.look()
            assert markets.is_live(MINTS[2])
            clock.sleep(120)
            engine.market.look()
            clock.sleep(40 * 86_400)
            engine.market.look()
            engine.watchdog()
        submit(engine, clock)
        with listening(monkeypatch) as scheduling:
            assert engine.schedule_looks.of_minute()
            engine.schedule_looks.from_now()
    asked |= scheduling
    granted = allowed("run_looks")
    assert asked - granted == set()
    of_stores = {(action, where) for action, where in granted if where.startswith(("Orders", "Market", "Urgent"))}
    assert of_stores - asked == set()


@pytest.mark.parametrize("user_id", ["few", None])
def test_the_function_that_lists_orders_may_read_all_that_a_list_needs(
    monkeypatch: pytest.MonkeyPatch, user_id: str | None
) -> None:
    clock, history = FakeClock(), FakeHistory()
    with aws(resources()) as stand_in:
        stand_in.start_over()
        engine = build_engine(
            settings(), replace(connect(settings()), history=history), Runtime(clock.now, clock.sleep)
        )
        submit(engine, clock, userId="few")
        with listening(monkeypatch) as asked:
            assert len(engine.list_orders(ANYONE, OrderFilter(user_id=user_id), 10, None).orders) == 1
            if user_id:
                history.down = True
                assert len(engine.list_orders(ANYONE, OrderFilter(user_id=user_id), 10, None).orders) == 1
    assert ("BatchGetItem", "OrdersTable") in asked
    assert asked - allowed("api_handler") == set()


def test_the_function_that_shows_the_engine_may_read_every_part_of_its_state(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeClock()
    knobs = replace(settings(), rate_limit_per_minute=100)
    with aws(resources()) as stand_in:
        stand_in.start_over()
        adapters = replace(connect(knobs), history=FakeHistory())
        engine = build_engine(knobs, adapters, Runtime(clock.now, clock.sleep))
        leased(engine, clock)
        with listening(monkeypatch) as asked:
            state = engine.state(ANYONE)
    assert state.outages == {}
    assert state.work is not None
    assert len(state.work.leased) == 1
    read_by_this_alone = {("Scan", "StreamsTable")} | {
        ("GetQueueAttributes", f"{name}Queue")
        for name in ("HighPriority", "DeadLetters", "Unprocessable", "Replay", "FanOut")
    }
    assert read_by_this_alone <= asked
    assert asked - allowed("api_handler") == set()


def leased(engine: Engine, clock: FakeClock) -> None:
    """Accept an order, and lease it as a worker that dies right after that."""
    submit(engine, clock, userId="alice")
    [order_id] = engine.submit.orders.unfinished_of("alice")
    stream = OrderStream(engine.execute.publisher, engine.execute.executor)
    assert engine.execute.lease(StoredOrder(engine.queries.order(ANYONE, order_id)), "worker", stream)
    stream.wait()


def test_the_function_that_waits_for_events_may_count_its_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, alice = FakeClock(), Caller("alice", frozenset(Scope), Credential("key-1", None))
    with aws(resources()) as stand_in:
        stand_in.start_over()
        adapters = replace(connect(settings()), history=FakeHistory())
        engine = build_engine(settings(), adapters, Runtime(clock.now, clock.sleep))
        submit(engine, clock, userId="alice", type="limit", limitPrice=500)
        [order_id] = adapters.orders.unfinished_of("alice")
        with listening(monkeypatch) as asked:
            assert engine.read_events(alice, order_id, 2, 1)[1] == ()
    assert {("GetItem", "RateLimitTable"), ("UpdateItem", "RateLimitTable")} <= asked
    assert asked - allowed("api_handler") == set()


def test_the_function_that_takes_market_events_may_keep_prices_and_replay_orders(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, pair = FakeClock(), find_market("SOL/USDC")
    assert pair
    with aws(resources()) as stand_in:
        stand_in.start_over()
        adapters = replace(connect(settings()), history=FakeHistory())
        engine = build_engine(settings(), adapters, Runtime(clock.now, clock.sleep))
        with listening(monkeypatch) as asked:
            for price in (100, 101):
                engine.market.push_price(ANYONE, pair, Decimal(price))
            submit(engine, clock, userId="few")
        [order_id] = adapters.orders.unfinished_of("few")
        engine.execute(StoredOrder(engine.queries.order(ANYONE, order_id)), "worker", lambda seconds: None)
        with listening(monkeypatch) as replaying:
            assert engine.replay(engine.queries.order(ANYONE, order_id)).checked == 20
        with listening(monkeypatch) as announcing:
            launch = Launch(MINTS[0], "raydium", "pool", 1, Decimal("0.001"), Decimal(1000), clock.now_ms())
            assert engine.market.announce_launch(ANYONE, launch)
    assert ("PutItem", "MarketTable") in asked
    assert replaying == {("GetItem", "OrdersTable"), ("Query", "MarketTable")}
    assert (asked | replaying | announcing) - allowed("api_handler") == set()


def test_functions_that_accept_orders_may_query_the_rate_limit_slots(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeClock()
    knobs = replace(settings(), rate_limit_per_minute=1, rate_horizon_seconds=300)
    with aws(resources()) as stand_in:
        stand_in.start_over()
        engine = build_engine(knobs, replace(connect(knobs), history=FakeHistory()), Runtime(clock.now, clock.sleep))
        with listening(monkeypatch) as asked:
            for _ in range(5):
                submit(engine, clock, userId="many")
            submit(engine, clock, userId="few")
            submit(engine, clock, userId="few", type="limit", limitPrice=500)
            with suppress(RateLimitedError):
                while True:
                    submit(engine, clock, userId="many")
            engine.cancel.all_of(ANYONE, "few")
    assert {("Query", "RateLimitTable"), ("GetItem", "MarketTable"), ("SendMessage", "LooksQueue")} <= asked
    for function in ("api_handler", "websocket_message"):
        assert asked - allowed(function) == set(), function


def test_the_functions_of_the_streams_may_do_all_that_a_crowd_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, crowd = FakeClock(), [Subscriber(f"socket-{number}") for number in range(12)]
    with aws(resources()) as stand_in:
        stand_in.start_over()
        adapters = replace(connect(settings()), history=FakeHistory(), sockets=FakeSockets())
        engine = build_engine(settings(), adapters, Runtime(clock.now, clock.sleep))
        for one in crowd:
            engine.connections.open(ANYONE, one.connection_id, coarse=False, wanted={})
        with listening(monkeypatch) as asked:
            for one in crowd:
                first = engine.user_streams.follow(ANYONE, one, "alice", clock.now())
                assert first
                engine.user_streams.looks.look(first)
        assert asked - allowed("replay_streams") == set()
        submit(engine, clock, userId="alice", type="limit", limitPrice=500)
        [order_id] = adapters.orders.unfinished_of("alice")
        with listening(monkeypatch) as asked:
            engine.subscriptions.subscribe_followers(order_id)
            engine.subscriptions.join_order(ANYONE, crowd[0], order_id)
        assert asked - allowed("replay_streams") == set()
        with listening(monkeypatch) as asked:
            engine.subscriptions.leave_order(ANYONE, crowd[0], order_id)
            engine.user_streams.unfollow(ANYONE, crowd[1], "alice")
        assert asked - allowed("websocket_message") == set()

        def leave() -> None:
            for one in crowd:
                engine.user_streams.unfollow(ANYONE, one, "alice")

        for step in (lambda: None, leave, lambda: None, lambda: engine.cancel(ANYONE, order_id)):
            step()
            with listening(monkeypatch) as asked:
                for number in range(GROUPS + 1):
                    engine.serve_group(order_id, number, owner="me")
            assert asked - allowed("fan_out") == set()


def test_functions_that_meet_a_credential_may_check_it(monkeypatch: pytest.MonkeyPatch) -> None:
    knobs = replace(settings(), auth=True)
    with aws(resources()) as stand_in:
        stand_in.start_over()
        boto3.client("secretsmanager", REGION).create_secret(Name=knobs.auth_secret, SecretString="secret")
        key = new_key(knobs.stage)
        digest = key.digest(derived_key("secret", LABEL))
        ApiKeyTable(stand_in.dynamodb, knobs.api_keys_table).add(ApiKey(key.id, "alice", frozenset(Scope), digest, 0))

        def authenticator() -> Authenticator:
            return build_engine(knobs, replace(connect(knobs), history=FakeHistory())).authenticator

        with listening(monkeypatch) as proving:
            assert authenticator().authenticate([f"Bearer {key.text}"]).user_id == "alice"
        with listening(monkeypatch) as asking:
            assert authenticator().is_live(Credential(key.id, None))
    assert proving == {
        ("GetItem", "ApiKeysTable"),
        ("UpdateItem", "ApiKeysTable"),
        ("GetSecretValue", "AuthSecret"),
    }
    assert asking == {("GetItem", "ApiKeysTable")}
    of_credentials = {function: granted_of_credentials(function) for function in FUNCTIONS}
    assert {name: granted for name, granted in of_credentials.items() if granted} == {
        **dict.fromkeys(("api_handler", "websocket_connect"), proving),
        "replay_streams": asking,
    }


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_function_makes_log_groups_that_nothing_expires(function: str) -> None:
    """The template makes them, with a retention. A function that may do so makes them again after their stack."""
    assert "logs:CreateLogGroup" not in (ROOT / f".chalice/policies/{function}.json").read_text()


def granted_of_credentials(function: str) -> set[tuple[str, str]]:
    return {(action, where) for action, where in allowed(function) if where in ("ApiKeysTable", "AuthSecret")}


def test_the_functions_of_sockets_may_do_all_that_tickets_limits_and_endings_need(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, sockets = FakeClock(), FakeSockets()
    knobs = replace(settings(), max_sockets_per_user=1, max_subscriptions_per_socket=1, max_messages_per_minute=20)
    alice = Caller("alice", frozenset(Scope), Credential("key-1", clock.now_ms() // 1000 + 600))
    keys = FakeAuthenticator()
    with aws(resources()) as stand_in:
        stand_in.start_over()
        adapters = replace(connect(knobs), history=FakeHistory(), sockets=sockets)
        engine = build_engine(knobs, adapters, Runtime(clock.now, clock.sleep), keys)
        with listening(monkeypatch) as asked:
            token = engine.tickets.issue(alice).token
        assert asked - allowed("api_handler") == set()
        with listening(monkeypatch) as asked:
            engine.connections.open(engine.tickets.take(token), "first", coarse=False, wanted={})
            with pytest.raises(TooManySocketsError):
                engine.connections.open(alice, "second", coarse=False, wanted={})
            clock.sleep(60)
            sockets.gone.add("first")
            engine.connections.open(alice, "second", coarse=False, wanted={"userId": ["alice"]})
        assert asked - allowed("websocket_connect") == set()
        submit(engine, clock, userId="alice")
        [order_id] = adapters.orders.unfinished_of("alice")
        with listening(monkeypatch) as asked:
            for subscription in (f"order#{order_id}", "order#another", "user#alice"):
                engine.admit_message("second", subscribes=subscription)
            engine.admit_message("second", unsubscribes=f"order#{order_id}")
            while engine.admit_message("second"):
                clock.sleep(0.1)
        assert sockets.closed == ["second"]
        assert asked - allowed("websocket_message") == set()
        engine.connections.open(alice, "third", coarse=False, wanted={})
        keys.revoked.add("key-1")
        with listening(monkeypatch) as asked:
            engine.ended_credentials.check(CheckSocket("third", clock.now_ms() // 1000 + 100))
            engine.ended_credentials.close_sockets(CloseSockets("alice", "key-1"))
        assert sockets.closed == ["second", "third"]
        assert asked - allowed("replay_streams") == set()
        engine.connections.open(alice, "fourth", coarse=False, wanted={})
        with listening(monkeypatch) as asked:
            engine.connections.close("fourth")
        assert asked - allowed("websocket_disconnect") == set()


def test_functions_that_call_the_gateway_of_sockets_may_use_the_methods_that_they_need() -> None:
    def methods(function: str) -> set[str]:
        return {
            resource["Fn::Sub"].split("/")[2]
            for statement in json.loads((ROOT / f".chalice/policies/{function}.json").read_text())["Statement"]
            if "execute-api:ManageConnections" in statement["Action"]
            for resource in statement["Resource"]
        }

    assert methods("websocket_connect") == {"GET"}
    assert methods("websocket_message") == methods("replay_streams") == {"POST", "DELETE"}
