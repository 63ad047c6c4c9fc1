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

from chalicelib.domain.errors import BacklogFullError, OpenOrdersFullError
from chalicelib.encoding.times import to_ms
from chalicelib.history.postgres import PostgresHistory
from chalicelib.messaging.queues import SqsLetterQueue, SqsOrderQueue, SqsReplayQueue, SqsUrgentQueue
from chalicelib.messaging.sockets import ApiGatewaySockets
from chalicelib.ports import (
    History,
    LetterQueue,
    Markets,
    OrderQueue,
    OrderStore,
    ReplayQueue,
    Sockets,
    StartSlots,
    StreamStore,
    UrgentQueue,
    WaitingOrders,
)
from chalicelib.routing.faults import Fault
from chalicelib.routing.feed import MarketFeed
from chalicelib.routing.market import PROFILES, Market
from chalicelib.routing.router import Router
from chalicelib.routing.simulated import Surroundings
from chalicelib.routing.timetable import Timetable
from chalicelib.routing.venue import Ledger
from chalicelib.routing.venues import simulated_venues
from chalicelib.services.amend import AmendOrder
from chalicelib.services.backlog import Backlog
from chalicelib.services.cancel import CancelOrder
from chalicelib.services.claim import ClaimOrder
from chalicelib.services.close import CloseDeadLetter
from chalicelib.services.entry import EnterOrder, Watchlist
from chalicelib.services.execute import ExecuteOrder, Timing
from chalicelib.services.finish import FinishOrder
from chalicelib.services.health import CheckHealth
from chalicelib.services.launches import ReleaseLaunches
from chalicelib.services.market import WatchMarket
from chalicelib.services.preview import PreviewOrder
from chalicelib.services.publish import Publisher
from chalicelib.services.query import Queries
from chalicelib.services.starts import LimitStarts
from chalicelib.services.stats import ShowStats
from chalicelib.services.submit import SubmitOrder
from chalicelib.services.subscribe import Subscriptions
from chalicelib.services.trigger import TriggerOrders
from chalicelib.services.waiting import OpenOrders
from chalicelib.services.watch import WatchOrders
from chalicelib.settings import USER_AGENT, Settings, read_settings
from chalicelib.stores.connection import SharedConnection
from chalicelib.stores.ledger import DynamoLedger
from chalicelib.stores.markets import DynamoMarkets
from chalicelib.stores.orders import DynamoOrderStore
from chalicelib.stores.starts import DynamoStartSlots
from chalicelib.stores.streams import DynamoStreamStore
from chalicelib.stores.waiting import DynamoWaitingOrders

#: What the SDKs raise when AWS does not answer, throttles or refuses.
UNAVAILABLE: tuple[type[Exception], ...] = (BotoCoreError, ClientError, PynamoDBException)


@dataclass(frozen=True, slots=True)
class Outside:
    """Everything that is not the engine itself. Tests bring their own."""

    orders: OrderStore
    streams: StreamStore
    starts: StartSlots
    ledger: Ledger
    queue: OrderQueue
    urgent: UrgentQueue
    dead_letters: LetterQueue
    replays: ReplayQueue
    sockets: Sockets
    history: History
    waiting: WaitingOrders
    markets: Markets


@dataclass(frozen=True, slots=True)
class Engine:
    """The services behind the doors."""

    settings: Settings
    outside: Outside
    submit: SubmitOrder
    execute: ExecuteOrder
    cancel: CancelOrder
    amend: AmendOrder
    close: CloseDeadLetter
    watch: WatchOrders
    market: WatchMarket
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


def connect(settings: Settings) -> Outside:
    """The real outside: DynamoDB, SQS, API Gateway and Postgres. Nothing is called before it is needed."""
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
    return Outside(
        orders=DynamoOrderStore(dynamodb, settings, now_ms),
        streams=DynamoStreamStore(dynamodb, settings),
        starts=DynamoStartSlots(dynamodb, settings),
        ledger=DynamoLedger(dynamodb, settings),
        queue=SqsOrderQueue(sqs, settings.orders_queue_url, settings.urgent_queue_url),
        urgent=SqsUrgentQueue(sqs, settings.urgent_queue_url, settings.lease_seconds),
        dead_letters=SqsLetterQueue(sqs, settings.dead_letters_queue_url, settings.kept_letters_queue_url),
        replays=SqsReplayQueue(sqs, settings.stream_queue_url),
        sockets=ApiGatewaySockets(management),
        history=PostgresHistory(
            settings.database_url,
            connect_timeout_seconds=settings.postgres_connect_timeout_seconds,
            statement_timeout_seconds=settings.postgres_statement_timeout_seconds,
        ),
        waiting=DynamoWaitingOrders(dynamodb, settings),
        markets=DynamoMarkets(dynamodb, settings),
    )


def build_engine(
    settings: Settings,
    outside: Outside,
    now: Callable[[], datetime] = utc_now,
    sleep: Callable[[float], None] = time.sleep,
) -> Engine:
    """The services on this outside, by this clock."""
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
            Surroundings(
                market=Market(settings.venue_seed, PROFILES[settings.venue_profile]),
                feed=MarketFeed(outside.markets, int(settings.market_cache_seconds * 1000), clock_ms),
                ledger=outside.ledger,
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
        outside.sockets,
        outside.orders,
        outside.streams,
        outside.replays,
        ThreadPoolExecutor(settings.push_threads, thread_name_prefix="push"),
        time.monotonic,
        settings.push_budget_seconds,
    )
    subscriptions = Subscriptions(outside.orders, outside.streams, publisher, outside.replays)
    slack = settings.attention_slack_seconds
    finish = FinishOrder(outside.orders, publisher, outside.history, now, slack)
    starts = LimitStarts(
        orders=outside.orders,
        slots=outside.starts,
        per_minute=settings.rate_limit_per_minute,
        horizon_seconds=settings.rate_horizon_seconds,
        pending_attention_seconds=settings.pending_attention_seconds,
    )
    side_by_side = ThreadPoolExecutor(settings.trigger_threads, thread_name_prefix="trigger")
    open_orders = OpenOrders(
        orders=outside.orders,
        publisher=publisher,
        subscriptions=subscriptions,
        history=outside.history,
        finish=finish,
        executor=side_by_side,
        now=now,
        batch=settings.watchdog_batch,
    )
    triggers = TriggerOrders(
        orders=outside.orders,
        waiting=outside.waiting,
        router=router,
        queue=outside.queue,
        publisher=publisher,
        subscriptions=subscriptions,
        executor=side_by_side,
        now=now,
        batch=settings.trigger_batch,
        pending_attention_seconds=settings.pending_attention_seconds,
        rearm_base=settings.rearm_seconds,
        rearm_cap=settings.rearm_cap_seconds,
    )
    launches = ReleaseLaunches(
        waiting=outside.waiting,
        markets=outside.markets,
        router=router,
        triggers=triggers,
        open_orders=open_orders,
        executor=side_by_side,
        now=now,
        batch=settings.trigger_batch,
    )
    watchlist = Watchlist(outside.markets, launches=settings.simulated_launch_seconds > 0)
    enter = EnterOrder(outside.markets, router)
    submit = SubmitOrder(
        orders=outside.orders,
        queue=outside.queue,
        publisher=publisher,
        subscriptions=subscriptions,
        enter=enter,
        watchlist=watchlist,
        open_orders=open_orders,
        backlog=Backlog(outside.orders.count_moving, settings.user_backlog, time.monotonic, BacklogFullError),
        open_cap=Backlog(
            outside.orders.count_waiting, settings.user_open_orders, time.monotonic, OpenOrdersFullError
        ),
        starts=starts,
        now=now,
        new_id=lambda: str(uuid4()),
        pending_attention_seconds=settings.pending_attention_seconds,
        idempotency_seconds=settings.idempotency_hours * 3600,
    )
    execute = ExecuteOrder(
        orders=outside.orders,
        claim=ClaimOrder(outside.orders, publisher, starts, now, settings.lease_seconds, slack),
        router=router,
        ledger=outside.ledger,
        publisher=publisher,
        finish=finish,
        open_orders=open_orders,
        now=now,
        uniform=random.uniform,
        timing=Timing(settings.max_attempts, settings.backoff_base_seconds, settings.backoff_cap_seconds, slack),
    )
    return Engine(
        settings=settings,
        outside=outside,
        submit=submit,
        execute=execute,
        cancel=CancelOrder(outside.orders, finish, subscriptions, starts, now),
        amend=AmendOrder(outside.orders, open_orders, triggers, watchlist, now),
        close=CloseDeadLetter(outside.orders, outside.queue, outside.ledger, finish, now),
        watch=WatchOrders(
            orders=outside.orders,
            queue=outside.queue,
            subscriptions=subscriptions,
            finish=finish,
            open_orders=open_orders,
            now=now,
            batch=settings.watchdog_batch,
            pause_seconds=settings.pending_attention_seconds,
        ),
        market=WatchMarket(
            markets=outside.markets,
            triggers=triggers,
            launches=launches,
            open_orders=open_orders,
            timetable=Timetable(settings.venue_seed, settings.simulated_launch_seconds),
            now=now,
            sleep=sleep,
            tick_seconds=settings.market_tick_seconds,
        ),
        subscriptions=subscriptions,
        queries=Queries(outside.orders, outside.history, router),
        preview=PreviewOrder(router, enter, now),
        health=CheckHealth(outside.orders, outside.queue, outside.history),
        stats=ShowStats(outside.orders, outside.history, now),
    )
