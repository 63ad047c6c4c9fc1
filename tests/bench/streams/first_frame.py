"""The time from the start of a handshake to the first frame, one socket after another and many at once."""

from dataclasses import dataclass

from tests.bench.figures import Row, in_ms, p50_p99
from tests.bench.lives import confirmed_lives
from tests.bench.streams.stage import LIMIT_ORDER, MARKET_ORDER, Sizes, Stage

_WAIT_SECONDS = 60


@dataclass(frozen=True)
class FirstFrames:
    """Milliseconds of each try."""

    what: str
    connected: list[float]
    first: list[float]


def measure(stage: Stage, sizes: Sizes) -> list[FirstFrames]:
    """:raises BenchError: if a socket is refused, or its first frame is not the order's."""
    waiting = stage.api.post({**LIMIT_ORDER, "userId": "bench-first"}).order_id
    over = stage.api.post({**MARKET_ORDER, "userId": "bench-first-over"}).order_id
    confirmed_lives(stage.subject, "bench-first-over", MARKET_ORDER, 1, _WAIT_SECONDS)
    found = [
        _one_by_one(stage, "an open order", [waiting] * sizes.tries),
        _one_by_one(stage, "an order that is over", [over] * sizes.tries),
        _one_by_one(stage, "an order just posted", [None] * sizes.tries),
    ]
    for number in sizes.at_once:
        found.append(_together(stage, f"{number} at once, an open order", waiting, number))
        found.append(_together(stage, f"{number} at once, an order that is over", over, number))
    return found


def rows(results: list[FirstFrames]) -> list[Row]:
    found = [Row("First frame, p50 / p99 ms", "")]
    for one in results:
        aim = "p99 <= 2000" if "at once" in one.what else "<= 60 / 250"
        found += [
            Row(f"  {one.what}", p50_p99(one.first), aim),
            Row("    the handshake alone", p50_p99(one.connected)),
        ]
    return found


def _one_by_one(stage: Stage, what: str, orders: list[str | None]) -> FirstFrames:
    """A try for each order; ``None`` posts one just before."""
    result = FirstFrames(what, [], [])
    for order in orders:
        order_id = order or stage.api.post({**MARKET_ORDER, "userId": "bench-first-posted"}).order_id
        result.connected.extend(in_ms(stage.sockets.open("first", [stage.order_url(order_id)])))
        result.first.extend(in_ms(stage.sockets.firsts("first")))
        stage.sockets.close("first")
    return result


def _together(stage: Stage, what: str, order_id: str, number: int) -> FirstFrames:
    connected = stage.sockets.open("together", [stage.order_url(order_id)] * number, number)
    result = FirstFrames(what, in_ms(connected), in_ms(stage.sockets.firsts("together")))
    stage.sockets.close("together")
    return result
