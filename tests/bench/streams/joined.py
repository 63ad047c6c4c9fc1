"""The progress of an order that many sockets have joined, beside orders without sockets.

The order waits in the queue while its sockets join, and then executes. The orders without sockets execute before it,
in the same way, so that the rounds of both alternate.
"""

import time
from dataclasses import dataclass, field
from statistics import median

from tests.bench.deliveries import held_back
from tests.bench.figures import Row
from tests.bench.frames import Frames
from tests.bench.lives import Life, confirmed_lives
from tests.bench.streams.stage import MARKET_ORDER, Sizes, Stage

_ALONE = 3
_MOST_ROUNDS = 5
#: Sockets that the rounds of one size open together, roughly.
_SOCKETS = 300
_WAIT_SECONDS = 120


@dataclass
class Joined(Frames):
    """Orders with so many sockets and without; ``posts`` are answers to another user while the order executes."""

    sockets: int
    #: The engine's own milliseconds from ``routing`` to ``confirmed``.
    own: list[float] = field(default_factory=list)
    own_alone: list[float] = field(default_factory=list)
    posts: list[float] = field(default_factory=list)
    posts_alone: list[float] = field(default_factory=list)
    #: Milliseconds from the ``confirmed`` event until the last socket had it.
    told: list[float] = field(default_factory=list)


def measure(stage: Stage, sizes: Sizes) -> list[Joined]:
    return [_measure(stage, number) for number in sizes.joined]


def _measure(stage: Stage, number: int) -> Joined:
    result = Joined(number)
    for turn in range(max(1, min(_MOST_ROUNDS, _SOCKETS // number))):
        for other in range(_ALONE):
            life, post = _execute(stage, f"bench-alone-{number}-{turn}-{other}", 0, result)
            result.own_alone.append(life.own_ms)
            result.posts_alone.append(post)
        life, post = _execute(stage, f"bench-joined-{number}-{turn}", number, result)
        result.own.append(life.own_ms)
        result.posts.append(post)
    return result


def _execute(stage: Stage, user: str, number: int, result: Joined) -> tuple[Life, float]:
    with held_back(stage.subject):
        order_id = stage.api.post({**MARKET_ORDER, "userId": user}).order_id
        if number:
            stage.sockets.open(user, [stage.order_url(order_id)] * number)
            stage.sockets.until(user, {order_id: 1})
    post = stage.api.post({**MARKET_ORDER, "userId": f"{user}-other"}).ms
    (life,) = confirmed_lives(stage.subject, user, MARKET_ORDER, 1, _WAIT_SECONDS)
    confirmed_lives(stage.subject, f"{user}-other", MARKET_ORDER, 1, _WAIT_SECONDS)
    if number:
        tally = stage.sockets.until(user, {order_id: life.last_seq})
        result.told.append((tally.last + time.time() - time.monotonic() - life.ended) * 1000)
        result.count(tally, f"{number} sockets on an order")
        stage.sockets.close(user)
    return life, post


def rows(results: list[Joined]) -> list[Row]:
    found = []
    for one in results:
        own, alone = median(one.own), median(one.own_alone)
        found += [
            Row(f"{one.sockets:,} sockets on an order: its own ms", f"{own:.1f}"),
            Row("  without sockets, side by side", f"{alone:.1f}"),
            Row("  ratio", f"{own / alone:.2f}", "<= 1.10"),
            Row("  POST of another user meanwhile, ms", f"{median(one.posts):.1f}"),
            Row("    without sockets", f"{median(one.posts_alone):.1f}"),
            Row("  all told after confirmed, ms", f"{median(one.told):.0f}"),
            *one.frame_rows(),
        ]
    return found
