"""The engine itself: is it there, is it well, what time has it, how far away is it."""

import statistics
from collections.abc import Generator, Iterator
from datetime import datetime, timedelta

from orderengine import Client, errors
from orderengine.cli.doctoring.check import Check, State, failure
from orderengine.core.answers import server_time
from orderengine.core.commands import Response
from orderengine.io.transport import Transport

_ROUND_TRIPS = 5
#: ``Date`` has whole seconds, so less cannot be told.
_CLOCK_TOLERANCE = timedelta(seconds=2)

Reached = tuple[Response, datetime]


def reach(client: Client, transport: Transport) -> Generator[Check, None, Reached | None]:
    """The answer of ``/health`` and the time here when it came; ``None`` if this is no engine."""
    try:
        answer, here = client.request("GET", "/health"), transport.now()
        health = client.health()
    except errors.OrderEngineError as error:
        advice = "give the engine's address with --url or OE_URL; 'oe sim' or 'make run' starts one on this machine"
        yield failure("engine", error, advice)
        return None
    ill = [f"{name} {state}" for name, state in health.dependencies.items() if state != "ok"]
    behind = health.history.behind if health.history else 0
    detail = f"version {health.version}, {health.status}" + (f", {', '.join(ill)}" if ill else "")
    if health.status == "ok" and not ill:
        yield Check("engine", State.OK, detail + (f"; the history lacks {behind} orders yet" if behind else ""))
    else:
        yield Check("engine", State.FAIL, detail, "tell its operator; orders that it accepted are kept")
    return answer, here


def clock(reached: Reached) -> Iterator[Check]:
    answer, here = reached
    there = server_time(answer)
    if there is None:
        yield Check("clock", State.SKIP, "the engine's answers have no date")
        return
    ahead = here - there
    if timedelta(seconds=-1) <= ahead <= _CLOCK_TOLERANCE:
        yield Check("clock", State.OK, "the same here and at the engine, to the second")
        return
    word = "ahead of" if ahead > timedelta() else "behind"
    advice = "set this machine's clock (NTP): an --expires that is a time would end an order early or late"
    yield Check("clock", State.WARN, f"here {abs(ahead.total_seconds()):.0f} s {word} the engine's", advice)


def round_trips(client: Client, transport: Transport) -> Iterator[Check]:
    found = []
    try:
        for _ in range(_ROUND_TRIPS):
            started = transport.monotonic()
            client.request("HEAD", "/api/tokens")
            found.append((transport.monotonic() - started) * 1000)
    except errors.OrderEngineError as error:
        yield failure("round trip", error, "the connection breaks; try a nearer network")
        return
    detail = f"{statistics.median(found):.0f} ms (from {min(found):.0f} to {max(found):.0f}, of {_ROUND_TRIPS})"
    yield Check("round trip", State.OK, detail)
