"""The part ``streams``: its sections run one after another on one stack."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from tests.bench.api import Api
from tests.bench.connections import wait_until_closed
from tests.bench.errors import BenchError
from tests.bench.figures import Row
from tests.bench.lives import confirmed_lives
from tests.bench.load import post
from tests.bench.sockets import open_sockets
from tests.bench.streams import first_frame, followers, joined, left, neighbours
from tests.bench.streams.bare import bare_pushes
from tests.bench.streams.stage import LIMIT_ORDER, MARKET_ORDER, Sizes, Stage
from tests.bench.subject import Subject

_WARM_ORDERS, _WARM_CLIENTS, _WARM_SECONDS = 60, 8, 120
#: Venue times short enough that the engine's own time shows, and not zero, so that it may push while a venue works.
ENVIRONMENT = {"VENUE_TIME_SCALE": "0.02", "RATE_LIMIT_PER_MINUTE": "0"}
#: The venue times of the seeds.
SLOW_ENVIRONMENT = {"VENUE_TIME_SCALE": "1", "RATE_LIMIT_PER_MINUTE": "0"}
#: The sections, each with the venue times of its stack.
RUNS = (
    (ENVIRONMENT, ("first", "joined", "followers", "neighbours", "left")),
    (SLOW_ENVIRONMENT, ("joined-slow",)),
)
SECTIONS = tuple(section for _, sections in RUNS for section in sections)


@dataclass(frozen=True)
class Section:
    """The results of a section, as rows and for JSON; ``faults`` are frames that never came or came too early."""

    rows: list[Row]
    results: Any
    faults: list[str]


def measure(subject: Subject, sizes: Sizes, sections: Sequence[str]) -> dict[str, Section]:
    """Measure the sections one after another. One that fails is a fault, and the next ones follow."""
    with open_sockets() as sockets:
        stage = Stage(subject, sockets, Api(subject.http))
        measures: dict[str, Callable[[], Section]] = {
            "first": lambda: _section(first_frame.measure(stage, sizes), first_frame.rows),
            "joined": lambda: _section(joined.measure(stage, sizes), joined.rows),
            "joined-slow": lambda: _section(joined.measure(stage, sizes), joined.rows),
            "followers": partial(_followers, stage, sizes),
            "neighbours": lambda: _section(neighbours.measure(stage, sizes), neighbours.rows),
            "left": lambda: _section([left.measure(stage, sizes)], lambda found: left.rows(found[0])),
        }
        _warm_up(stage)
        found = {}
        for name in sections:
            print(f"  {name}", file=sys.stderr)
            try:
                found[name] = measures[name]()
                wait_until_closed(subject)
            except BenchError as error:
                found.setdefault(name, Section([], [], [])).faults.append(f"{name}: {error}")
        return found


def _warm_up(stage: Stage) -> None:
    """Start the workers of all functions."""
    body = {**MARKET_ORDER, "userId": "bench-warm"}
    post(stage.subject.orders_url, body, _WARM_ORDERS, _WARM_CLIENTS)
    confirmed_lives(stage.subject, "bench-warm", body, _WARM_ORDERS, _WARM_SECONDS)
    order_id = stage.api.post({**LIMIT_ORDER, "userId": "bench-warm"}).order_id
    stage.sockets.open("warm", [stage.order_url(order_id)] * _WARM_ORDERS)
    stage.sockets.until("warm", {order_id: 2})
    stage.api.amend(order_id, {"slippage": "2"})
    stage.sockets.close("warm")
    wait_until_closed(stage.subject)


def _followers(stage: Stage, sizes: Sizes) -> Section:
    with bare_pushes(stage.subject) as bare:
        return _section(followers.measure(stage, sizes, bare), followers.rows)


def _section(results: list[Any], rows: Callable[[Any], list[Row]]) -> Section:
    faults = [fault for one in results for fault in getattr(one, "faults", [])]
    return Section(rows(results), [asdict(one) for one in results], faults)
