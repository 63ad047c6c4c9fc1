"""Writers that die between the write of an event and its push, and clients that come back with a later time."""

from functools import partial
from random import Random
from typing import Any

from chalicelib.ports.orders import StoredOrder
from tests.faults.effort import Effort
from tests.faults.result import Result
from tests.faults.virtual.stream_clients import StreamClient
from tests.faults.virtual.stream_lives import LATER_SECONDS, SINGLE, Life, market
from tests.faults.virtual.world import World

_FOLLOWED_SECONDS = 10
#: The time until the engine moves the order on whose writer died. The frames of a later order come before.
_REPAIRED_SECONDS = LATER_SECONDS + 20
#: The times that the client is away: it comes back before the repair, and after it.
_AWAY_SECONDS = (0, 3, 40, 90)
_REST_SECONDS = 240


def pushed_late(effort: Effort) -> Result:
    """Let the writer of each event die, move its order on much later, and cut a client at the frames meanwhile."""
    result, random = Result("pushed late"), Random(7)
    for life in SINGLE:
        number = 1
        while (frames := _live(result, life, number)) is not None:
            for away_seconds in random.sample(_AWAY_SECONDS, effort.pick(2, len(_AWAY_SECONDS))):
                for at_frame in random.sample(frames, min(effort.pick(2, len(frames)), len(frames))):
                    _live(result, life, number, at_frame, away_seconds)
            number += 1
    return result


def _live(
    result: Result, life: Life, number: int, at_frame: int | None = None, away_seconds: float = 0
) -> list[int] | None:
    """Run a life whose writer dies after the event ``number``; returns the frames of the later order.

    ``None`` if the life has fewer events.
    """
    world = World()
    at_frames = frozenset() if at_frame is None else frozenset({at_frame})
    harm = partial(StreamClient.cut, away_seconds=away_seconds)
    client = StreamClient(world, {"userId": "tester"}, at_frames, harm)
    client.open()
    world.advance(_FOLLOWED_SECONDS)
    dead = _die_after(world, number)
    world.once(partial(life.begin, world))
    _advance(world, LATER_SECONDS)
    first = client.frames + 1
    world.later(0, partial(market, world))
    _advance(world, _REPAIRED_SECONDS - LATER_SECONDS - 1)
    frames = list(range(first, client.frames + 1))
    _advance(world, _REST_SECONDS)
    found = [f"lacks {one} at the end" for one in client.lacks()]
    if not any(one.order.is_terminal and one.deadline_ms is None for one in dead):
        # The queue alone knows of an order whose worker died after the last write. Its end comes after ``live``.
        found += client.violations
    found += [] if client.is_live else ["is not live at the end"]
    case = f"{life.name}, writer of event {number} dies, cut at frame {at_frame} for {away_seconds} s"
    result.violations += [f"{one} ({case})" for one in found]
    result.orders += len(world.all_orders())
    result.faults += len(dead) + client.harms
    return frames if dead else None


def _advance(world: World, seconds: int) -> None:
    """Advance by small steps: a long one passes over the expiry of an order."""
    for _ in range(seconds):
        world.advance(1)


def _die_after(world: World, number: int) -> list[StoredOrder]:
    """Let the writer number ``number`` of the first order die before the push; returns a list that then has it."""
    write = world.orders.write
    events: list[int] = []
    dead: list[StoredOrder] = []

    def write_and_die(before: Any, after: Any, **terms: Any) -> Any:
        stored = write(before, after, **terms)
        if after.seq > before.order.seq and after.order_id == next(iter(world.all_orders())):
            events.append(after.seq)
            if len(events) == number:
                dead.append(stored)
                world.hold_repairs(_REPAIRED_SECONDS)
                world.injector.crash()
        return stored

    setattr(world.orders, "write", write_and_die)  # noqa: B010 (mypy refuses the assignment of a method)
    return dead


TRIALS = (pushed_late,)
