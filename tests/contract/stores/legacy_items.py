"""Raw items of the orders table as version 1 of the stored form wrote them.

That version stored one attribute per field of the specification, and events without a version. Each file in
``legacy/`` has the item of an order at one moment, in DynamoDB JSON, and the order's public record at that
point. Files of one order have the same order id.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from chalicelib.codec.exact_json import loads
from tests.contract.stores.aws import Aws

_DIRECTORY = Path(__file__).with_name("legacy")
_TABLES = "tables"
NAMES = sorted(path.stem for path in _DIRECTORY.glob("*.json") if path.stem != _TABLES)
#: The attributes of the specification in version 1.
SPEC_ATTRIBUTES = {
    "userId",
    "type",
    "side",
    "tokenIn",
    "tokenOut",
    "amountIn",
    "slippageBps",
    "priority",
    "clientOrderId",
    "simulate",
    "limitPrice",
    "timeInForce",
    "expiresAt",
    "launchMint",
    "launchVenue",
    "launchMinLiquidity",
    "launchMaxPrice",
}

Item = dict[str, Any]


@dataclass(frozen=True)
class LegacyOrder:
    """The item of an order, and the order's public record."""

    item: Item
    record: dict[str, Any]

    @property
    def order_id(self) -> str:
        return str(self.record["orderId"])

    @cached_property
    def events(self) -> list[dict[str, Any]]:
        """The events as version 1 wrote them; their ``meta`` is the public one."""
        return [loads(text) for text in event_texts(self.item)]


def legacy_order(name: str) -> LegacyOrder:
    return LegacyOrder(**_read(name))


def legacy_tables() -> dict[str, list[Item]]:
    """Return the items of the other tables at the end of the sessions that created the orders."""
    tables: dict[str, list[Item]] = _read(_TABLES)
    return tables


def event_texts(item: Item) -> list[str]:
    return [event["S"] for event in item["events"]["L"]]


def number(item: Item, attribute: str) -> int | None:
    return int(item[attribute]["N"]) if attribute in item else None


def put(aws: Aws, table: str, *items: Item) -> None:
    """Put raw items into a table."""
    for item in items:
        aws.dynamodb.put_item(TableName=table, Item=item)


def put_orders(aws: Aws, *names: str) -> list[LegacyOrder]:
    """Put the items of these orders into the orders table."""
    orders = [legacy_order(name) for name in names]
    put(aws, "OrdersTable", *(order.item for order in orders))
    return orders


def raw_item(aws: Aws, order_id: str) -> Item:
    key = {"orderId": {"S": order_id}}
    item: Item = aws.dynamodb.get_item(TableName="OrdersTable", Key=key, ConsistentRead=True)["Item"]
    return item


def _read(name: str) -> Any:
    return loads((_DIRECTORY / f"{name}.json").read_text())
