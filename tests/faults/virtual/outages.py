"""Outages of a virtual world: PostgreSQL, the orders queue, and sockets."""

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
