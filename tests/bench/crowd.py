"""Any number of open limit orders, as the order store writes them, in separate tables."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any
from unittest import mock
from uuid import uuid4

import boto3
from botocore.client import BaseClient

from chalicelib.bootstrap import build_engine
from chalicelib.clock import utc_now
from chalicelib.codec.times import to_ms
from chalicelib.connect import connect
from chalicelib.domain.conditions import TimeInForce
from chalicelib.domain.events import Opened
from chalicelib.domain.money import to_base_units
from chalicelib.domain.orders import Order
from chalicelib.domain.spec import OrderSpec
from chalicelib.domain.status import OrderType
from chalicelib.domain.tokens import Pair, Side, find_market
from chalicelib.engine import Engine
from chalicelib.ports.orders import OrderStore
from chalicelib.routing.best_swap import best_price
from chalicelib.services.orders.acceptance import open_terms
from chalicelib.settings import Settings
from infra.local.config import REGION
from tests.bench.subject import Subject

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

#: Maximum number of items of a BatchWriteItem request.
_BATCH = 25
#: Open orders of each user.
_ORDERS_PER_USER = 200
_OWN_TABLES = ("orders_table", "market_table")
_COPIED = ("AttributeDefinitions", "KeySchema")
SELLING = "SOL/USDC"
_MARKETS = (SELLING, "JUP/USDC", "BONK/SOL", "WIF/USDC")
_WAIT = timedelta(days=30)


@contextmanager
def own_engine(subject: Subject, name: str) -> Iterator[tuple[Engine, "Crowd"]]:
    """Build an engine in this process on separate tables and queues that no deployed function uses."""
    settings = subject.settings
    session = boto3.Session("test", "test", region_name=REGION)
    tables = session.client("dynamodb", endpoint_url=subject.aws)
    own: dict[str, Any] = {}
    with ExitStack() as cleaning:
        for field in _OWN_TABLES:
            own[field] = f"bench-{name}-{field}"
            _create_like(tables, getattr(settings, field), own[field])
            cleaning.callback(tables.delete_table, TableName=own[field])
        for field in ("orders_queue_url", "high_priority_queue_url"):
            own[field] = subject.sqs.create_queue(QueueName=f"bench-{name}-{field}")["QueueUrl"]
            cleaning.callback(subject.sqs.delete_queue, QueueUrl=own[field])
        # Checks follow each other faster than in a deployment: none may use the market cache of the last one.
        settings = replace(settings, **own, market_cache_seconds=0.05)
        adapters = connect(settings)
        engine = build_engine(settings, adapters)
        yield engine, Crowd(engine, adapters.orders, tables, settings)


def _create_like(tables: "DynamoDBClient", model: str, name: str) -> None:
    found: Any = tables.describe_table(TableName=model)["Table"]
    indexes = [
        {field: index[field] for field in ("IndexName", "KeySchema", "Projection")}
        for index in found.get("GlobalSecondaryIndexes", [])
    ]
    create: Any = tables.create_table
    create(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        **{field: found[field] for field in _COPIED},
        **({"GlobalSecondaryIndexes": indexes} if indexes else {}),
    )


class Crowd:
    """The open orders in an engine's tables."""

    def __init__(self, engine: Engine, orders: OrderStore, tables: "DynamoDBClient", settings: Settings) -> None:
        self._engine = engine
        self._orders = orders
        self._tables = tables
        self._table = settings.orders_table
        self._prices: dict[str, Decimal] = {}

    def fill(self, number: int) -> None:
        """Add open orders far from their limit prices: half of them sell SOL, the others trade on other markets."""
        markets = [market for name in _MARKETS if (market := find_market(name))]
        orders = (self._far(number, markets) for number in range(number))
        for market in markets:
            for side in Side:
                self._engine.submit.watch_list.cover(
                    _spec(market, side, "bench", Decimal(1)), utc_now() + _WAIT, utc_now()
                )
        while items := [self._as_written(order) for order in islice(orders, _BATCH)]:
            requests: Any = [{"PutRequest": {"Item": item}} for item in items]
            left = self._tables.batch_write_item(RequestItems={self._table: requests})["UnprocessedItems"]
            if left:
                raise RuntimeError(f"{len(left[self._table])} orders were not written")

    def add(self, number: int, price: Decimal, amount: Decimal = Decimal(1)) -> None:
        """Add open orders that sell SOL at this limit price."""
        market = find_market(SELLING)
        assert market is not None
        for _ in range(number):
            until_ms = to_ms(utc_now() + _WAIT)
            stored = self._orders.create(_open_order(_spec(market, Side.SELL, "bench", price, amount)), until_ms)
            # The state after the events are published and the history is written.
            self._orders.set_deadline(replace(stored, published=stored.order.seq), until_ms)

    def _far(self, number: int, markets: list[Pair]) -> Order:
        if number % 2:
            market, side = markets[0], Side.SELL
        else:
            market, side = markets[1 + number // 4 % (len(markets) - 1)], (Side.BUY, Side.SELL)[number // 2 % 2]
        # Sell limits begin at twice the current price and rise; buy limits begin at half of it and fall.
        away = 2 + Decimal(number) / 10_000
        present = self._price_of(market)
        price = present * away if side is Side.SELL else present / away
        rounded = price.quantize(Decimal(1).scaleb(present.adjusted() - 6))
        return _open_order(_spec(market, side, f"bench-{number // _ORDERS_PER_USER}", rounded))

    def _price_of(self, market: Pair) -> Decimal:
        """The best venue's price of a market, cached by the first call."""
        if market.name not in self._prices:
            price = best_price(self._engine.queries.router.depths(market), Side.SELL)
            assert price is not None
            self._prices[market.name] = price
        return self._prices[market.name]

    def _as_written(self, order: Order) -> dict[str, Any]:
        """The item that the order store would send to DynamoDB, intercepted in the client."""
        caught: list[dict[str, Any]] = []

        def catch(client: Any, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
            caught.append(parameters["Item"])
            return {}

        with mock.patch.object(BaseClient, "_make_api_call", catch):
            self._orders.create(order, to_ms(utc_now() + _WAIT))
        return caught[0]


def _spec(market: Pair, side: Side, user: str, price: Decimal, amount: Decimal = Decimal(1)) -> OrderSpec:
    paid, got = (market.quote, market.base) if side is Side.BUY else (market.base, market.quote)
    return OrderSpec(
        user_id=user,
        type=OrderType.LIMIT,
        side=side,
        token_in=paid,
        token_out=got,
        amount_in=to_base_units(amount, paid.decimals),
        slippage_bps=100,
        limit_price=price,
        time_in_force=TimeInForce.GTC,
    )


def _open_order(spec: OrderSpec) -> Order:
    """An accepted open order that is not marketable at entry."""
    now = utc_now()
    return Order.accepted(str(uuid4()), spec, now).after(Opened(open_terms(spec, now + _WAIT), False), now)
