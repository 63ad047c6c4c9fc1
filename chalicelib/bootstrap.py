"""The composition root: it builds the use cases from the settings, once per process, and passes them their adapters.

``build_streams``, ``_trading``, ``_market`` and ``_watchdog`` build groups of use cases, and ``caller_services`` what
knows callers; ``build_engine`` assembles them.
"""

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from uuid import uuid4

from chalicelib.adapters import Adapters, connect
from chalicelib.api.requests.rules import RequestRules
from chalicelib.caller_services import build_authenticator, build_cursor_signer, build_request_rate
from chalicelib.clock import Clock, utc_now
from chalicelib.codec.times import to_ms
from chalicelib.domain.errors import TooManyActiveOrdersError, TooManyOpenOrdersError
from chalicelib.engine import Engine
from chalicelib.ports.authentication import Authenticator
from chalicelib.routing.router import Router
from chalicelib.services.limits.priority_lane import PriorityLane
from chalicelib.services.limits.rate_limiter import RateLimiter
from chalicelib.services.limits.user_limits import UserOrderLimit
from chalicelib.services.market.launches import ProcessLaunches
from chalicelib.services.market.open_orders import OpenOrders
from chalicelib.services.market.trigger import TriggerOrders
from chalicelib.services.market.watcher import MarketWatcher
from chalicelib.services.operations.health import CheckHealth
from chalicelib.services.operations.looks import ScheduleLooks
from chalicelib.services.operations.stats import ShowStats
from chalicelib.services.operations.watchdog import Watchdog
from chalicelib.services.orders.acceptance import PlanAcceptance, WatchList
from chalicelib.services.orders.amend import AmendOrder
from chalicelib.services.orders.attempt import RunAttempt
from chalicelib.services.orders.cancel import CancelOrder
from chalicelib.services.orders.dead_letter import CloseDeadLetter
from chalicelib.services.orders.execute import ExecuteOrder, RetryPolicy
from chalicelib.services.orders.finalize import FinalizeOrder
from chalicelib.services.orders.lease import LeaseOrder
from chalicelib.services.orders.listing import ListOrders
from chalicelib.services.orders.preview import PreviewOrder
from chalicelib.services.orders.queries import Queries
from chalicelib.services.orders.submit import SubmitOrder
from chalicelib.settings import Settings, read_settings
from chalicelib.simulation.factory import Simulation, build_simulation
from chalicelib.stream_services import Streams, build_streams
from chalicelib.threads import threads

#: Time in which a look begins to trigger orders. The look also reads the market and expires orders, and its function
#: ends after 16 s, so a longer pause between two looks makes none of them longer.
_MAX_LOOK_SECONDS = 5
#: Time in which one of a user's many active orders ends, unless the rate limit delays them longer.
_ACTIVE_ORDER_SECONDS = 5
#: An open order ends at its price, launch or expiry, or by its owner's cancel: asking once a minute is enough.
_OPEN_ORDER_SECONDS = 60


@cache
def engine() -> Engine:
    """The engine of this process, from the environment.

    :raises ValueError: naming the variable that is missing or wrong.
    """
    settings = read_settings()
    return build_engine(settings, connect(settings))


def build_engine(
    settings: Settings,
    adapters: Adapters,
    now: Clock = utc_now,
    sleep: Callable[[float], None] = time.sleep,
    authenticator: Authenticator | None = None,
) -> Engine:
    """The use cases with these adapters and this clock.

    :raises ValueError: naming the variable of a setting that is wrong.
    """
    simulation = build_simulation(settings, adapters.ledger, adapters.markets, lambda: to_ms(now()), sleep)
    router = Router(simulation.venues, threads(settings.quote_threads, "quote"), settings.quote_timeout_seconds)
    authenticator = authenticator or build_authenticator(settings, adapters, now)
    streams = build_streams(settings, adapters, now, sleep, authenticator)
    trading = _trading(settings, adapters, now, router, streams)
    market = _market(settings, adapters, now, router, streams, trading, simulation)
    min_age_seconds = settings.min_exhaustion_seconds
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
        amend=AmendOrder(adapters.orders, trading.open_orders, market.triggers, trading.watch_list, now),
        preview=PreviewOrder(router, trading.plan, now),
        queries=Queries(adapters.orders, router),
        list_orders=ListOrders(adapters.order_index, adapters.history, build_cursor_signer(settings, adapters), now),
        close_dead_letter=CloseDeadLetter(
            adapters.orders, adapters.order_queue, adapters.ledger, trading.finalize, now, min_age_seconds
        ),
        watchdog=_watchdog(settings, adapters, now, streams, trading),
        market=market,
        schedule_looks=ScheduleLooks(adapters.look_queue, now, settings.market_tick_seconds),
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
        sockets=adapters.sockets,
        order_queue=adapters.order_queue,
        dead_letter_queue=adapters.dead_letter_queue,
        replay_queue=adapters.replay_queue,
        fan_out_queue=adapters.fan_out_queue,
    )


@dataclass(frozen=True, slots=True)
class _Trading:
    finalize: FinalizeOrder
    rate_limiter: RateLimiter
    open_orders: OpenOrders
    watch_list: WatchList
    plan: PlanAcceptance
    submit: SubmitOrder
    execute: ExecuteOrder
    #: For parallel parts of a use case. No part may wait for another thread of this pool.
    workers: ThreadPoolExecutor
    #: For what goes on beside a use case's own thread.
    beside: ThreadPoolExecutor


def _trading(settings: Settings, adapters: Adapters, now: Clock, router: Router, streams: Streams) -> _Trading:
    orders, publisher, grace = adapters.orders, streams.publisher, settings.deadline_grace_seconds
    beside = threads(settings.push_threads, "beside")
    finalize = FinalizeOrder(orders, publisher, adapters.history, beside, now, grace)
    rate_limiter = RateLimiter(
        orders,
        adapters.rate_limit_slots,
        settings.rate_limit_per_minute,
        settings.rate_horizon_seconds,
        settings.pending_deadline_seconds,
    )
    workers = threads(settings.trigger_threads, "work")
    open_orders = OpenOrders(
        orders, publisher, streams.subscriptions, adapters.history, finalize, workers, now, settings.watchdog_batch
    )
    watch_list = WatchList(adapters.markets, launches=settings.simulated_launch_seconds > 0)
    plan = PlanAcceptance(adapters.markets, router)
    submit = SubmitOrder(
        orders=orders,
        queue=adapters.order_queue,
        publisher=publisher,
        subscriptions=streams.subscriptions,
        plan=plan,
        watch_list=watch_list,
        open_orders=open_orders,
        active_limit=UserOrderLimit(
            orders.count_active,
            settings.max_active_orders_per_user,
            time.monotonic,
            TooManyActiveOrdersError,
            rate_limiter.seconds_per_start(at_least=_ACTIVE_ORDER_SECONDS),
        ),
        open_limit=UserOrderLimit(
            orders.count_open,
            settings.max_open_orders_per_user,
            time.monotonic,
            TooManyOpenOrdersError,
            _OPEN_ORDER_SECONDS,
        ),
        rate_limiter=rate_limiter,
        executor=beside,
        now=now,
        new_id=lambda: str(uuid4()),
        pending_deadline_seconds=settings.pending_deadline_seconds,
        idempotency_seconds=settings.idempotency_hours * 3600,
    )
    execute = ExecuteOrder(
        orders=orders,
        lease=LeaseOrder(orders, rate_limiter, now, settings.lease_seconds, grace),
        attempt=RunAttempt(orders, router, adapters.ledger, now),
        finalize=finalize,
        open_orders=open_orders,
        publisher=publisher,
        executor=beside,
        now=now,
        uniform=random.uniform,
        retry=RetryPolicy(settings.max_attempts, settings.backoff_base_seconds, settings.backoff_cap_seconds, grace),
    )
    return _Trading(finalize, rate_limiter, open_orders, watch_list, plan, submit, execute, workers, beside)


def _market(
    settings: Settings,
    adapters: Adapters,
    now: Clock,
    router: Router,
    streams: Streams,
    trading: _Trading,
    simulation: Simulation,
) -> MarketWatcher:
    executor = threads(settings.trigger_threads, "trigger")
    triggers = TriggerOrders(
        orders=adapters.orders,
        open_order_index=adapters.open_order_index,
        router=router,
        queue=adapters.order_queue,
        publisher=streams.publisher,
        subscriptions=streams.subscriptions,
        executor=executor,
        beside=trading.beside,
        now=now,
        batch=settings.trigger_batch,
        pending_deadline_seconds=settings.pending_deadline_seconds,
        retrigger_base=settings.retrigger_pause_seconds,
        retrigger_cap=settings.max_retrigger_pause_seconds,
    )
    launches = ProcessLaunches(
        open_order_index=adapters.open_order_index,
        markets=adapters.markets,
        router=router,
        triggers=triggers,
        open_orders=trading.open_orders,
        executor=executor,
        now=now,
        batch=settings.trigger_batch,
    )
    return MarketWatcher(
        markets=adapters.markets,
        triggers=triggers,
        launches=launches,
        open_orders=trading.open_orders,
        launch_source=simulation.launches,
        executor=trading.workers,
        now=now,
        look_seconds=min(settings.market_tick_seconds, _MAX_LOOK_SECONDS),
    )


def _watchdog(settings: Settings, adapters: Adapters, now: Clock, streams: Streams, trading: _Trading) -> Watchdog:
    orders, queue, pause_seconds = adapters.orders, adapters.order_queue, settings.pending_deadline_seconds
    finalize, open_orders, patience_seconds = trading.finalize, trading.open_orders, settings.backlog_patience_seconds
    batch, subscriptions = settings.watchdog_batch, streams.subscriptions
    return Watchdog(orders, queue, subscriptions, finalize, open_orders, now, batch, pause_seconds, patience_seconds)
