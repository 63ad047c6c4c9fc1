"""The time from a fault to the end of each order in a virtual world."""

from chalicelib.codec.times import to_ms
from tests.faults.virtual.world import World

#: Maximum time from the death of a process to the end of an order. A rate limit of one order a minute takes longer.
MAX_RECOVERY_SECONDS = 30


def recovery_seconds(world: World, at_ms: int) -> list[float]:
    """Return, for each order, the time from a fault to the order's last event."""
    events = [stored.order.events for stored in world.all_orders().values()]
    spans = [(to_ms(of_order[0].at), to_ms(of_order[-1].at)) for of_order in events]
    # A fault may precede the acceptance of the order or follow its end.
    return [max(0, ended_ms - max(at_ms, began_ms)) / 1000 for began_ms, ended_ms in spans]


def slow_recovery(world: World, scenario: str) -> list[str]:
    """Return a violation if an order ended later than ``MAX_RECOVERY_SECONDS`` after the last fault."""
    fired = world.injector.fired
    slowest = max(recovery_seconds(world, fired[-1][0]), default=0.0) if fired else 0.0
    if slowest <= MAX_RECOVERY_SECONDS:
        return []
    return [f"over only after {slowest:.1f} s ({scenario}: {', '.join(text for _, text in fired)})"]
