"""Outages of a virtual world: PostgreSQL, the orders queue, and sockets; and the return of the clients."""

from tests.faults.virtual.client_scenarios import Expected
from tests.faults.virtual.world import World


def end_outage(world: World, what: str) -> None:
    """Restore a dependency."""
    switch(world, what, False)
    # The recovery time of the engine starts here.
    world.injector.fired.append((world.clock.now_ms(), f"{what} down until now"))


def switch(world: World, what: str, away: bool) -> None:
    """Take a dependency or the sockets of all clients away, or restore them."""
    if what == "postgres":
        world.history.down = away
    elif what == "queue":
        world.queue.down = away
    else:
        sockets = world.sockets.gone if what == "socket gone" else world.sockets.slow
        for connection in ("socket", "watcher", "follower"):
            (sockets.add if away else sockets.discard)(connection)


def come_back(world: World, expected: Expected) -> bool:
    """Open the sockets again that the engine has closed as too slow; return whether the world then rests."""
    for connection, order_id in expected.streams:
        if connection in world.sockets.closed:
            frames = [frame for frame in world.sockets.frames[connection] if frame.get("orderId") == order_id]
            # The ack of an order has no ``seq``.
            last = max((frame["seq"] for frame in frames if "seq" in frame), default=0)
            world.sockets.gone.discard(connection)
            world.connect(connection, orderId=order_id, afterSeq=str(last))
    return world.run()
