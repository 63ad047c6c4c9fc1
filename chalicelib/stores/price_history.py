"""Replaced prices in DynamoDB, in a partition of their own: reading many of them slows no quote.

Their sort key is the moment of the replacement, padded so that they sort by time.
"""

from collections.abc import Iterator

from pynamodb.exceptions import TransactWriteError

from chalicelib.ports.market import MAX_PAST_PRICES, PRICE_HISTORY_DAYS, PushedPrice, ReplacedPrice
from chalicelib.stores.conditions import condition_failed, save_together
from chalicelib.stores.connection import SharedConnection
from chalicelib.stores.models import MarketItem

#: Digits of a moment in milliseconds since the epoch, up to the year 2286.
_DIGITS = 13
_HISTORY_SECONDS = PRICE_HISTORY_DAYS * 86_400


def pushed_price(row: MarketItem) -> PushedPrice | None:
    """The price of an item, if it has one."""
    if row.price is None:
        return None
    return PushedPrice(row.price, int(row.at or 0), None if row.pushed is None else int(row.pushed))


def replace_price(
    connection: SharedConnection,
    model: type[MarketItem],
    subject: str,
    quote: str,
    before: PushedPrice | None,
    price: PushedPrice,
) -> bool:
    """Store a price and the one before it in one transaction; False if another writer has replaced that one."""
    current = model(subject, f"price#{quote}", price=price.price, at=price.at_ms, pushed=price.pushed_ms)
    replaced = model(
        _partition(subject, quote),
        _key(price.at_ms),
        price=before and before.price,
        at=before and before.at_ms,
        pushed=before and before.pushed_ms,
        expires_at=price.at_ms // 1000 + _HISTORY_SECONDS,
    )
    is_same = model.at == before.at_ms if before else model.item.does_not_exist()
    try:
        save_together(connection, [(current, is_same), (replaced, None)])
    except TransactWriteError as error:
        if not condition_failed(error):
            raise
        return False
    return True


def replaced_between(
    model: type[MarketItem], subject: str, quote: str, since_ms: int, until_ms: int
) -> Iterator[ReplacedPrice]:
    """The prices that were replaced after a moment and up to another, the latest first.

    The read is eventually consistent. Where it lacks a price, ``MarketHistory`` notices the gap.
    """
    within = model.item.between(_key(since_ms + 1), _key(until_ms))
    if since_ms < until_ms:
        rows = model.query(_partition(subject, quote), within, scan_index_forward=False, limit=MAX_PAST_PRICES)
        yield from map(_replaced, rows)


def next_replaced(model: type[MarketItem], subject: str, quote: str, after_ms: int) -> ReplacedPrice | None:
    """The first price that was replaced after a moment."""
    later = model.item > _key(after_ms)
    rows = model.query(_partition(subject, quote), later, consistent_read=True, limit=1)
    return next(map(_replaced, rows), None)


def _partition(subject: str, quote: str) -> str:
    return f"replaced#{subject}#{quote}"


def _key(replaced_at_ms: int) -> str:
    return f"{replaced_at_ms:0{_DIGITS}d}"


def _replaced(row: MarketItem) -> ReplacedPrice:
    return ReplacedPrice(pushed_price(row), int(row.item))
