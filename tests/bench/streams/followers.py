"""Orders of a user with many followers, beside a bare loop that pushes the same frames to the same sockets.

The bare loop sends the frames that one follower has received, under new order ids, so that both are counted alike.
"""

import json
import time
from dataclasses import dataclass, field
from statistics import median
from typing import Any
from uuid import uuid4

from tests.bench.connections import open_connections, wait_until_closed
from tests.bench.errors import BenchError
from tests.bench.figures import Row, p50_p95
from tests.bench.lives import Life, confirmed_lives
from tests.bench.sockets import Tally
from tests.bench.streams.bare import BarePushes
from tests.bench.streams.stage import MARKET_ORDER, Sizes, Stage

_SECONDS_AN_ORDER = 20
_CROWD = 100


@dataclass
class Told:
    """Frames that were due to all followers, and how long it took until all were told."""

    seconds: float
    due: int
    received: int
    doubled: int

    @property
    def per_second(self) -> float:
        return self.received / self.seconds


@dataclass
class Followed:
    """A user's orders; times in milliseconds."""

    followers: int
    orders: int
    posts: list[float]
    #: The engine's own time from ``routing`` and from ``pending`` to ``confirmed``.
    own: list[float]
    whole: list[float]
    #: Attempts after the first.
    retries: int
    engine: Told | None = None
    bare: Told | None = None
    faults: list[str] = field(default_factory=list)


def measure(stage: Stage, sizes: Sizes, bare: BarePushes) -> list[Followed]:
    """Rounds without followers come before each round with followers."""
    found = []
    for followers, orders in sizes.followed:
        found.append(_alone(stage, f"bench-followed-{followers}-by-none", orders))
        found.append(_followed(stage, f"bench-followed-{followers}", followers, orders, bare))
    return found


def _alone(stage: Stage, user: str, orders: int) -> Followed:
    posts, lives, _ = _orders(stage, user, orders)
    return Followed(0, orders, posts, *_progress(lives))


def _followed(stage: Stage, user: str, followers: int, orders: int, bare: BarePushes) -> Followed:
    wait_until_closed(stage.subject)
    stage.follow(user, user, followers)
    stage.subject.wait_until_idle()
    posts, lives, began = _orders(stage, user, orders)
    tally = stage.sockets.until(user, {life.order_id: life.last_seq for life in lives})
    return Followed(
        followers,
        orders,
        posts,
        *_progress(lives),
        engine=_told(tally, began),
        bare=_bare(stage, user, followers, bare, [life.order_id for life in lives]),
        faults=tally.faults(f"{followers} followers of {orders} orders"),
    )


def _progress(lives: list[Life]) -> tuple[list[float], list[float], int]:
    retries = sum(life.attempts - 1 for life in lives)
    return [life.own_ms for life in lives], [life.whole_ms for life in lives], retries


def _orders(stage: Stage, user: str, orders: int) -> tuple[list[float], list[Life], float]:
    """Post orders one after another; return the milliseconds of each POST, the lives, and when the first began."""
    began = time.monotonic()
    accepted = [stage.api.post({**MARKET_ORDER, "userId": user}) for _ in range(orders)]
    ids = {one.order_id for one in accepted}
    lives = confirmed_lives(stage.subject, user, MARKET_ORDER, orders, orders * _SECONDS_AN_ORDER)
    return [one.ms for one in accepted], [life for life in lives if life.order_id in ids], began


def _bare(stage: Stage, user: str, followers: int, bare: BarePushes, orders: list[str]) -> Told:
    """Push the frames of these orders to the same sockets, as those of new orders."""
    frames: list[dict[str, Any]] = [json.loads(text) for text in stage.sockets.texts(user)]
    renamed = {order: str(uuid4()) for order in orders}
    copies = {
        (frame["orderId"], frame["seq"]): json.dumps({**frame, "orderId": renamed[frame["orderId"]]})
        for frame in frames
        if frame["orderId"] in renamed
    }
    connections = open_connections(stage.subject)
    if len(connections) != followers:
        raise BenchError(f"{len(connections)} connections are open for {followers} followers")
    began = time.monotonic()
    bare.push(connections, list(copies.values()))
    last = {renamed[order]: max(seq for one, seq in copies if one == order) for order, _ in copies}
    tally = stage.sockets.until(user, last)
    stage.sockets.close(user)
    return _told(tally, began)


def _told(tally: Tally, began: float) -> Told:
    return Told(tally.last - began, tally.due, tally.received, tally.doubled)


def rows(results: list[Followed]) -> list[Row]:
    found: list[Row] = []
    alone = results[0]
    for one in results:
        if one.engine is None or one.bare is None:
            alone = one
            continue
        # A few followers are told as fast as the user posts.
        rate_aim = ">= 0.80" if one.followers >= _CROWD else ""
        found += [
            Row(f"{one.followers:,} followers, {one.orders} orders: POST p50 / p95 / max", _posts(one)),
            Row("  without followers", _posts(alone)),
            Row("  ratio of p50", f"{median(one.posts) / median(alone.posts):.2f}", "<= 1.10"),
            Row("  an order's own ms, routing to confirmed", p50_p95(one.own)),
            Row("    without followers", p50_p95(alone.own)),
            Row("    ratio", f"{median(one.own) / median(alone.own):.2f}", "<= 1.10"),
            Row("  pending to confirmed", p50_p95(one.whole)),
            Row("    without followers", p50_p95(alone.whole)),
            Row("  attempts after the first", f"{one.retries}"),
            Row("    without followers", f"{alone.retries}"),
            Row("  frames received / due", f"{one.engine.received} / {one.engine.due}"),
            Row("  doubled, of all", str(one.engine.doubled)),
            Row("  seconds until all were told", f"{one.engine.seconds:.1f}"),
            Row("    by the bare loop", f"{one.bare.seconds:.1f}"),
            Row("  frames a second", f"{one.engine.per_second:.0f}"),
            Row("    of the bare loop", f"{one.bare.per_second:.0f}"),
            Row("    engine to bare", f"{one.engine.per_second / one.bare.per_second:.2f}", rate_aim),
        ]
    return found


def _posts(one: Followed) -> str:
    return f"{p50_p95(one.posts)} / {max(one.posts):.1f}"
