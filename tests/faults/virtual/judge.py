"""Violations in a virtual world: of the invariants, and of the results that clients expect."""

from collections import defaultdict
from collections.abc import Collection

from chalicelib.codec.times import to_ms
from chalicelib.domain.failures import FailureCode
from chalicelib.domain.invariants import Evidence, HistoryCopy, Swap, violations_of
from chalicelib.domain.orders import Order
from chalicelib.domain.status import Status
from chalicelib.ports.history import OrderFilter
from tests.faults.rates import most_in_a_minute
from tests.faults.streams import stream_violations
from tests.faults.virtual.client_scenarios import Expected
from tests.faults.virtual.world import World

#: At the end no order may be overdue.
_OVERDUE_MS = 0
_MAX_ORDERS = 200


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
    found += [wrong for stored in orders.values() for wrong in _steps_after_expiry(stored.order)]
    for evidence in evidence_of(world):
        judged = violations_of(evidence, world.clock.now_ms(), overdue_ms=_OVERDUE_MS)
        found += [f"{one.invariant} {one.order_id}: {one.detail}" for one in judged]
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


def _steps_after_expiry(order: Order) -> list[str]:
    """Return the events after the expiry of an order that trigger it or send its transaction."""
    expires_at, statuses = order.expires_at, (Status.TRIGGERED, Status.SUBMITTED)
    return [
        f"{order.order_id}: {event.status} ({event.seq}) at {event.at}, and over since {expires_at}"
        for event in order.events
        if expires_at and event.status in statuses and event.at >= expires_at
    ]


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


def evidence_of(world: World) -> list[Evidence]:
    """Return the evidence of every order from the orders table, the ledger and the history."""
    models = {model.order_id: model for model in world.history.page(OrderFilter(), _MAX_ORDERS, None).orders}
    found = []
    for order_id, stored in world.all_orders().items():
        order, model = stored.order, models.get(order_id)
        copy = None
        if model:
            events = tuple(
                (one.seq, one.status, one.attempt) for _, one in sorted(world.history.events[order_id].items())
            )
            copy = HistoryCopy(model.status, model.seq, model.amount_out, events)
        swaps = tuple(Swap(fill.signature, order_id, fill.amount_out) for fill in world.ledger.swaps_of(order_id))
        found.append(
            Evidence(
                order_id=order_id,
                spec=order.spec,
                status=order.current_status,
                seq=order.seq,
                events=order.events,
                swaps=swaps,
                deadline_ms=stored.deadline_ms,
                history=copy,
            )
        )
    return found
