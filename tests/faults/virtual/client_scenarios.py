"""Scenarios in which clients submit orders and subscribe to streams, with the result that each client expects."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from chalicelib.codec.exact_json import dumps
from chalicelib.domain.spec import Priority
from chalicelib.domain.status import Status
from chalicelib.ports.streams import MAX_DIRECT_SUBSCRIBERS
from tests.faults.virtual.injection import Crash
from tests.faults.virtual.world import World
from tests.support.callers import ANYONE
from tests.support.specs import a_spec

#: Maximum tries, and pause between them, of a client that repeats an unanswered message over its socket.
_MAX_TRIES = 200
_PAUSE_SECONDS = 5


@dataclass
class Expected:
    """The results that clients expect: an order for each answered key, and streams without gaps."""

    accepted: list[tuple[str, str]] = field(default_factory=list)
    #: Connection and order id of each stream, which starts at ``seq`` 1.
    streams: list[tuple[str, str]] = field(default_factory=list)
    #: The user whose orders each connection may receive.
    users: dict[str, str] = field(default_factory=dict)
    #: Order id and expected final statuses; a cancelled order is accepted as well.
    ends: list[tuple[str, tuple[Status, ...]]] = field(default_factory=list)


@dataclass(frozen=True)
class Scenario:
    """A sequence of client requests and market events."""

    name: str
    begin: Callable[[World, str | None, Expected], object]
    simulate: str | None = None
    #: Maximum number of orders that start in a minute; 0 means no limit.
    rate_limit: int = 0


def without_key(world: World, simulate: str | None, expected: Expected) -> None:
    """Submit an order without a key, so that a lost answer leaves its outcome unknown to the client."""
    try:
        order_id = world.process(lambda: world.engine.submit(ANYONE, a_spec(simulate=simulate))).order_id
    except (Crash, Exception):
        return
    expected.accepted.append(("", order_id))


def with_key(world: World, simulate: str | None, expected: Expected, **changes: Any) -> str:
    """Submit an order under one key, repeatedly until the engine answers."""
    spec = a_spec(simulate=simulate, **changes)
    answer = world.retry_until_answered(lambda: world.engine.submit(ANYONE, spec, idempotency_key="key"))
    expected.accepted.append(("key", answer.order_id))
    return str(answer.order_id)


def over_socket(world: World, simulate: str | None, expected: Expected) -> None:
    """Submit an order over a socket, repeat it until the ack arrives, and receive its stream on that socket."""
    world.connect("socket")
    fields = {"tokenIn": "SOL", "tokenOut": "USDC", "amountIn": "1.5", "userId": "tester", "clientOrderId": "own"}
    body = dumps({"action": "execute_order", **fields, **({"simulate": simulate} if simulate else {})})
    expected.users["socket"] = "tester"
    for _ in range(_MAX_TRIES):
        if world.streams.connection("socket") is None:
            # The engine closes a socket that does not take the answer.
            world.sockets.gone.discard("socket")
            world.connect("socket")
        with suppress(Crash, Exception):
            world.send_message("socket", body)
        acks = [frame for frame in world.sockets.frames["socket"] if frame["type"] == "ack"]
        if acks:
            expected.accepted += [("own", ack["orderId"]) for ack in acks]
            expected.streams.append(("socket", acks[0]["orderId"]))
            return
        world.advance(_PAUSE_SECONDS)
    raise AssertionError("a client was never sent the ack of its order")


def watched(world: World, simulate: str | None, expected: Expected) -> None:
    """Submit an order, and then open its stream."""
    order_id = with_key(world, simulate, expected)
    expected.users["watcher"] = "tester"
    expected.streams.append(("watcher", order_id))
    world.connect("watcher", orderId=order_id)


def follow(world: World, expected: Expected) -> None:
    """Open a user's stream and another user's stream before any order exists."""
    for connection, user in (("follower", "tester"), ("stranger", "another-user")):
        world.connect(connection, userId=user)
        expected.users[connection] = user
    world.run()


def followed(world: World, simulate: str | None, expected: Expected) -> None:
    follow(world, expected)
    expected.streams.append(("follower", with_key(world, simulate, expected)))


def crowd(world: World, simulate: str | None, expected: Expected) -> None:
    """Submit an order of a user with more followers than an order's item holds, and open its own stream once more."""
    connections = [f"socket-{number}" for number in range(MAX_DIRECT_SUBSCRIBERS + 2)]
    for connection in connections:
        world.connect(connection, userId="tester")
        expected.users[connection] = "tester"
    world.run()
    order_id = with_key(world, simulate, expected)
    expected.streams += [(connection, order_id) for connection in connections]
    expected.users["watcher"] = "tester"
    expected.streams.append(("watcher", order_id))
    world.connect("watcher", orderId=order_id)


def watching_crowd(world: World, simulate: str | None, expected: Expected) -> None:
    """Submit an order, and then open more streams of it than its item holds."""
    order_id = with_key(world, simulate, expected)
    for number in range(MAX_DIRECT_SUBSCRIBERS + 2):
        connection = f"watcher-{number}"
        expected.users[connection] = "tester"
        expected.streams.append((connection, order_id))
        world.connect(connection, orderId=order_id)


def high_priority(world: World, simulate: str | None, expected: Expected) -> None:
    """Submit an order of normal priority, and then a high-priority order."""
    with_key(world, simulate, expected)
    spec = a_spec(simulate=simulate, priority=Priority.HIGH)
    answer = world.retry_until_answered(lambda: world.engine.submit(ANYONE, spec, idempotency_key="high_priority"))
    expected.accepted.append(("high_priority", answer.order_id))


def three(world: World, simulate: str | None, expected: Expected) -> None:
    """Submit a high-priority order between two orders of normal priority."""
    high_priority(world, simulate, expected)
    answer = world.retry_until_answered(lambda: world.engine.submit(ANYONE, a_spec(), idempotency_key="third"))
    expected.accepted.append(("third", answer.order_id))


SIMULATED = (
    *("network_error:1", "venue_timeout:1", "stale_quote:1", "slippage:1", "tx_dropped:2", "landed_reply_lost:1"),
    *("slippage:3", "no_liquidity", "venue_down:raydium", "slow:5000"),
)

AT_ONCE = (
    Scenario("plain", without_key),
    Scenario("with a key", with_key),
    Scenario("over a socket", over_socket),
    Scenario("watched", watched),
    Scenario("followed", followed),
    Scenario("a crowd of followers", crowd),
    Scenario("a watching crowd", watching_crowd),
    Scenario("high_priority", high_priority),
    Scenario("three under a limit", three, rate_limit=1),
    *(Scenario(f"watched, {fault}", watched, fault) for fault in SIMULATED),
)
