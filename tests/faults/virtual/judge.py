"""Violations in a virtual world: of the invariants, and of the results that clients expect."""

from collections import defaultdict
from collections.abc import Collection

from chalicelib.codec.times import to_ms
from chalicelib.domain.failures import FailureCode
from chalicelib.domain.orders import Order
from chalicelib.domain.status import Status
from orderengine.testing.invariants import order_violations, stream_violations
from tests.faults.rates import most_in_a_minute
from tests.faults.virtual.client_scenarios import Expected
from tests.faults.virtual.world import World

#: At the end no order may be overdue.
_OVERDUE_MS = 0


def final_violations(world: World, expected: Expected) -> list[str]:
    """Return all violations in a world that has no work left."""
    found = violations_now(world, expected)
    orders = world.all_orders()
    for key, order_id in expected.accepted:
        if order_id not in orders:
            found.append(f"I3 {order_id}: accepted (key {key!r}) and not there")
    found += [
        f"I3 {order_id}: {stored.order.status}, and neither terminal nor open"
        for order_id, stored in orders.items()
        if not (stored.order.is_terminal or stored.order.status is Status.OPEN)
    ]
    for order_id, ends in expected.ends:
        if order_id in orders and not _ended_in(orders[order_id].order, ends):
            found.append(f"{order_id}: ended {orders[order_id].order.status} and not {', '.join(ends)}")
    found += order_violations(world, overdue_ms=_OVERDUE_MS, knows_all_prices=True)
    begun = [
        to_ms(next(event.at for event in stored.order.events if event.attempt))
        for stored in orders.values()
        if stored.order.attempts
    ]
    if world.rate_limit and (most := most_in_a_minute(begun)) > world.rate_limit:
        found.append(f"{most} orders begun within a minute")
    for connection, order_id in expected.streams:
        frames = [frame for frame in world.sockets.frames[connection] if frame.get("orderId") == order_id]
        seqs = [frame["seq"] for frame in frames if frame["type"] == "ORDER_UPDATE"]
        last = orders[order_id].order.seq if order_id in orders else 0
        found += [f"{connection} {order_id}: {wrong}" for wrong in stream_violations(seqs, 0, last)]
    return found


def _ended_in(order: Order, ends: Collection[Status]) -> bool:
    """Return whether an order ended as expected, was cancelled, or exhausted the receives of its queue."""
    return order.status in {*ends, Status.CANCELLED} or order.fail_code is FailureCode.QUEUE_EXHAUSTED


def violations_now(world: World, expected: Expected) -> list[str]:
    """Return violations that need no final state: two orders of a key, a frame of another user, a second swap."""
    found = []
    by_key: defaultdict[str, set[str]] = defaultdict(set)
    for key, order_id in expected.accepted:
        if key:
            by_key[key].add(order_id)
    found += [f"key {key!r} made {len(made)} orders" for key, made in by_key.items() if len(made) > 1]
    for connection, user in expected.users.items():
        others = {
            frame["userId"] for frame in world.sockets.frames[connection] if "userId" in frame and "seq" in frame
        }
        if others - {user}:
            found.append(f"I7 {connection} of {user} received orders of {others - {user}}")
    for order_id in world.all_orders():
        if (swaps := len(world.ledger.swaps_of(order_id))) > 1:
            found.append(f"I1 {order_id}: {swaps} swaps")
    return found
