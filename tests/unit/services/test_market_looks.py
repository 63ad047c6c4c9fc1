"""A look at the market asks for no more than is waited for."""

from decimal import Decimal
from typing import Any

import pytest

from chalicelib.domain.conditions import TimeInForce
from chalicelib.domain.status import OrderType
from chalicelib.domain.tokens import BY_SYMBOL, Side
from tests.fakes.open_orders import FakeOpenOrderIndex
from tests.support.workbench import a_workbench

_LIMIT: dict[str, Any] = {"type": OrderType.LIMIT, "time_in_force": TimeInForce.GTC}
_BUY: dict[str, Any] = {"side": Side.BUY, "token_in": BY_SYMBOL["USDC"], "token_out": BY_SYMBOL["SOL"]}


@pytest.mark.parametrize(
    ("waiting", "asked"),
    [
        ([{"limit_price": Decimal(900)}], [Side.SELL]),
        ([{"limit_price": Decimal(10), **_BUY}], [Side.BUY]),
        ([{"limit_price": Decimal(900)}, {"limit_price": Decimal(10), **_BUY}], [Side.BUY, Side.SELL]),
    ],
)
def test_only_the_sides_that_are_waited_on_are_asked_for(
    waiting: list[dict[str, Any]], asked: list[Side], monkeypatch: pytest.MonkeyPatch
) -> None:
    bench, sides = a_workbench(), []
    for changes in waiting:
        bench.submit(**_LIMIT, **changes)
    crossed = FakeOpenOrderIndex.crossed

    def noting(self: FakeOpenOrderIndex, pair: Any, side: Side, price: Decimal) -> Any:
        sides.append(side)
        return crossed(self, pair, side, price)

    monkeypatch.setattr(FakeOpenOrderIndex, "crossed", noting)
    bench.engine.market.look()
    assert sorted(sides) == asked
