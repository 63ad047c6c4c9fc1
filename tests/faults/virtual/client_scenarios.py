"""How orders come into the world and are watched, as clients do it, and what those clients may expect."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from chalicelib.codec.exact_json import dumps
from chalicelib.domain.spec import Priority
from chalicelib.domain.status import Status
from tests.faults.virtual.injection import Crash
from tests.faults.virtual.world import World
from tests.support.callers import ANYONE
from tests.support.specs import a_spec

#: A client over a socket says again what was not answered, this often and after this long.
_SAYS = 200
_PAUSE_SECONDS = 5


@dataclass
class Expected:
    """What the clients of a world rely on: answered orders by key, and streams that must be whole."""

    accepted: list[tuple[str, str]] = field(default_factory=list)
    #: Connection and order; the stream is to come from ``seq`` 1 on.
    streams: list[tuple[str, str]] = field(default_factory=list)
    #: The user whose orders each connection may receive.
    users: dict[str, str] = field(default_factory=dict)
    #: Orders of which it is known how they end, unless they are cancelled.
    ends: list[tuple[str, tuple[Status, ...]]] = field(default_factory=list)


@dataclass(frozen=True)
class Scenario:
    """A way for an order to live."""

    name: str
    begin: Callable[[World, str | None, Expected], object]
    simulate: str | None = None
    #: Orders that may start in a minute; 0 is any number.
    rate_limit: int = 0


def without_key(world: World, simulate: str | None, expected: Expected) -> None:
    """A client that cannot know what became of its order when the answer does not come."""
    try:
        order_id = world.process(lambda: world.engine.submit(ANYONE, a_spec(simulate=simulate))).order_id
    except (Crash, Exception):
        return
    expected.accepted.append(("", order_id))


def with_key(world: World, simulate: str | None, expected: Expected, **changes: Any) -> str:
    """A client that posts until it is answered, under one key."""
    spec = a_spec(simulate=simulate, **changes)
    answer = world.insist(lambda: world.engine.submit(ANYONE, spec, idempotency_key="key"))
    expected.accepted.append(("key", answer.order_id))
    return str(answer.order_id)


def over_socket(world: World, simulate: str | None, expected: Expected) -> None:
    """A client that orders over its socket, says it again while no ack comes, and watches there."""
    world.connect("socket")
    fields = {"tokenIn": "SOL", "tokenOut": "USDC", "amountIn": "1.5", "userId": "tester", "clientOrderId": "own"}
    body = dumps({"action": "execute_order", **fields, **({"simulate": simulate} if simulate else {})})
    expected.users["socket"] = "tester"
    for _ in range(_SAYS):
        with suppress(Crash, Exception):
            world.say("socket", body)
        acks = [frame for frame in world.sockets.frames["socket"] if frame["type"] == "ack"]
        if acks:
            expected.accepted += [("own", ack["orderId"]) for ack in acks]
            expected.streams.append(("socket", acks[0]["orderId"]))
            return
        world.go_on(_PAUSE_SECONDS)
    raise AssertionError("a client was never sent the ack of its order")


def watched(world: World, simulate: str | None, expected: Expected) -> None:
    """A client that posts and then opens a stream of the order."""
    order_id = with_key(world, simulate, expected)
    expected.users["watcher"] = "tester"
    expected.streams.append(("watcher", order_id))
    world.connect("watcher", orderId=order_id)


def follow(world: World, expected: Expected) -> None:
    """A user's stream that has been open for long, and a stranger's, before an order comes."""
    for connection, user in (("follower", "tester"), ("stranger", "another-user")):
        world.connect(connection, userId=user)
        expected.users[connection] = user
    world.run()


def followed(world: World, simulate: str | None, expected: Expected) -> None:
    follow(world, expected)
    expected.streams.append(("follower", with_key(world, simulate, expected)))


def high_priority(world: World, simulate: str | None, expected: Expected) -> None:
    """A high-priority order and an earlier one of normal priority."""
    with_key(world, simulate, expected)
    spec = a_spec(simulate=simulate, priority=Priority.HIGH)
    answer = world.insist(lambda: world.engine.submit(ANYONE, spec, idempotency_key="high_priority"))
    expected.accepted.append(("high_priority", answer.order_id))


def three(world: World, simulate: str | None, expected: Expected) -> None:
    """A high-priority order and two of normal priority, at once."""
    high_priority(world, simulate, expected)
    answer = world.insist(lambda: world.engine.submit(ANYONE, a_spec(), idempotency_key="third"))
    expected.accepted.append(("third", answer.order_id))


SIMULATED = (
    *("network_error:1", "venue_timeout:1", "stale_quote:1", "slippage:1", "tx_dropped:2", "landed_reply_lost:1"),
    *("slippage:3", "no_liquidity", "venue_down:raydium", "slow:9000"),
)

AT_ONCE = (
    Scenario("plain", without_key),
    Scenario("with a key", with_key),
    Scenario("over a socket", over_socket),
    Scenario("watched", watched),
    Scenario("followed", followed),
    Scenario("high_priority", high_priority),
    Scenario("three under a limit", three, rate_limit=1),
    *(Scenario(f"watched, {fault}", watched, fault) for fault in SIMULATED),
)
