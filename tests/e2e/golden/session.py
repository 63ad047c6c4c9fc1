"""The session: its scenes, played in parallel and recorded one after the other.

Each scene has a user of its own, and a pair or mint of its own if it pushes market events, so that neither the other
scenes nor the other tests of a shared stack affect its result.

The session omits the codes that the stack of these tests cannot produce unless a part of it fails: ``RATE_LIMITED``
and ``BACKLOG_FULL`` (the stack has no rate limit and allows a thousand active orders), ``HISTORY_UNAVAILABLE``,
``UNAVAILABLE``, ``INTERNAL_ERROR`` and ``QUEUE_EXHAUSTED`` (every part works), ``TOO_MANY_REQUESTS`` (only API
Gateway on AWS throttles), ``SIMULATE_REFUSED`` (the stack allows simulated faults), ``VENUE_RATE_LIMITED``,
``POOL_NOT_FOUND`` and ``POOL_PAUSED`` (no simulated venue answers so for a supported pair), ``TX_OUTCOME_UNKNOWN``
(the simulated ledger knows every outcome).
"""

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tests.e2e.client import Json
from tests.e2e.golden import histories, limit_orders, market_orders, reads, refusals, sniper_orders, sockets
from tests.e2e.golden.normalize import Normalizer
from tests.e2e.golden.recorder import Engine, Recorder

#: Scenes in parallel: fewer than the ten orders that the processor executes at once.
_AT_ONCE = 8

Scene = Callable[[Recorder], None]

SCENES: dict[str, Scene] = {
    # The longest scenes start first.
    "amended too often": limit_orders.amended_too_often,
    "limit price left": limit_orders.price_moved_away,
    "limit tries again": limit_orders.retries,
    **market_orders.market_scenes(),
    "user streams": sockets.user_streams,
    "cancelling": market_orders.cancelling,
    "cancelled while waiting": limit_orders.cancelled,
    "limit at entry": limit_orders.fillable_at_entry,
    "limit fails": limit_orders.fails,
    "limit triggered": limit_orders.waits_and_is_triggered,
    "limit expires": limit_orders.expires,
    "amended": limit_orders.amended,
    "too many waiting": limit_orders.open_order_limit,
    "sniper released": sniper_orders.refused_and_released,
    "sniper without filters": sniper_orders.without_filters,
    "sniper too small a pool": sniper_orders.too_small_a_pool,
    "sniper expires": sniper_orders.expires,
    "list": histories.filters_and_pages,
    "reading": market_orders.other_ways_to_read,
    "one key": market_orders.one_key_for_one_order,
    "socket addresses": sockets.addresses,
    "socket orders": sockets.submitted_on_a_socket,
    "socket streams": sockets.subscriptions,
    "socket errors": sockets.invalid_messages,
    "registry": reads.the_registry,
    "doors": reads.other_doors,
    "quotes": reads.quotes,
    "preview": reads.market_previews,
    "preview of waiting": reads.waiting_previews,
    "bad order": refusals.bad_orders,
    "bad body": refusals.bad_bodies,
    "bad id": refusals.bad_ids,
    "bad list": refusals.bad_lists,
    "bad event": refusals.bad_events,
    "bad amendment": refusals.bad_amendments,
    "statistics": reads.the_statistics,
}


def play(http: str, ws: str, websocket: str, key: str | None = None) -> list[Json]:
    """Play the session against the engine at these addresses, and return its steps with placeholders.

    ``key``: an operator's, for an engine with authentication.
    """
    run = uuid.uuid4().hex[:8]
    placeholders = {run: "<run>", http: "<http>", ws: "<ws>", websocket: "<websocket>"}
    engine = Engine(http, ws, websocket, run, key, placeholders)
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        scenes = list(threads.map(lambda name: _played(engine, name), SCENES))
    entries = [entry for scene in scenes for entry in scene]
    names = [entry["step"] for entry in entries]
    assert len(set(names)) == len(names), {name for name in names if names.count(name) > 1}
    return Normalizer(engine.names, engine.expiries).session(entries)


def _played(engine: Engine, scene: str) -> list[Json]:
    recorder = Recorder(engine, scene)
    try:
        SCENES[scene](recorder)
        recorder.clean_up()
    except Exception as error:
        last = recorder.entries[-1]["step"] if recorder.entries else "the beginning"
        raise AssertionError(f"the scene {scene!r} broke off after {last!r}") from error
    return recorder.entries
