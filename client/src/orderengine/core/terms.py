"""The terms of an order, an amendment, a list or a market event: as arguments of the client, and as its requests.

The clients take them as ``**terms: Unpack[...]`` of the classes below, so that an editor knows each argument.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Required, TypedDict

from orderengine.amounts import Amount, exact, shown
from orderengine.errors import InvalidArgument
from orderengine.models.reading import camel
from orderengine.times import Duration, Time, duration, time_text


class LaunchTerms(TypedDict, total=False):
    """The launch that a sniper order waits for."""

    mint: str | None  # the token's address, unless token_out is it
    venue: str | None  # "raydium" or "meteora"; any if none is given
    min_liquidity: Amount | None  # least liquidity of the pool, in human units of the token paid
    max_price: Amount | None  # highest price of the pool, in the token paid per token received


class AmendTerms(TypedDict, total=False):
    """The changes of an amendment."""

    limit_price: Amount | None  # quote per base: USDC per SOL
    slippage: Amount | None  # percent, from 0 to 50
    slippage_bps: Amount | None  # the same in basis points: 50 is 0.5 %
    expires_at: Time | None  # a datetime with a time zone, or RFC 3339 text
    expires_in: Duration | None  # "30m", "1h30m", seconds or a timedelta, from now by the engine's clock


class OrderTerms(AmendTerms, total=False):
    """The terms of an order beside its tokens and amount."""

    user: str | None  # whose order it is; the client's user if none is given, else the credential's
    type: str | None  # "market", "limit" or "sniper"; follows from limit_price or launch if none is given
    side: str | None  # "buy" or "sell", which follows from the tokens: given, the engine checks it
    launch: LaunchTerms | None
    time_in_force: str | None  # "GTC", "GTD" or "IOC"
    priority: str | None  # "normal" or "high"
    client_order_id: str | None  # an id of your own, to find the order by; at most 255 characters
    simulate: str | None  # a fault for the simulated venues to play, such as "tx_dropped:2"


class ListFilters(TypedDict, total=False):
    """The filters of a list of orders. An order has to pass them all."""

    user: str | None  # the client's user if none is given
    status: str | None
    type: str | None  # "market", "limit" or "sniper"
    pair: str | None  # base/quote, such as "SOL/USDC"
    client_order_id: str | None
    since: Time | None  # accepted at this time or later
    until: Time | None  # accepted before this time
    updated_since: Time | None  # changed at this time or later


class PoolTerms(TypedDict, total=False):
    """A launched pool."""

    venue: Required[str]  # "raydium" or "meteora"
    price: Amount | None  # quote per token of the mint
    liquidity: Amount | None  # of the quote token, in human units
    quote: str | None  # the quote token; price and liquidity apply to any if none is given
    pool: str | None  # the address of the pool
    slot: int | None


_WRITERS: Mapping[str, Callable[[str, Any], Any]] = {
    "amount": exact,
    "slippage": exact,
    "slippage_bps": exact,
    "limit_price": exact,
    "price": exact,
    "liquidity": exact,
    "min_liquidity": exact,
    "max_price": exact,
    "expires_at": time_text,
    "since": time_text,
    "until": time_text,
    "updated_since": time_text,
    "launch": lambda name, value: _written(LaunchTerms, value),
}
_WIRE_NAMES = {"amount": "amountIn", "user": "userId", "since": "from", "until": "to"}


def order_terms(
    token_in: str, token_out: str, amount: Amount, terms: Mapping[str, Any], now: datetime
) -> dict[str, Any]:
    """The terms of an order as JSON: exact text, a fixed expiry, and the type. ``now`` is the engine's time.

    :raises UsageError: for an argument that no order can have.
    """
    written = _written(OrderTerms, _with_expiry(terms, now))
    if "limit_price" in written and "launch" in written:
        raise InvalidArgument("an order has a limit_price or a launch, not both")
    if "type" not in written and ("limit_price" in written or "launch" in written):
        written["type"] = "limit" if "limit_price" in written else "sniper"
    return {"token_in": token_in, "token_out": token_out, "amount": exact("amount", amount), **written}


def amendment_terms(changes: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """:raises UsageError: for an argument that no amendment can have, or without any."""
    written = _written(AmendTerms, _with_expiry(changes, now))
    if not written:
        raise InvalidArgument("an amendment needs a limit_price, slippage, slippage_bps, expires_at or expires_in")
    return written


def list_filters(filters: Mapping[str, Any]) -> dict[str, Any]:
    return _written(ListFilters, filters)


def pool_terms(terms: Mapping[str, Any]) -> dict[str, Any]:
    return _written(PoolTerms, terms)


def wire(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Fields under the names of the contract."""
    return {
        _WIRE_NAMES.get(name, camel(name)): wire(value) if isinstance(value, dict) else value
        for name, value in fields.items()
    }


def _written(kind: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that are given, as JSON.

    :raises InvalidArgument: for a name that the kind does not have.
    """
    known = ", ".join(kind.__annotations__)
    if not isinstance(given, Mapping):
        raise InvalidArgument(f"{shown(given)} is no {kind.__name__}: it has {known}")
    if unknown := sorted(set(given) - set(kind.__annotations__)):
        raise InvalidArgument(f"there is no argument {', '.join(unknown)}: {kind.__name__} has {known}")
    present = {name: value for name, value in given.items() if value is not None}
    return {name: _WRITERS[name](name, value) if name in _WRITERS else value for name, value in present.items()}


def _with_expiry(terms: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """The terms with an absolute expiry, fixed once so that each repeat of a request has the same.

    :raises InvalidArgument: if both forms are given.
    """
    rest = {name: value for name, value in terms.items() if name != "expires_in"}
    expires_in: Duration | None = terms.get("expires_in")
    if expires_in is None:
        return rest
    if rest.get("expires_at") is not None:
        raise InvalidArgument("give expires_at or expires_in, not both")
    return {**rest, "expires_at": _later(now, duration("expires_in", expires_in))}


def _later(now: datetime, by: timedelta) -> datetime:
    try:
        return now + by
    except OverflowError:
        raise InvalidArgument(f"expires_in of {by} ends after the year 9999") from None
