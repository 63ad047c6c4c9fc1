"""The critical path of one order at a time, seen at its sockets and at the proxy.

The order waits in the queue while its sockets join. Its execution begins with the first call of the processor, which
is within a few milliseconds of the message.
"""

import time
from dataclasses import dataclass, field
from uuid import uuid4

from tests.bench.deliveries import held_back
from tests.bench.latency.proxies import API, PROCESSOR, Proxies
from tests.bench.latency.proxy_process import Call
from tests.bench.lives import confirmed_lives
from tests.bench.streams.stage import LIMIT_ORDER, MARKET_ORDER, Stage

_WARM_UPS = 3
_WAIT_SECONDS = 60


@dataclass
class Path:
    """Milliseconds from the message to each step, for orders with so many sockets.

    Without sockets a step is told when its event is made.
    """

    sockets: int
    submitted: list[float] = field(default_factory=list)
    confirmed: list[float] = field(default_factory=list)
    #: Until the last call of the processor is answered.
    free: list[float] = field(default_factory=list)
    #: Calls of the processor over all orders.
    calls: dict[str, int] = field(default_factory=dict)


@dataclass
class Posts:
    """Milliseconds of POSTs of a kind, and the calls of the API handler over all of them."""

    what: str
    ms: list[float] = field(default_factory=list)
    calls: dict[str, int] = field(default_factory=dict)


def measure_path(stage: Stage, proxies: Proxies, sockets: int, orders: int, name: str) -> Path:
    for number in range(_WARM_UPS):
        _execute(stage, proxies, Path(sockets), f"bench-{name}-{sockets}-warm-{number}")
    result = Path(sockets)
    for number in range(orders):
        _execute(stage, proxies, result, f"bench-{name}-{sockets}-{number}")
    return result


def _execute(stage: Stage, proxies: Proxies, result: Path, user: str) -> None:
    with held_back(stage.subject):
        order_id = stage.api.post({**MARKET_ORDER, "userId": user}).order_id
        if result.sockets:
            stage.sockets.open(user, [stage.order_url(order_id)] * result.sockets)
            stage.sockets.until(user, {order_id: 1})
        proxies.take()
    proxies.wait_for_rest(PROCESSOR)
    calls = proxies.take()[PROCESSOR]
    (life,) = confirmed_lives(stage.subject, user, MARKET_ORDER, 1, _WAIT_SECONDS)
    received = min(call.began for call in calls)
    told = {"submitted": _monotonic(life.submitted), "confirmed": _monotonic(life.ended)}
    if result.sockets:
        stage.sockets.until(user, {order_id: life.last_seq})
        for update in (update for updates in stage.sockets.updates(user) for update in updates):
            told[update.status] = max(told.get(update.status, 0), update.came)
        stage.sockets.close(user)
    result.submitted.append((told["submitted"] - received) * 1000)
    result.confirmed.append((told["confirmed"] - received) * 1000)
    result.free.append((max(call.ended for call in calls) - received) * 1000)
    _count(result.calls, calls)


def _count(counts: dict[str, int], calls: list[Call]) -> None:
    for call in calls:
        counts[call.operation] = counts.get(call.operation, 0) + 1


def _monotonic(epoch_seconds: float) -> float:
    return epoch_seconds - time.time() + time.monotonic()


def measure_posts(stage: Stage, proxies: Proxies, orders: int, name: str) -> list[Posts]:
    """Post orders of each kind, one after another, while none executes."""
    follower = f"bench-{name}-followed"
    stage.follow(follower, follower, 1)
    stage.subject.wait_until_idle()
    kinds = [
        (Posts("a market order"), MARKET_ORDER, f"bench-{name}-market", False),
        (Posts("with an Idempotency-Key"), MARKET_ORDER, f"bench-{name}-key", True),
        (Posts("with a follower"), MARKET_ORDER, follower, False),
        (Posts("a limit order"), LIMIT_ORDER, f"bench-{name}-limit", False),
    ]
    for result, body, user, has_key in kinds:
        with held_back(stage.subject):
            for number in range(_WARM_UPS + orders):
                if number == _WARM_UPS:
                    proxies.take()
                posted = stage.api.post({**body, "userId": user}, str(uuid4()) if has_key else None)
                if number >= _WARM_UPS:
                    result.ms.append(posted.ms)
            _count(result.calls, proxies.take()[API])
        stage.subject.wait_until_idle()
    stage.sockets.close(follower)
    return [result for result, *_ in kinds]
