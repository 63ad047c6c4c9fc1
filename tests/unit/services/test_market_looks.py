"""A look at the market queries no more than the open orders need."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from chalicelib.domain.conditions import TimeInForce
from chalicelib.domain.status import OrderType
from chalicelib.domain.tokens import BY_SYMBOL, Pair, Side
from chalicelib.ports.orders import StoredOrder
from tests.fakes.open_orders import FakeOpenOrderIndex
from tests.support.workbench import a_workbench

_LIMIT: dict[str, Any] = {"type": OrderType.LIMIT, "time_in_force": TimeInForce.GTC}
_BUY: dict[str, Any] = {"side": Side.BUY, "token_in": BY_SYMBOL["USDC"], "token_out": BY_SYMBOL["SOL"]}


@pytest.mark.parametrize(
    ("open_orders", "queried"),
    [
        ([{"limit_price": Decimal(900)}], [Side.SELL]),
        ([{"limit_price": Decimal(10), **_BUY}], [Side.BUY]),
        ([{"limit_price": Decimal(900)}, {"limit_price": Decimal(10), **_BUY}], [Side.BUY, Side.SELL]),
    ],
)
def test_a_look_queries_only_the_sides_that_have_open_orders(
    open_orders: list[dict[str, Any]], queried: list[Side], monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = a_workbench()
    sides: list[Side] = []
    for changes in open_orders:
        bench.submit(**_LIMIT, **changes)
    crossed = FakeOpenOrderIndex.crossed

    def record_side(self: FakeOpenOrderIndex, pair: Pair, side: Side, price: Decimal) -> Iterator[StoredOrder]:
        sides.append(side)
        return crossed(self, pair, side, price)

    monkeypatch.setattr(FakeOpenOrderIndex, "crossed", record_side)
    bench.engine.market.look()
    assert sorted(sides) == queried
