"""The part of the composition root that builds the use cases that accept, trigger and execute orders."""

from concurrent.futures import Executor
from dataclasses import dataclass

from chalicelib.adapters import Adapters
from chalicelib.domain.errors import TooManyActiveOrdersError, TooManyOpenOrdersError
from chalicelib.routing.router import Router
from chalicelib.runtime import Runtime
from chalicelib.services.limits.rate_limiter import RateLimiter
from chalicelib.services.limits.user_limits import UserOrderLimit
from chalicelib.services.market.launches import ProcessLaunches
from chalicelib.services.market.open_orders import OpenOrders
from chalicelib.services.market.trigger import TriggerOrders
from chalicelib.services.market.watcher import MarketWatcher
from chalicelib.services.operations.wake_looks import WakeLooks
from chalicelib.services.orders.acceptance import PlanAcceptance, WatchList
from chalicelib.services.orders.attempt import RunAttempt
from chalicelib.services.orders.execute import ExecuteOrder, RetryPolicy
from chalicelib.services.orders.finalize import FinalizeOrder
from chalicelib.services.orders.lease import LeaseOrder
from chalicelib.services.orders.submit import SubmitOrder
from chalicelib.settings import Settings
from chalicelib.simulation.factory import Simulation
from chalicelib.stream_services import Streams

#: Time in which a look begins to trigger orders. The look also reads the market and expires orders, and its function
#: ends after 16 s, so a longer pause between two looks makes none of them longer.
_MAX_LOOK_SECONDS = 5
#: Time in which one of a user's many active orders ends, unless the rate limit delays them longer.
_ACTIVE_ORDER_SECONDS = 5
#: An open order ends at its price, launch or expiry, or by its owner's cancel: asking once a minute is enough.
_OPEN_ORDER_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Trading:
    finalize: FinalizeOrder
    rate_limiter: RateLimiter
    open_orders: OpenOrders
    watch_list: WatchList
    wake_looks: WakeLooks
    plan: PlanAcceptance
    submit: SubmitOrder
    execute: ExecuteOrder
    #: For parallel parts of a use case. No part may wait for another thread of this pool.
    workers: Executor
    #: For what goes on beside a use case's own thread.
    beside: Executor


def build_trading(
    settings: Settings, adapters: Adapters, runtime: Runtime, router: Router, streams: Streams
) -> Trading:
    now, monotonic = runtime.now, runtime.monotonic
    orders, publisher, grace = adapters.orders, streams.publisher, settings.deadline_grace_seconds
    beside = runtime.threads(settings.push_threads, "beside")
    finalize = FinalizeOrder(orders, publisher, adapters.history, beside, now, grace)
    rate_limiter = RateLimiter(
        orders,
        adapters.rate_limit_slots,
        settings.rate_limit_per_minute,
        settings.rate_horizon_seconds,
        settings.pending_deadline_seconds,
    )
    workers = runtime.threads(settings.trigger_threads, "work")
    open_orders = OpenOrders(
        orders, publisher, streams.subscriptions, adapters.history, finalize, workers, now, settings.watchdog_batch
    )
    watch_list = WatchList(adapters.markets, launches=settings.simulated_launch_seconds > 0)
    wake_looks = WakeLooks(adapters.look_cover, adapters.look_queue, beside, now)
    plan = PlanAcceptance(adapters.markets, router)
    submit = SubmitOrder(
        orders=orders,
        queue=adapters.order_queue,
        publisher=publisher,
        subscriptions=streams.subscriptions,
        plan=plan,
        watch_list=watch_list,
        wake_looks=wake_looks,
        open_orders=open_orders,
        active_limit=UserOrderLimit(
            orders.count_active,
            settings.max_active_orders_per_user,
            monotonic,
            TooManyActiveOrdersError,
            rate_limiter.seconds_per_start(at_least=_ACTIVE_ORDER_SECONDS),
        ),
        open_limit=UserOrderLimit(
            orders.count_open,
            settings.max_open_orders_per_user,
            monotonic,
            TooManyOpenOrdersError,
            _OPEN_ORDER_SECONDS,
        ),
        rate_limiter=rate_limiter,
        executor=beside,
        now=now,
        new_id=runtime.new_id,
        pending_deadline_seconds=settings.pending_deadline_seconds,
        idempotency_seconds=settings.idempotency_hours * 3600,
    )
    execute = ExecuteOrder(
        orders=orders,
        lease=LeaseOrder(orders, rate_limiter, now, settings.lease_seconds, grace),
        attempt=RunAttempt(orders, router, adapters.ledger, now, settings.lease_seconds),
        finalize=finalize,
        open_orders=open_orders,
        publisher=publisher,
        executor=beside,
        now=now,
        uniform=runtime.uniform,
        retry=RetryPolicy(settings.max_attempts, settings.backoff_base_seconds, settings.backoff_cap_seconds, grace),
    )
    return Trading(
        finalize, rate_limiter, open_orders, watch_list, wake_looks, plan, submit, execute, workers, beside
    )


def build_market(
    settings: Settings,
    adapters: Adapters,
    runtime: Runtime,
    router: Router,
    streams: Streams,
    trading: Trading,
    simulation: Simulation,
) -> MarketWatcher:
    now, executor = runtime.now, runtime.threads(settings.trigger_threads, "trigger")
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
        wake_looks=trading.wake_looks,
        launch_source=simulation.launches,
        executor=trading.workers,
        now=now,
        look_seconds=min(settings.market_tick_seconds, _MAX_LOOK_SECONDS),
    )
