"""The adapters to DynamoDB, SQS, API Gateway and Postgres, built from the settings."""

from typing import Any

from botocore.config import Config
from botocore.session import Session

from chalicelib.adapters import Adapters
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
from chalicelib.secret_store import SecretsManager
from chalicelib.settings import Settings
from chalicelib.stores.api_keys import DynamoApiKeys
from chalicelib.stores.connection import SharedConnection
from chalicelib.stores.ledger import DynamoLedger
from chalicelib.stores.look_cover import DynamoLookCover
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
from chalicelib.stores.verdicts import DynamoVerdicts
from chalicelib.stores.wait_counts import DynamoWaitCounts


def connect(settings: Settings) -> Adapters:
    """The adapters of a deployment. None of them makes a call before it is needed."""
    dynamodb = SharedConnection(settings)
    session = dynamodb.session
    secrets = SecretsManager(session, settings)
    sqs = _sqs(session, settings, attempts=3)
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
        wait_counts=DynamoWaitCounts(dynamodb, settings),
        ledger=DynamoLedger(dynamodb, settings),
        order_queue=SqsOrderQueue(sqs, settings.orders_queue_url, settings.high_priority_queue_url),
        high_priority_queue=SqsHighPriorityQueue(sqs, settings.high_priority_queue_url, settings.lease_seconds + 1),
        dead_letter_queue=SqsDeadLetterQueue(sqs, settings.dead_letters_queue_url, settings.unprocessable_queue_url),
        replay_queue=SqsReplayQueue(sqs, settings.replay_queue_url),
        fan_out_queue=SqsFanOutQueue(sqs, settings.fan_out_queue_url),
        look_queue=SqsLookQueue(sqs, _sqs(session, settings, attempts=1), settings.looks_queue_url),
        look_cover=DynamoLookCover(dynamodb, settings),
        sockets=ApiGatewaySockets(management),
        history=HistoryOnDemand(settings, secrets),
        markets=DynamoMarketStore(dynamodb, settings),
        api_keys=DynamoApiKeys(dynamodb, settings),
        secrets=secrets,
        verdicts=DynamoVerdicts(dynamodb, settings),
    )


def _sqs(session: Session, settings: Settings, attempts: int) -> Any:
    """A client of SQS. A second one costs a cold start 2 ms."""
    return session.create_client(
        "sqs",
        region_name=settings.aws_region,
        endpoint_url=settings.aws_endpoint_url,
        config=Config(
            connect_timeout=settings.aws_connect_timeout_seconds,
            read_timeout=settings.aws_read_timeout_seconds,
            retries={"mode": "standard", "total_max_attempts": attempts},
            parameter_validation=False,
        ),
    )


def _now_ms() -> int:
    return to_ms(utc_now())
