"""Messages of version 1 in the queues of an engine that has just been upgraded, as scenarios.

``legacy_messages.jsonl`` holds bodies that the last engine of version 1 sent in this simulation. Each line has the
queue, a name for the state of the order, and the body.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from chalicelib.codec.exact_json import loads
from chalicelib.codec.messages import read_order_message
from chalicelib.codec.times import to_ms
from chalicelib.domain.events import LaunchTriggered
from chalicelib.domain.spec import Priority
from chalicelib.domain.status import OrderType, Status
from chalicelib.ports.market import PushedPrice
from chalicelib.ports.orders import StoredOrder
from chalicelib.ports.streams import Connection, Subscriber
from tests.faults.virtual.client_scenarios import Expected, Scenario, with_key
from tests.faults.virtual.open_orders import REACHED, SOL_USDC
from tests.faults.virtual.world import World

_MESSAGES = [loads(line) for line in Path(__file__).with_name("legacy_messages.jsonl").read_text().splitlines()]
#: Message bodies by the name of their state.
ORDER_BODIES: dict[str, str] = {one["name"]: one["body"] for one in _MESSAGES if one["queue"] == "orders"}
REPLAY_BODIES: dict[str, str] = {one["name"]: one["body"] for one in _MESSAGES if one["queue"] == "replay"}
#: In seconds.
_TWO_HOURS = 7200


def store_order(world: World, body: str, expected: Expected) -> StoredOrder:
    """Store the order of a message as its sender left it, at a market price that fills the order."""
    message = read_order_message(body)
    order = message.order
    world.clock.sleep((order.events[-1].at - world.clock.now()).total_seconds())
    assert SOL_USDC is not None
    if order.spec.type is not OrderType.MARKET:
        world.markets.push_price(SOL_USDC, PushedPrice(REACHED, world.clock.now_ms()))
    for event in order.events:
        if isinstance(event.data, LaunchTriggered):
            world.markets.announce(event.data.launch)
    deadline_ms = to_ms(order.events[-1].at) + world.engine.settings.pending_deadline_seconds * 1000
    stored = world.orders.create(order, deadline_ms)
    expected.accepted.append(("", order.order_id))
    expected.ends.append((order.order_id, (Status.CONFIRMED,)))
    return stored


def queue_order(world: World, simulate: str | None, expected: Expected, body: str) -> None:
    """Queue an order message; a high-priority order has one in both queues."""
    stored = store_order(world, body, expected)
    if stored.order.spec.priority is Priority.HIGH:
        world.high_priority.put(body)
    world.queue.put(body)


def queue_dead_letter(world: World, simulate: str | None, expected: Expected, body: str) -> None:
    """Queue an order message as a dead letter."""
    store_order(world, body, expected)
    world.dead_letters.put(body)


def queue_replay(world: World, simulate: str | None, expected: Expected, body: str) -> None:
    """Queue a replay for a connected client, and create the order whose stream the client expects."""
    message = loads(body)
    wanted, for_followers = message["wanted"], message["connection_id"] == "*"
    connection = "follower" if for_followers else message["connection_id"]
    expires_at = world.clock.now_ms() // 1000 + _TWO_HOURS
    world.streams.connect(Connection(connection, coarse=False, expires_at=expires_at))
    expected.users[connection] = "tester"
    if "userId" in wanted and not message["look"]:
        world.replay_queue.put(body)
        world.run()
        order_id = with_key(world, simulate, expected)
    else:
        order_id = store_order(world, ORDER_BODIES["market, pending"], expected).order.order_id
        if for_followers or message["look"]:
            world.streams.follow("tester", Subscriber(connection, via_user=True))
        world.replay_queue.put(body)
    expected.streams.append((connection, order_id))


def _scenarios() -> Iterator[Scenario]:
    for name, body in ORDER_BODIES.items():
        yield Scenario(f"version 1: {name}", partial(queue_order, body=body))
    for name in ("market, pending", "market, submitted"):
        yield Scenario(f"version 1, dead letter: {name}", partial(queue_dead_letter, body=ORDER_BODIES[name]))
    for name, body in REPLAY_BODIES.items():
        yield Scenario(f"version 1, replay: {name}", partial(queue_replay, body=body))


LEGACY = tuple(_scenarios())
