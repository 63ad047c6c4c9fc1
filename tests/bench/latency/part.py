"""The part ``aws-latency``: the critical path with the latencies of AWS, and beside it without."""

from dataclasses import asdict, dataclass
from typing import Any

from tests.bench import sustained
from tests.bench.api import Api
from tests.bench.errors import BenchError
from tests.bench.figures import Row, p50_p95
from tests.bench.latency.path import Path, Posts, measure_path, measure_posts
from tests.bench.latency.proxies import Proxies, between
from tests.bench.sockets import Sockets, open_sockets
from tests.bench.streams.stage import Stage
from tests.bench.subject import Subject
from tests.bench.sustained import Sustained

#: Looks at the market would share the machine with the orders.
ENVIRONMENT = {"VENUE_TIME_SCALE": "0", "RATE_LIMIT_PER_MINUTE": "0", "MARKET_TICK_SECONDS": "60"}
SLOTS_ENVIRONMENT = sustained.ENVIRONMENT
_SOCKETS = (0, 1, 2)
SHARE_AIM = 0.985


@dataclass(frozen=True)
class Paths:
    """Posts and paths with the latencies of AWS, or without."""

    posts: list[Posts]
    paths: list[Path]


@dataclass(frozen=True)
class Share:
    """The share of the slots' limit with one socket an order, or none."""

    sockets: int
    has_latency: bool
    result: Sustained


def measure_paths(subject: Subject, orders: int) -> dict[bool, Paths]:
    """The paths with the latencies of AWS, under ``True``, and without."""
    with open_sockets() as sockets, between(subject) as proxies:
        stage = Stage(subject, sockets, Api(subject.http))
        return {has_latency: _paths(stage, proxies, orders, has_latency) for has_latency in (True, False)}


def _paths(stage: Stage, proxies: Proxies, orders: int, has_latency: bool) -> Paths:
    proxies.delay(has_latency)
    name = "aws" if has_latency else "local"
    return Paths(
        measure_posts(stage, proxies, orders, name),
        [measure_path(stage, proxies, number, orders, name) for number in _SOCKETS],
    )


def measure_shares(subject: Subject, orders: int) -> tuple[list[Share], list[str]]:
    """Return the shares, and why one could not be measured."""
    found, faults = [], []
    with open_sockets() as sockets, between(subject) as proxies:
        for number, has_latency in ((1, True), (0, True), (1, False)):
            proxies.delay(has_latency)
            user = f"bench-slots-{number}-{has_latency}"
            submit = _WithSockets(subject, sockets) if number else sustained.post_all
            try:
                found.append(Share(number, has_latency, sustained.measure(subject, orders, user, submit)))
            except BenchError as error:
                faults.append(f"share of ten slots: {error}")
    return found, faults


@dataclass(frozen=True)
class _WithSockets:
    """Posts orders and opens a socket on each."""

    subject: Subject
    sockets: Sockets

    def __call__(self, _: Subject, body: dict[str, Any], orders: int) -> None:
        stage = Stage(self.subject, self.sockets, Api(self.subject.http))
        opening = []
        for _number in range(orders):
            order_id = stage.api.post(body).order_id
            opening.append(self.sockets.begin_open(body["userId"], [stage.order_url(order_id)], 1))
        for number in opening:
            self.sockets.finish(number)


def rows(paths: dict[bool, Paths], shares: list[Share]) -> list[Row]:
    aws, local = paths[True], paths[False]
    found = [Row("With AWS's latencies, p50 / p95 ms", "")]
    for post, without in zip(aws.posts, local.posts, strict=True):
        found += [
            Row(f"  POST to 202, {post.what}", p50_p95(post.ms)),
            Row("    without the latencies", p50_p95(without.ms)),
            *_calls(post.calls, len(post.ms)),
        ]
    for path, other in zip(aws.paths, local.paths, strict=True):
        for what, measured, plain in (
            ("submitted told", path.submitted, other.submitted),
            ("confirmed told", path.confirmed, other.confirmed),
            ("slot free", path.free, other.free),
        ):
            found += [
                Row(f"  {path.sockets} sockets: message to {what}", p50_p95(measured)),
                Row("    without the latencies", p50_p95(plain)),
            ]
        found += _calls(path.calls, len(path.free))
    for share in shares:
        latency = "AWS's latencies" if share.has_latency else "no latencies"
        aim = f">= {SHARE_AIM}" if share.has_latency and share.sockets else ""
        found += [
            Row(f"Share of ten slots, {share.sockets} sockets an order, {latency}", f"{share.result.share:.3f}", aim),
            Row("  the engine's own time an order, ms", f"{share.result.mean_own_seconds * 1000:.0f}"),
            Row("  until the slot's next order, ms", f"{share.result.mean_gap_seconds * 1000:.0f}"),
        ]
    return found


def _calls(calls: dict[str, int], orders: int) -> list[Row]:
    total = sum(calls.values()) / orders
    each = [Row(f"      {operation}", f"{number / orders:.2f}") for operation, number in sorted(calls.items())]
    return [Row("    calls an order", f"{total:.2f}"), *each]


def as_json(paths: dict[bool, Paths], shares: list[Share]) -> dict[str, Any]:
    return {
        "aws": asdict(paths[True]),
        "local": asdict(paths[False]),
        "shares": [asdict(share) for share in shares],
    }
