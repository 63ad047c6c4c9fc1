"""The progress of an order, alone and beside sockets of another user that behave badly."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median

from tests.bench.figures import Row
from tests.bench.frames import Frames
from tests.bench.lives import confirmed_lives
from tests.bench.streams.stage import LIMIT_ORDER, MARKET_ORDER, Sizes, Stage

_ORDERS = 5
_ROUNDS = 2
_WAIT_SECONDS = 120
_SUBSCRIPTIONS = 100
_BAD = "bench-bad"

#: Sets a neighbour up; within its context the order runs.
_Neighbour = Callable[["_Trial"], "Iterator[None]"]


@dataclass
class Beside(Frames):
    """The own milliseconds of orders beside a neighbour and alone; the frames are those of sockets that stayed."""

    what: str
    own: list[float] = field(default_factory=list)
    own_alone: list[float] = field(default_factory=list)


@dataclass
class _Trial:
    stage: Stage
    sizes: Sizes
    result: Beside
    name: str

    def runs(self, user: str) -> list[float]:
        """Execute orders one after another, each with a socket that follows its user; return the own milliseconds."""
        self.stage.follow(user, user, 1)
        for number in range(_ORDERS):
            self.stage.api.post({**MARKET_ORDER, "userId": user})
            lives = confirmed_lives(self.stage.subject, user, MARKET_ORDER, number + 1, _WAIT_SECONDS)
        self.told(user, {life.order_id: life.last_seq for life in lives})
        self.stage.sockets.close(user)
        return [life.own_ms for life in lives]

    def told(self, group: str, orders: dict[str, int]) -> None:
        """Count the frames of a group that must have every one of them."""
        tally = self.stage.sockets.until(group, orders)
        self.result.count(tally, f"{self.result.what}: {group}")

    def open_order(self) -> str:
        return self.stage.api.post({**LIMIT_ORDER, "userId": f"{_BAD}-{self.name}"}).order_id

    def amend(self, order_id: str, times: int) -> int:
        """Amend an open order so often; return its last ``seq``."""
        for number in range(times):
            self.stage.api.amend(order_id, {"slippage": f"{2 + number % 7}"})
        return self.stage.api.seq(order_id)


@contextmanager
def _deaf(trial: _Trial) -> Iterator[None]:
    order_id, sockets = trial.open_order(), trial.stage.sockets
    sockets.open("deaf", [trial.stage.order_url(order_id)], deaf=True)
    trial.amend(order_id, trial.sizes.events // 2)
    yield
    trial.amend(order_id, trial.sizes.events // 2)
    sockets.close("deaf")


@contextmanager
def _vanished(trial: _Trial) -> Iterator[None]:
    order_id, sockets = trial.open_order(), trial.stage.sockets
    sockets.open("vanished", [trial.stage.order_url(order_id)] * 10)
    sockets.until("vanished", {order_id: 2})
    sockets.close("vanished", vanish=True)
    trial.amend(order_id, 1)
    yield


@contextmanager
def _rush(trial: _Trial) -> Iterator[None]:
    order_id, number = trial.open_order(), trial.sizes.vanishing
    urls = [trial.stage.order_url(order_id)] * number
    opening = trial.stage.sockets.begin_open("rush", urls, number, vanish=True)
    yield
    trial.stage.sockets.finish(opening)
    trial.stage.sockets.close("rush")


@contextmanager
def _eager(trial: _Trial) -> Iterator[None]:
    order_id, sockets = trial.open_order(), trial.stage.sockets
    trial.stage.follow("eager", f"{_BAD}-{trial.name}", 1)
    message = json.dumps({"action": "subscribe", "orderId": order_id})
    saying = sockets.begin_say("eager", message, _SUBSCRIPTIONS)
    yield
    sockets.finish(saying)
    trial.told("eager", {order_id: trial.amend(order_id, 2)})
    sockets.close("eager")


@contextmanager
def _long(trial: _Trial) -> Iterator[None]:
    order_id, sockets = trial.open_order(), trial.stage.sockets
    last = trial.amend(order_id, trial.sizes.events - 2)
    number = trial.sizes.joined_long
    opening = sockets.begin_open("long", [trial.stage.order_url(order_id)] * number, number)
    yield
    sockets.finish(opening)
    trial.told("long", {order_id: last})
    sockets.close("long")


def measure(stage: Stage, sizes: Sizes) -> list[Beside]:
    neighbours = {
        "a socket that never reads": _deaf,
        "10 sockets that vanish in mid-frame": _vanished,
        f"{sizes.vanishing:,} that connect and vanish": _rush,
        f"{_SUBSCRIPTIONS} subscriptions by a follower": _eager,
        f"{sizes.joined_long} sockets on {sizes.events} events": _long,
    }
    found = []
    for number, (what, neighbour) in enumerate(neighbours.items()):
        result = Beside(what)
        for turn in range(_ROUNDS):
            trial = _Trial(stage, sizes, result, f"{number}-{turn}")
            result.own_alone += trial.runs(f"bench-quiet-{trial.name}")
            with neighbour(trial):
                result.own += trial.runs(f"bench-beside-{trial.name}")
        found.append(result)
    return found


def rows(results: list[Beside]) -> list[Row]:
    found = []
    for one in results:
        own, alone = median(one.own), median(one.own_alone)
        found += [
            Row(f"Beside {one.what}: own ms", f"{own:.1f}"),
            Row("  alone, side by side", f"{alone:.1f}"),
            Row("  ratio", f"{own / alone:.2f}", "<= 1.10"),
            *one.frame_rows(),
        ]
    return found
