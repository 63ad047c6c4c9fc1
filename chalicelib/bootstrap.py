"""The composition root: the services, built from the settings once per process."""

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from uuid import uuid4

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from chalicelib.codec.times import to_ms
from chalicelib.domain.errors import TooManyActiveOrdersError, TooManyOpenOrdersError
from chalicelib.history.postgres import PostgresHistory
from chalicelib.messaging.queues import SqsDeadLetterQueue, SqsHighPriorityQueue, SqsOrderQueue, SqsReplayQueue
from chalicelib.messaging.sockets import ApiGatewaySockets
from chalicelib.ports.history import History
from chalicelib.ports.market import MarketStore
from chalicelib.ports.orders import OpenOrderIndex, OrderStore
from chalicelib.ports.queues import DeadLetterQueue, HighPriorityQueue, OrderQueue, ReplayQueue
from chalicelib.ports.rate_limit import RateLimitSlots
from chalicelib.ports.streams import Sockets, StreamStore
from chalicelib.ports.venues import Ledger
from chalicelib.routing.router import Router
from chalicelib.services.limits.rate_limiter import RateLimiter
from chalicelib.services.limits.user_limits import UserOrderLimit
from chalicelib.services.market.launches import ProcessLaunches
from chalicelib.services.market.open_orders import OpenOrders
from chalicelib.services.market.trigger import TriggerOrders
from chalicelib.services.market.watcher import MarketWatcher
from chalicelib.services.operations.health import CheckHealth
from chalicelib.services.operations.stats import ShowStats
from chalicelib.services.operations.watchdog import Watchdog
from chalicelib.services.orders.acceptance import PlanAcceptance, WatchList
from chalicelib.services.orders.amend import AmendOrder
from chalicelib.services.orders.cancel import CancelOrder
from chalicelib.services.orders.dead_letter import CloseDeadLetter
from chalicelib.services.orders.execute import ExecuteOrder, RetryPolicy
from chalicelib.services.orders.finalize import FinalizeOrder
from chalicelib.services.orders.lease import LeaseOrder
from chalicelib.services.orders.preview import PreviewOrder
from chalicelib.services.orders.queries import Queries
from chalicelib.services.orders.submit import SubmitOrder
from chalicelib.services.streams.publisher import Publisher
from chalicelib.services.streams.subscriptions import Subscriptions
from chalicelib.settings import USER_AGENT, Settings, read_settings
from chalicelib.simulation.faults import Fault
from chalicelib.simulation.feed import CachedMarketData
from chalicelib.simulation.launches import LaunchSchedule
from chalicelib.simulation.market import PROFILES, Market
from chalicelib.simulation.venue import SimulationContext
from chalicelib.simulation.venues import simulated_venues
from chalicelib.stores.connection import SharedConnection
from chalicelib.stores.ledger import DynamoLedger
from chalicelib.stores.markets import DynamoMarketStore
from chalicelib.stores.open_orders import DynamoOpenOrderIndex
from chalicelib.stores.orders import DynamoOrderStore
from chalicelib.stores.rate_limit import DynamoRateLimitSlots
from chalicelib.stores.streams import DynamoStreamStore

#: What the SDKs raise when AWS does not answer, throttles or refuses.
UNAVAILABLE: tuple[type[Exception], ...] = (BotoCoreError, ClientError, PynamoDBException)


@dataclass(frozen=True, slots=True)
class Adapters:
    """Everything that is not the engine itself. Tests bring their own."""

    orders: OrderStore
    streams: StreamStore
    starts: RateLimitSlots
    ledger: Ledger
    queue: OrderQueue
    high_priority: HighPriorityQueue
    dead_letters: DeadLetterQueue
    replays: ReplayQueue
    sockets: Sockets
    history: History
    waiting: OpenOrderIndex
    markets: MarketStore


@dataclass(frozen=True, slots=True)
class Engine:
    """The services behind the doors."""

    settings: Settings
    adapters: Adapters
    submit: SubmitOrder
    execute: ExecuteOrder
    cancel: CancelOrder
    amend: AmendOrder
    close: CloseDeadLetter
    watch: Watchdog
    market: MarketWatcher
    subscriptions: Subscriptions
    queries: Queries
    preview: PreviewOrder
    health: CheckHealth
    stats: ShowStats


def utc_now() -> datetime:
    """Now, in whole milliseconds, as the engine writes times."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def now_ms() -> int:
    return to_ms(utc_now())


@cache
def engine() -> Engine:
    """The engine of this process, from the environment."""
    settings = read_settings()
    return build_engine(settings, connect(settings))


def connect(settings: Settings) -> Adapters:
    """The real adapters: DynamoDB, SQS, API Gateway and Postgres. Nothing is called before it is needed."""
    dynamodb = SharedConnection(settings)
    session = boto3.Session(region_name=settings.aws_region)
    sqs = session.client(
        "sqs",
        endpoint_url=settings.aws_endpoint_url,
        config=Config(
            connect_timeout=settings.aws_connect_timeout_seconds,
            read_timeout=settings.aws_read_timeout_seconds,
            retries={"mode": "standard", "total_max_attempts": 3},
            user_agent=USER_AGENT,
            parameter_validation=False,
        ),
    )
    management = session.client(
        "apigatewaymanagementapi",
        endpoint_url=settings.websocket_endpoint,
        config=Config(
            connect_timeout=settings.push_connect_timeout_seconds,
            read_timeout=settings.push_read_timeout_seconds,
            retries={"mode": "standard", "total_max_attempts": 1},
            max_pool_connections=settings.push_threads,
            user_agent=USER_AGENT,
            parameter_validation=False,
        ),
    )
    return Adapters(
        orders=DynamoOrderStore(dynamodb, settings, now_ms),
        streams=DynamoStreamStore(dynamodb, settings),
        starts=DynamoRateLimitSlots(dynamodb, settings),
        ledger=DynamoLedger(dynamodb, settings),
        queue=SqsOrderQueue(sqs, settings.orders_queue_url, settings.high_priority_queue_url),
        high_priority=SqsHighPriorityQueue(sqs, settings.high_priority_queue_url, settings.lease_seconds),
        dead_letters=SqsDeadLetterQueue(sqs, settings.dead_letters_queue_url, settings.unprocessable_queue_url),
        replays=SqsReplayQueue(sqs, settings.replay_queue_url),
        sockets=ApiGatewaySockets(management),
        history=PostgresHistory(
            settings.database_url,
            connect_timeout_seconds=settings.postgres_connect_timeout_seconds,
            statement_timeout_seconds=settings.postgres_statement_timeout_seconds,
        ),
        waiting=DynamoOpenOrderIndex(dynamodb, settings),
        markets=DynamoMarketStore(dynamodb, settings),
    )


def build_engine(
    settings: Settings,
    adapters: Adapters,
    now: Callable[[], datetime] = utc_now,
    sleep: Callable[[float], None] = time.sleep,
) -> Engine:
    """The services on this adapters, by this clock."""
    if settings.venue_profile not in PROFILES:
        raise ValueError(f"VENUE_PROFILE={settings.venue_profile!r} is none of {', '.join(PROFILES)}")
    try:
        Fault.parse(settings.venue_fault)
    except ValueError as error:
        raise ValueError(f"VENUE_FAULT={settings.venue_fault!r} {error}") from None

    def clock_ms() -> int:
        return to_ms(now())

    router = Router(
        simulated_venues(
            SimulationContext(
                market=Market(settings.venue_seed, PROFILES[settings.venue_profile]),
                feed=CachedMarketData(adapters.markets, int(settings.market_cache_seconds * 1000), clock_ms),
                ledger=adapters.ledger,
                now_ms=clock_ms,
                sleep=sleep,
                time_scale=settings.venue_time_scale,
                fault=settings.venue_fault or None,
            )
        ),
        ThreadPoolExecutor(settings.quote_threads, thread_name_prefix="quote"),
        settings.quote_timeout_seconds,
    )
    publisher = Publisher(
        adapters.sockets,
        adapters.orders,
        adapters.streams,
        adapters.replays,
        ThreadPoolExecutor(settings.push_threads, thread_name_prefix="push"),
        time.monotonic,
        settings.push_budget_seconds,
    )
    subscriptions = Subscriptions(adapters.orders, adapters.streams, publisher, adapters.replays)
    slack = settings.deadline_grace_seconds
    finish = FinalizeOrder(adapters.orders, publisher, adapters.history, now, slack)
    starts = RateLimiter(
        orders=adapters.orders,
        slots=adapters.starts,
        per_minute=settings.rate_limit_per_minute,
        horizon_seconds=settings.rate_horizon_seconds,
        pending_deadline_seconds=settings.pending_deadline_seconds,
    )
    side_by_side = ThreadPoolExecutor(settings.trigger_threads, thread_name_prefix="trigger")
    open_orders = OpenOrders(
        orders=adapters.orders,
        publisher=publisher,
        subscriptions=subscriptions,
        history=adapters.history,
        finish=finish,
        executor=side_by_side,
        now=now,
        batch=settings.watchdog_batch,
    )
    triggers = TriggerOrders(
        orders=adapters.orders,
        waiting=adapters.waiting,
        router=router,
        queue=adapters.queue,
        publisher=publisher,
        subscriptions=subscriptions,
        executor=side_by_side,
        now=now,
        batch=settings.trigger_batch,
        pending_deadline_seconds=settings.pending_deadline_seconds,
        retrigger_base=settings.retrigger_pause_seconds,
        retrigger_cap=settings.max_retrigger_pause_seconds,
    )
    launches = ProcessLaunches(
        waiting=adapters.waiting,
        markets=adapters.markets,
        router=router,
        triggers=triggers,
        open_orders=open_orders,
        executor=side_by_side,
        now=now,
        batch=settings.trigger_batch,
    )
    watch_list = WatchList(adapters.markets, launches=settings.simulated_launch_seconds > 0)
    enter = PlanAcceptance(adapters.markets, router)
    submit = SubmitOrder(
        orders=adapters.orders,
        queue=adapters.queue,
        publisher=publisher,
        subscriptions=subscriptions,
        enter=enter,
        watch_list=watch_list,
        open_orders=open_orders,
        backlog=UserOrderLimit(
            adapters.orders.count_active,
            settings.max_active_orders_per_user,
            time.monotonic,
            TooManyActiveOrdersError,
        ),
        open_cap=UserOrderLimit(
            adapters.orders.count_open, settings.max_open_orders_per_user, time.monotonic, TooManyOpenOrdersError
        ),
        starts=starts,
        now=now,
        new_id=lambda: str(uuid4()),
        pending_deadline_seconds=settings.pending_deadline_seconds,
        idempotency_seconds=settings.idempotency_hours * 3600,
    )
    execute = ExecuteOrder(
        orders=adapters.orders,
        claim=LeaseOrder(adapters.orders, publisher, starts, now, settings.lease_seconds, slack),
        router=router,
        ledger=adapters.ledger,
        publisher=publisher,
        finish=finish,
        open_orders=open_orders,
        now=now,
        uniform=random.uniform,
        timing=RetryPolicy(settings.max_attempts, settings.backoff_base_seconds, settings.backoff_cap_seconds, slack),
    )
    return Engine(
        settings=settings,
        adapters=adapters,
        submit=submit,
        execute=execute,
        cancel=CancelOrder(adapters.orders, finish, subscriptions, starts, now),
        amend=AmendOrder(adapters.orders, open_orders, triggers, watch_list, now),
        close=CloseDeadLetter(adapters.orders, adapters.queue, adapters.ledger, finish, now),
        watch=Watchdog(
            orders=adapters.orders,
            queue=adapters.queue,
            subscriptions=subscriptions,
            finish=finish,
            open_orders=open_orders,
            now=now,
            batch=settings.watchdog_batch,
            pause_seconds=settings.pending_deadline_seconds,
        ),
        market=MarketWatcher(
            markets=adapters.markets,
            triggers=triggers,
            launches=launches,
            open_orders=open_orders,
            launch_source=LaunchSchedule(settings.venue_seed, settings.simulated_launch_seconds),
            now=now,
            sleep=sleep,
            tick_seconds=settings.market_tick_seconds,
        ),
        subscriptions=subscriptions,
        queries=Queries(adapters.orders, adapters.history, router),
        preview=PreviewOrder(router, enter, now),
        health=CheckHealth(adapters.orders, adapters.queue, adapters.history),
        stats=ShowStats(adapters.orders, adapters.history, now),
    )
