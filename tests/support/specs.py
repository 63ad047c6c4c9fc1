"""Order specifications for tests."""

from dataclasses import replace
from typing import Any

from chalicelib.domain.spec import OrderSpec
from chalicelib.domain.status import OrderType
from chalicelib.domain.tokens import BY_SYMBOL, Side

_SPEC = OrderSpec(
    user_id="tester",
    type=OrderType.MARKET,
    side=Side.SELL,
    token_in=BY_SYMBOL["SOL"],
    token_out=BY_SYMBOL["USDC"],
    amount_in=1_500_000_000,
    slippage_bps=100,
)


def a_spec(**changes: Any) -> OrderSpec:
    """A market order that sells 1.5 SOL for USDC; ``changes`` replace fields."""
    return replace(_SPEC, **changes)
