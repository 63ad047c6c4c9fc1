"""The next write of an open order that many sockets have joined and left, and the size of its item."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import boto3

from infra.local.config import REGION
from tests.bench.connections import wait_until_closed
from tests.bench.figures import Row
from tests.bench.streams.stage import LIMIT_ORDER, Sizes, Stage

_ALONE = 5
_CHANGES = [{"slippage": str(percent)} for percent in range(2, 8)]


@dataclass
class Left:
    """Milliseconds of the first amendment and of the next ones, and bytes of the items.

    The figures of orders without sockets are medians.
    """

    sockets: int
    first: float
    next: list[float]
    first_alone: float
    next_alone: list[float]
    joined_bytes: int
    item_bytes: int
    alone_bytes: int
    faults: list[str] = field(default_factory=list)


def measure(stage: Stage, sizes: Sizes) -> Left:
    joined, *alone = [_open_order(stage) for _ in range(1 + _ALONE)]
    stage.sockets.open("left", [stage.order_url(joined)] * sizes.left)
    tally = stage.sockets.until("left", {joined: 2})
    joined_bytes = _item_bytes(stage, joined)
    stage.sockets.close("left")
    wait_until_closed(stage.subject)
    item_bytes = _item_bytes(stage, joined)
    # The first amendment after a pause finds cold connections.
    stage.api.amend(_open_order(stage), _CHANGES[0])
    first = stage.api.amend(joined, _CHANGES[0])
    first_alone = [stage.api.amend(one, _CHANGES[0]) for one in alone]
    times = [[stage.api.amend(one, change) for one in (joined, alone[0])] for change in _CHANGES[1:]]
    return Left(
        sizes.left,
        first,
        [one for one, _ in times],
        median(first_alone),
        [other for _, other in times],
        joined_bytes,
        item_bytes,
        _item_bytes(stage, alone[0]),
        tally.faults(f"{sizes.left} sockets on an open order"),
    )


def _open_order(stage: Stage) -> str:
    return stage.api.post({**LIMIT_ORDER, "userId": "bench-left"}).order_id


def rows(one: Left) -> list[Row]:
    return [
        Row(f"{one.sockets:,} joined and gone: amendment ms", f"{one.first:.1f}"),
        Row("  an order that had none", f"{one.first_alone:.1f}"),
        Row("  ratio", f"{one.first / one.first_alone:.2f}"),
        Row("  the next amendments", f"{median(one.next):.1f}"),
        Row("    of the order that had none", f"{median(one.next_alone):.1f}"),
        Row("  bytes of the item, joined / left", f"{one.joined_bytes} / {one.item_bytes}"),
        Row("    of the order that had none", str(one.alone_bytes)),
    ]


def _item_bytes(stage: Stage, order_id: str) -> int:
    client = boto3.Session("test", "test", region_name=REGION).client("dynamodb", endpoint_url=stage.subject.aws)
    table = stage.subject.environment["ORDERS_TABLE"]
    item = client.get_item(TableName=table, Key={"orderId": {"S": order_id}}, ConsistentRead=True)["Item"]
    return sum(len(name) + _bytes(value) for name, value in item.items())


def _bytes(value: Mapping[str, Any]) -> int:
    """The size of a value, about as DynamoDB counts it: text as UTF-8, and three bytes for a list or a map."""
    ((kind, content),) = value.items()
    if kind in ("SS", "NS"):
        return sum(len(one.encode()) for one in content)
    if kind == "L":
        return 3 + sum(1 + _bytes(one) for one in content)
    if kind == "M":
        return 3 + sum(1 + len(name) + _bytes(one) for name, one in content.items())
    return len(str(content).encode())
