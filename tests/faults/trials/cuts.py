"""Clients of streams that are cut off at every frame of every order's life, and lack nothing once they are live."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from random import Random

from tests.faults.effort import Effort
from tests.faults.result import Result
from tests.faults.virtual.stream_clients import Poller, StreamClient
from tests.faults.virtual.stream_lives import LATER_SECONDS, SINGLE, TOGETHER, Life
from tests.faults.virtual.world import World

Harm = Callable[[StreamClient], None]

#: The times that a client is away, in relation to those of the looks and of the replay before ``since``.
_AWAY_SECONDS = (0, 0.4, 3, 30, 90)
#: The times that a socket is slow: the engine catches up with the first ones, and closes the others.
_SLOW_SECONDS = (1, 8, 25, 50, 110)
#: The first stream of a user is live after this time.
_FOLLOWED_SECONDS = 10
#: Every order of a life has ended after this time.
_LIFE_SECONDS = LATER_SECONDS + 15


@dataclass(frozen=True)
class Setting:
    """A condition that lasts all the time."""

    name: str
    begin: Callable[[World], object] = lambda world: None


def _postgres_down(world: World) -> None:
    world.history.down = True


def _lag(world: World, milliseconds: int) -> None:
    world.orders.index_lag_ms = milliseconds


SETTINGS = (
    Setting("all is well"),
    Setting("Postgres down", _postgres_down),
    Setting("indexes behind by 0.9 s", partial(_lag, milliseconds=900)),
    Setting("indexes behind by 4.5 s", partial(_lag, milliseconds=4500)),
)


def cut_at_every_frame(effort: Effort) -> Result:
    """Cut the connection after each frame, once or twice, for various times.

    The replays take less than ``RESUME_MARGIN_SECONDS``, so a client may come back with the time of any last frame.
    """
    harms = [partial(StreamClient.cut, away_seconds=seconds) for seconds in _AWAY_SECONDS]
    return _at_every_frame("cut at every frame", harms, 3 * max(_AWAY_SECONDS), effort, is_exact=False)


def slow_at_every_frame(effort: Effort) -> Result:
    """Let the socket take nothing after each frame, once or twice, for various times."""
    harms = [partial(StreamClient.stall, seconds=seconds) for seconds in _SLOW_SECONDS]
    return _at_every_frame("slow at every frame", harms, 4 * max(_SLOW_SECONDS), effort)


def held_back_at_every_frame(effort: Effort) -> Result:
    """Let the socket take no frames of one order after each frame, and cut the connection after a later frame."""
    harms = [partial(_hold_back_then_cut, seconds=seconds) for seconds in _SLOW_SECONDS]
    return _at_every_frame("one order held back at every frame", harms, 4 * max(_SLOW_SECONDS), effort)


def _hold_back_then_cut(client: StreamClient, seconds: float) -> None:
    if client.harms == 1:
        client.hold_back(seconds)
    else:
        client.cut(0)


def _at_every_frame(
    name: str, harms: Sequence[Harm], rest_seconds: float, effort: Effort, is_exact: bool = True
) -> Result:
    trial, random = _Trial(Result(name), rest_seconds, is_exact), Random(6)
    for _ in range(effort.pick(1, 3)):
        for case in _cases():
            frames = trial.live(case, harms[0])
            for first in range(1, frames + 1):
                for harm in random.sample(harms, effort.pick(1, len(harms))):
                    second = first + random.choice([0, random.randrange(1, frames + 1)])
                    trial.live(case, harm, first, second)
    trial.note()
    return trial.result


@dataclass(frozen=True)
class Case:
    """A life, the stream of a user or of an order that the client opens, and a setting."""

    life: Life
    of_user: bool
    setting: Setting

    def __str__(self) -> str:
        return f"{self.life.name}, stream of {'a user' if self.of_user else 'an order'}, {self.setting.name}"


def _cases() -> Iterator[Case]:
    for life, of_user, setting in product(SINGLE, (True, False), SETTINGS):
        yield Case(life, of_user, setting)
    for setting in SETTINGS:
        yield Case(TOGETHER, True, setting)


@dataclass
class _Trial:
    """``rest_seconds``: the time after which a client is live again that was harmed."""

    result: Result
    rest_seconds: float
    is_exact: bool
    lives: int = 0
    frames: int = 0
    polls: int = 0

    def live(self, case: Case, harm: Harm, *at_frames: int) -> int:
        """Run one life with a client that is harmed after these frames; returns the number of its frames."""
        world = World()
        case.setting.begin(world)
        poller = Poller(world, "tester")

        def poll_and_harm(client: StreamClient) -> None:
            poller.poll()
            harm(client)

        client = StreamClient(world, {"userId": "tester"}, frozenset(at_frames), poll_and_harm, self.is_exact)
        _begin(world, case, client)
        world.advance(_LIFE_SECONDS)
        poller.poll()
        world.advance(self.rest_seconds)
        poller.poll()
        found = [*client.violations, *(f"lacks {one} at the end" for one in client.lacks())]
        found += [] if client.is_live else ["is not live at the end"]
        found += [f"polling missed {one}" for one in poller.lacks()]
        self.result.violations += [f"{one} ({case}, at frames {at_frames})" for one in found]
        self.result.orders += len(world.all_orders())
        self.result.faults += client.harms
        self.lives += 1
        self.frames += client.frames
        self.polls += poller.polls
        return client.frames

    def note(self) -> None:
        frames, polls = f"{self.frames} frames checked", f"{self.polls} polls of the list"
        self.result.notes.append(f"{self.lives} lives, {self.result.faults} cuts, {frames}, {polls}")


def _begin(world: World, case: Case, client: StreamClient) -> None:
    """Begin a life, and open its stream: that of a user before any order, that of an order after it."""
    if case.of_user:
        client.open()
        world.advance(_FOLLOWED_SECONDS)
        case.life.begin(world)
    else:
        client.stream = {"orderId": case.life.begin(world)}
        client.open()


TRIALS = (cut_at_every_frame, slow_at_every_frame, held_back_at_every_frame)
