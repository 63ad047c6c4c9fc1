"""Market data in DynamoDB: pushed prices, launches and the watch list, as small items by subject."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from pynamodb.exceptions import TransactWriteError

from chalicelib.codec.watches import watch_from_key, watch_to_key
from chalicelib.domain.conditions import Launch, LaunchedPool, Watch
from chalicelib.domain.errors import ContendedError
from chalicelib.domain.tokens import BY_MINT, Pair
from chalicelib.ports.market import MarketHistory, MarketSnapshot, PushedPrice, WatchEntry
from chalicelib.settings import Settings
from chalicelib.stores.conditions import condition_failed, delete_if, save_together, update_if
from chalicelib.stores.connection import SharedConnection, bound
from chalicelib.stores.models import MarketItem
from chalicelib.stores.price_history import next_replaced, pushed_price, replace_price, replaced_between

_PENDING = "releasing"
_WATCHED = "watched"
#: Of pushes at the same moment, one succeeds at a time.
_MAX_PUSHES = 20


class DynamoMarketStore:
    """``MarketStore`` on DynamoDB. The port states what each call promises."""

    def __init__(self, connection: SharedConnection, settings: Settings) -> None:
        self._connection = connection
        self._item = bound(MarketItem, settings.market_table, connection)

    def snapshot(self, pair: Pair, pool: LaunchedPool | None = None) -> MarketSnapshot:
        return MarketSnapshot(self._price_of(pair), self._launch_of(pair, pool) if pool else None)

    def _price_of(self, pair: Pair) -> PushedPrice | None:
        prices = self._item.query(
            _subject(pair), self._item.item == f"price#{pair.quote.symbol}", consistent_read=True
        )
        return next(map(pushed_price, prices), None)

    def _launch_of(self, pair: Pair, pool: LaunchedPool) -> Launch | None:
        items = self._item.item.startswith(f"pool#{pool.address}#{pool.venue}#")
        rows = _launches(self._item.query(_subject(pair), items, consistent_read=True))
        found = {launch.quote: launch for launch in rows if launch.opened == pool}
        # A launch against this quote token replaces one against any.
        return found.get(pair.quote.symbol) or found.get(None)

    def push_price(self, pair: Pair, price: PushedPrice) -> None:
        for _ in range(_MAX_PUSHES):
            before = self._price_of(pair)
            following, subject, quote = price.following(before), _subject(pair), pair.quote.symbol
            if not following or replace_price(self._connection, self._item, subject, quote, before, following):
                return
        raise ContendedError(f"the price of {pair.name} is contended")

    def history(self, pair: Pair, since_ms: int, until_ms: int, pool: LaunchedPool | None = None) -> MarketHistory:
        model, subject, quote = self._item, _subject(pair), pair.quote.symbol
        # A push between these reads moves the current price to the history, so the current price is read first.
        current = self._price_of(pair)
        last = next_replaced(model, subject, quote, until_ms) or current
        replaced = replaced_between(model, subject, quote, since_ms, until_ms)
        return MarketHistory.of(last, replaced, self._launches_of(pair, pool) if pool else ())

    def _launches_of(self, pair: Pair, pool: LaunchedPool) -> Iterable[Launch]:
        """Every launch of the pool that a swap against this quote token may have met."""
        rows = self._item.query(_subject(pair), self._item.item.startswith(f"launch#{pool.address}#"))
        return (one for one in _launches(rows) if one.opened == pool and one.quote in (None, pair.quote.symbol))

    def announce(self, launch: Launch) -> bool:
        fields: dict[str, Any] = asdict(launch)
        fields["at"] = fields.pop("at_ms")
        new = self._item(launch.mint, f"launch#{launch.pool}#{launch.slot}", **fields)
        try:
            save_together(
                self._connection,
                [
                    (new, self._item.item.does_not_exist()),
                    (self._item(launch.mint, f"pool#{launch.pool}#{launch.venue}#{launch.quote}", **fields), None),
                    (self._item(_PENDING, launch.id, **fields), None),
                ],
            )
        except TransactWriteError as error:
            if not condition_failed(error):
                raise
            return False
        return True

    def pending_launches(self) -> list[Launch]:
        return list(_launches(self._item.query(_PENDING, consistent_read=True)))

    def finish_launch(self, launch: Launch) -> None:
        self._item(_PENDING, launch.id).delete()

    def is_live(self, mint: str) -> bool:
        pools = self._item.query(mint, self._item.item.startswith("pool#"), consistent_read=True, limit=1)
        return next(pools, None) is not None

    def watch(self, watch: Watch, now_ms: int, until_ms: int) -> None:
        model = self._item
        since = model.at.set(model.at | now_ms)
        later = model.until.does_not_exist() | (model.until < until_ms)
        update_if(model(_WATCHED, watch_to_key(watch)), [model.until.set(until_ms), since], later)

    def watch_entries(self, now_ms: int) -> list[WatchEntry]:
        entries = []
        for row in self._item.query(_WATCHED, consistent_read=True):
            if int(row.until or 0) < now_ms:
                # Every order that waited for it is terminal, unless a new one has extended the entry since the read.
                delete_if(row, self._item.until == row.until)
            elif watch := watch_from_key(row.item):
                entries.append(WatchEntry(watch, int(row.at or 0)))
        return entries

    def unwatch(self, watch: Watch) -> None:
        self._item(_WATCHED, watch_to_key(watch)).delete()


def _subject(pair: Pair) -> str:
    return pair.name if pair.base.mint in BY_MINT else pair.base.mint


def _launches(rows: Iterable[MarketItem]) -> Iterable[Launch]:
    for row in rows:
        if row.mint and row.venue and row.pool and row.price is not None and row.liquidity is not None:
            yield Launch(
                mint=row.mint,
                venue=row.venue,
                pool=row.pool,
                slot=int(row.slot or 0),
                price=row.price,
                liquidity=row.liquidity,
                at_ms=int(row.at or 0),
                quote=row.quote,
            )
