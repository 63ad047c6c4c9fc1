"""The adapters to DynamoDB, SQS, API Gateway and Postgres, built from the settings."""

from dataclasses import dataclass
from typing import Any

from botocore.config import Config

from chalicelib.clock import utc_now
from chalicelib.codec.times import to_ms
from chalicelib.history.on_demand import HistoryOnDemand
from chalicelib.messaging.queues import (
    SqsDeadLetterQueue,
    SqsFanOutQueue,
    SqsHighPriorityQueue,
    SqsLookQueue,
    SqsOrderQueue,
    SqsReplayQueue,
)
from chalicelib.messaging.sockets import ApiGatewaySockets
from chalicelib.ports.api_keys import ApiKeys
from chalicelib.ports.fan_out import FanOutQueue, SubscriberGroups
from chalicelib.ports.history import History
from chalicelib.ports.market import MarketStore
from chalicelib.ports.order_index import OrderIndex
from chalicelib.ports.orders import OpenOrderIndex, OrderStore
from chalicelib.ports.queues import DeadLetterQueue, HighPriorityQueue, LookQueue, OrderQueue, ReplayQueue
from chalicelib.ports.rate_limit import RateLimitSlots, RequestPermits
from chalicelib.ports.secrets import Secrets
from chalicelib.ports.socket_limits import SocketUse, UserSockets
from chalicelib.ports.streams import ManagedSockets, StreamStore
from chalicelib.ports.tickets import TicketStore
from chalicelib.ports.venues import Ledger
from chalicelib.secret_store import SecretsManager
from chalicelib.settings import Settings
from chalicelib.stores.api_keys import DynamoApiKeys
from chalicelib.stores.connection import SharedConnection
from chalicelib.stores.ledger import DynamoLedger
from chalicelib.stores.markets import DynamoMarketStore
from chalicelib.stores.open_orders import DynamoOpenOrderIndex
from chalicelib.stores.order_index import DynamoOrderIndex
from chalicelib.stores.orders import DynamoOrderStore
from chalicelib.stores.rate_limit import DynamoRateLimitSlots
from chalicelib.stores.request_permits import DynamoRequestPermits
from chalicelib.stores.socket_limits import DynamoSocketUse, DynamoUserSockets
from chalicelib.stores.streams import DynamoStreamStore
from chalicelib.stores.subscriber_groups import DynamoSubscriberGroups
from chalicelib.stores.tickets import DynamoTicketStore


@dataclass(frozen=True, slots=True)
class Adapters:
    """The implementations of all ports. Tests bring their own."""

    orders: OrderStore
    order_index: OrderIndex
    open_order_index: OpenOrderIndex
    streams: StreamStore
    subscriber_groups: SubscriberGroups
    socket_use: SocketUse
    user_sockets: UserSockets
    tickets: TicketStore
    rate_limit_slots: RateLimitSlots
    request_permits: RequestPermits
    ledger: Ledger
    order_queue: OrderQueue
    high_priority_queue: HighPriorityQueue
    dead_letter_queue: DeadLetterQueue
    replay_queue: ReplayQueue
    fan_out_queue: FanOutQueue
    look_queue: LookQueue
    sockets: ManagedSockets
    history: History
    markets: MarketStore
    api_keys: ApiKeys
    secrets: Secrets


def connect(settings: Settings) -> Adapters:
    """The adapters of a deployment. None of them makes a call before it is needed."""
    dynamodb = SharedConnection(settings)
    session = dynamodb.session
    secrets = SecretsManager(session, settings)
    sqs: Any = session.create_client(
        "sqs",
        region_name=settings.aws_region,
        endpoint_url=settings.aws_endpoint_url,
        config=Config(
            connect_timeout=settings.aws_connect_timeout_seconds,
            read_timeout=settings.aws_read_timeout_seconds,
            retries={"mode": "standard", "total_max_attempts": 3},
            parameter_validation=False,
        ),
    )
    management: Any = session.create_client(
        "apigatewaymanagementapi",
        region_name=settings.aws_region,
        endpoint_url=settings.websocket_endpoint,
        config=Config(
            connect_timeout=settings.push_connect_timeout_seconds,
            read_timeout=settings.push_read_timeout_seconds,
            retries={"mode": "standard", "total_max_attempts": 1},
            # A batch of replays pushes on its own threads too.
            max_pool_connections=2 * settings.push_threads,
            parameter_validation=False,
        ),
    )
    return Adapters(
        orders=DynamoOrderStore(dynamodb, settings, _now_ms),
        order_index=DynamoOrderIndex(dynamodb, settings, _now_ms),
        open_order_index=DynamoOpenOrderIndex(dynamodb, settings),
        streams=DynamoStreamStore(dynamodb, settings),
        subscriber_groups=DynamoSubscriberGroups(dynamodb, settings, _now_ms),
        socket_use=DynamoSocketUse(dynamodb, settings),
        user_sockets=DynamoUserSockets(dynamodb, settings),
        tickets=DynamoTicketStore(dynamodb, settings),
        rate_limit_slots=DynamoRateLimitSlots(dynamodb, settings),
        request_permits=DynamoRequestPermits(dynamodb, settings),
        ledger=DynamoLedger(dynamodb, settings),
        order_queue=SqsOrderQueue(sqs, settings.orders_queue_url, settings.high_priority_queue_url),
        high_priority_queue=SqsHighPriorityQueue(sqs, settings.high_priority_queue_url, settings.lease_seconds + 1),
        dead_letter_queue=SqsDeadLetterQueue(sqs, settings.dead_letters_queue_url, settings.unprocessable_queue_url),
        replay_queue=SqsReplayQueue(sqs, settings.replay_queue_url),
        fan_out_queue=SqsFanOutQueue(sqs, settings.fan_out_queue_url),
        look_queue=SqsLookQueue(sqs, settings.looks_queue_url),
        sockets=ApiGatewaySockets(management),
        history=HistoryOnDemand(settings, secrets),
        markets=DynamoMarketStore(dynamodb, settings),
        api_keys=DynamoApiKeys(dynamodb, settings),
        secrets=secrets,
    )


def _now_ms() -> int:
    return to_ms(utc_now())
