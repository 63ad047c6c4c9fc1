"""The composition root: it builds the use cases from the settings, once per process, and passes them their adapters.

``trading_services`` and ``stream_services`` build groups of use cases, and ``caller_services`` what knows callers;
``build_engine`` assembles them.
"""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib import import_module

from chalicelib.adapters import Adapters
from chalicelib.api.requests.rules import RequestRules
from chalicelib.caller_services import (
    build_authenticator,
    build_cursor_signer,
    build_request_rate,
    build_wait_limit,
)
from chalicelib.clock import Clock
from chalicelib.codec.times import to_ms
from chalicelib.engine import Engine
from chalicelib.ports.authentication import Authenticator
from chalicelib.routing.router import Router
from chalicelib.runtime import PROCESS, Runtime
from chalicelib.services.limits.priority_lane import PriorityLane
from chalicelib.services.operations.engine_state import EngineSources, ShowEngine
from chalicelib.services.operations.gauges import ReadGauges
from chalicelib.services.operations.health import CheckHealth
from chalicelib.services.operations.looks import ScheduleLooks
from chalicelib.services.operations.stats import ShowStats
from chalicelib.services.operations.watchdog import Watchdog
from chalicelib.services.operations.work import FindWork
from chalicelib.services.orders.amend import AmendOrder
from chalicelib.services.orders.cancel import CancelOrder
from chalicelib.services.orders.dead_letter import CloseDeadLetter
from chalicelib.services.orders.explain.explain_order import ExplainOrder
from chalicelib.services.orders.explain.windows import FillTimes
from chalicelib.services.orders.listing import ListOrders
from chalicelib.services.orders.preview import PreviewOrder
from chalicelib.services.orders.queries import Queries
from chalicelib.services.orders.read_events import ReadEvents
from chalicelib.services.orders.replay import ReplayOrder
from chalicelib.settings import Settings, read_settings
from chalicelib.simulation.factory import Simulation, build_simulation
from chalicelib.stream_services import Streams, build_streams
from chalicelib.trading_services import Trading, build_market, build_trading

log = logging.getLogger(__name__)

#: How Lambda names the handler of the processor.
_PROCESSOR = "app.process_orders"

_used: ContextVar[Engine] = ContextVar("engine")


def engine() -> Engine:
    """The engine that the entry points serve: the one of ``using``, or else the one of this process.

    :raises ValueError: naming the variable that is missing or wrong.
    """
    return _used.get(None) or _engine_of_process()


def build_in_lambda(environment: Mapping[str, str] = os.environ) -> None:
    """Build the engine as a function starts, when Lambda gives it a whole core whatever its memory is.

    Nothing happens outside Lambda: packaging and tests import the application without settings. A setting that is
    wrong is logged here, and every event fails with the same error.
    """
    if not environment.get("AWS_LAMBDA_FUNCTION_NAME"):
        return
    try:
        _engine_of_process()
    except ValueError:
        log.exception("the engine cannot be built")
    if environment.get("_HANDLER") == _PROCESSOR:
        # It records every order. Within its first event, loading the driver would hold a slot for half a second.
        import_module("chalicelib.history.postgres")


@contextmanager
def using(given: Engine) -> Iterator[None]:
    """Serve the entry points that this context calls with another engine than the one of the process."""
    token = _used.set(given)
    try:
        yield
    finally:
        _used.reset(token)


@cache
def _engine_of_process() -> Engine:
    # An engine on other adapters does without the SDK, which takes half a second to import.
    from chalicelib.connect import connect

    settings = read_settings()
    return build_engine(settings, connect(settings))


def build_engine(
    settings: Settings, adapters: Adapters, runtime: Runtime = PROCESS, authenticator: Authenticator | None = None
) -> Engine:
    """The use cases with these adapters in this runtime.

    :raises ValueError: naming the variable of a setting that is wrong.
    """
    now = runtime.now
    simulation = build_simulation(settings, adapters.ledger, adapters.markets, lambda: to_ms(now()), runtime.sleep)
    quote_threads = runtime.threads(settings.quote_threads, "quote")
    router = Router(simulation.venues, quote_threads, settings.quote_timeout_seconds)
    authenticator = authenticator or build_authenticator(settings, adapters, runtime)
    streams = build_streams(settings, adapters, runtime, authenticator)
    trading = build_trading(settings, adapters, runtime, router, streams)
    market = build_market(settings, adapters, runtime, router, streams, trading, simulation)
    min_age_seconds, sources = settings.min_exhaustion_seconds, _sources(settings, adapters)
    return Engine(
        settings=settings,
        now=now,
        rules=RequestRules(
            venues=router.venue_names,
            check_fault=simulation.check_fault if settings.simulation else None,
            describe_fault=simulation.describe_fault,
            pool_address=simulation.pool_address,
        ),
        authenticator=authenticator,
        request_rate=build_request_rate(settings, adapters, now),
        submit=trading.submit,
        execute=trading.execute,
        cancel=CancelOrder(
            adapters.orders, trading.finalize, streams.subscriptions, trading.rate_limiter, trading.workers, now
        ),
        amend=AmendOrder(
            adapters.orders, trading.open_orders, market.triggers, trading.watch_list, trading.wake_looks, now
        ),
        replay=ReplayOrder(simulation.hindsight),
        preview=PreviewOrder(router, trading.plan, now),
        queries=Queries(adapters.orders, router),
        read_events=ReadEvents(adapters.orders, build_wait_limit(settings, adapters, now), now, runtime.sleep),
        explain=ExplainOrder(
            adapters.orders, simulation.hindsight, now, settings.max_attempts, _fill_times(settings, simulation)
        ),
        list_orders=ListOrders(adapters.order_index, adapters.history, build_cursor_signer(settings, adapters), now),
        close_dead_letter=CloseDeadLetter(
            adapters.orders, adapters.order_queue, adapters.ledger, trading.finalize, now, min_age_seconds
        ),
        watchdog=_watchdog(settings, adapters, now, streams, trading),
        read_gauges=ReadGauges(adapters.orders, sources.find_work, now),
        market=market,
        schedule_looks=ScheduleLooks(
            adapters.look_queue,
            adapters.look_cover,
            adapters.orders,
            adapters.markets,
            now,
            settings.market_tick_seconds,
        ),
        subscriptions=streams.subscriptions,
        user_streams=streams.user_streams,
        opening=streams.opening,
        serve_group=streams.serve_group,
        connections=streams.connections,
        admit_message=streams.admit_message,
        subscription_limit=streams.admit_message.subscriptions,
        ended_credentials=streams.ended_credentials,
        tickets=streams.tickets,
        priority_lane=PriorityLane(adapters.high_priority_queue),
        health=CheckHealth(adapters.orders, adapters.order_queue, adapters.history, trading.workers, now),
        stats=ShowStats(adapters.orders, adapters.history, now),
        state=ShowEngine(sources, trading.workers, now),
        sockets=adapters.sockets,
        order_queue=adapters.order_queue,
        dead_letter_queue=adapters.dead_letter_queue,
        replay_queue=adapters.replay_queue,
        fan_out_queue=adapters.fan_out_queue,
    )


def _watchdog(settings: Settings, adapters: Adapters, now: Clock, streams: Streams, trading: Trading) -> Watchdog:
    orders, queue, pause_seconds = adapters.orders, adapters.order_queue, settings.pending_deadline_seconds
    finalize, open_orders, patience_seconds = trading.finalize, trading.open_orders, settings.backlog_patience_seconds
    batch, subscriptions = settings.watchdog_batch, streams.subscriptions
    return Watchdog(orders, queue, subscriptions, finalize, open_orders, now, batch, pause_seconds, patience_seconds)


def _sources(settings: Settings, adapters: Adapters) -> EngineSources:
    lease_seconds, grace_seconds = settings.lease_seconds, settings.deadline_grace_seconds
    return EngineSources(
        find_work=FindWork(adapters.order_index, lease_seconds, settings.backoff_cap_seconds, grace_seconds),
        orders=adapters.orders,
        order_queue=adapters.order_queue,
        high_priority_queue=adapters.high_priority_queue,
        dead_letter_queue=adapters.dead_letter_queue,
        replay_queue=adapters.replay_queue,
        fan_out_queue=adapters.fan_out_queue,
        rate_limit_slots=adapters.rate_limit_slots,
        history=adapters.history,
        streams=adapters.streams,
        verdicts=adapters.verdicts,
        per_minute=settings.rate_limit_per_minute,
    )


def _fill_times(settings: Settings, simulation: Simulation) -> FillTimes:
    return FillTimes(
        look_ms=settings.market_tick_seconds * 1000,
        cache_ms=int(settings.market_cache_seconds * 1000),
        quotes_ms=int(settings.quote_timeout_seconds * 1000),
        swap_ms=simulation.max_swap_ms,
        pause_ms=int(settings.retrigger_pause_seconds * 1000),
    )
