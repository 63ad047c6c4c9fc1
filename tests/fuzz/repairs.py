"""Repairs of schema-valid requests whose fields do not agree, so that the engine accepts most of them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from chalicelib.domain.money import to_base_units
from chalicelib.domain.tokens import any_token, find_market, find_pair, find_token, launched_token, side_of
from chalicelib.simulation.launches import pool_address

Fields = dict[str, Any]

#: Base units that the simulated pools can fill.
_MAX_AMOUNT = 10**12


def repaired(fields: Fields) -> Fields:
    """The fields of a schema-valid order, quote, amendment or market event, in agreement with each other and now.

    A value that agrees already stays; another takes the place of one that does not.
    """
    found = dict(fields)
    if found.get("slippageBps") is not None:
        found.pop("slippage", None)
    if found.get("expiresAt") is not None:
        found["expiresAt"] = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    if isinstance(pair := found.get("pair"), str) and find_market(pair) is None:
        found["pair"] = "JUP/USDC"
    if isinstance(mint := found.get("mint"), str) and launched_token(mint) is None:
        found["mint"] = pool_address("fuzz", mint)
    return _with_market(found) if {"tokenIn", "tokenOut"} <= found.keys() else found


def _with_market(swap: Fields) -> Fields:
    """The swap with two tokens that have a market, and an amount of the first."""
    found = dict(swap)
    paid, bought = find_token(swap["tokenIn"]), any_token(swap["tokenOut"])
    if paid is None:
        return found
    if swap.get("type") == "sniper" and (bought is None or find_token(swap["tokenOut"])):
        # A token of the registry has a pool already.
        found["tokenIn"], found["tokenOut"], found["launch"] = "SOL", pool_address("fuzz", swap["tokenOut"]), None
    elif bought is None or bought == paid or find_pair(paid, bought) is None:
        found["tokenOut"] = "SOL" if paid.symbol == "USDC" else "USDC"
    sold, received = find_token(found["tokenIn"]), any_token(found["tokenOut"])
    pair = find_pair(sold, received) if sold and received else None
    if pair and sold and found.get("side"):
        found["side"] = side_of(pair, sold).value
    for name in ("amountIn", "amount"):
        if sold and swap.get(name) is not None and not _is_fillable(swap[name], sold.decimals):
            found[name] = "1.5"
    return found


def _is_fillable(amount: float | str, decimals: int) -> bool:
    try:
        return 0 < to_base_units(Decimal(str(amount)), decimals) < _MAX_AMOUNT
    except (ValueError, ArithmeticError):
        return False
