"""Market data in DynamoDB: pushed prices, launches and the watch list, as small items by subject."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from pynamodb.exceptions import TransactWriteError

from chalicelib.codec.watches import watch_from_key, watch_to_key
from chalicelib.domain.conditions import Launch, LaunchedPool, Watch
from chalicelib.domain.tokens import BY_MINT, Pair
from chalicelib.ports.market import MarketSnapshot, PushedPrice, WatchEntry
from chalicelib.settings import Settings
from chalicelib.stores.conditions import condition_failed, delete_if, save_together, update_if
from chalicelib.stores.connection import SharedConnection, bound
from chalicelib.stores.models import MarketItem

_PENDING = "releasing"
_WATCHED = "watched"


class DynamoMarketStore:
    """``MarketStore`` on DynamoDB. The port states what each call promises."""

    def __init__(self, connection: SharedConnection, settings: Settings) -> None:
        self._connection = connection
        self._item = bound(MarketItem, settings.market_table, connection)

    def snapshot(self, pair: Pair, pool: LaunchedPool | None = None) -> MarketSnapshot:
        prices = self._item.query(
            _subject(pair), self._item.item == f"price#{pair.quote.symbol}", consistent_read=True
        )
        price = next((PushedPrice(row.price, int(row.at or 0)) for row in prices if row.price is not None), None)
        return MarketSnapshot(price, self._launch_of(pair, pool) if pool else None)

    def _launch_of(self, pair: Pair, pool: LaunchedPool) -> Launch | None:
        items = self._item.item.startswith(f"pool#{pool.address}#{pool.venue}#")
        rows = _launches(self._item.query(_subject(pair), items, consistent_read=True))
        found = {launch.quote: launch for launch in rows if launch.opened == pool}
        # A launch against this quote token replaces one against any.
        return found.get(pair.quote.symbol) or found.get(None)

    def push_price(self, pair: Pair, price: PushedPrice) -> None:
        item = self._item(_subject(pair), f"price#{pair.quote.symbol}")
        # The later of two concurrent pushes stays.
        newer = self._item.at.does_not_exist() | (self._item.at <= price.at_ms)
        update_if(item, [self._item.price.set(price.price), self._item.at.set(price.at_ms)], newer)

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
