"""Items of the other tables that version 1 of the stored form wrote: their names have not changed."""

from decimal import Decimal

import pytest

from chalicelib.domain.conditions import Launch, PriceWatch
from chalicelib.domain.failures import AttemptFailedError, FailureCode
from chalicelib.domain.rate_limit import MINUTE_MS, SlotReservation
from chalicelib.domain.swaps import Fill
from chalicelib.domain.tokens import BY_SYMBOL, Pair, Side, launched_token
from chalicelib.ports.market import MarketSnapshot, PushedPrice, WatchEntry
from chalicelib.ports.orders import IdempotencyKey
from chalicelib.ports.streams import Connection
from tests.contract.stores.conftest import DynamoStores
from tests.contract.stores.legacy_items import legacy_tables, put
from tests.support.open_orders import MINT, SOL_USDC

#: A moment after the last write to the items.
NOW = 1_767_269_516_000
ON_METEORA = Launch(
    MINT, "meteora", "poolOnMeteora", 2**40, Decimal("0.001"), Decimal("812.5"), 1_767_269_510_915, "SOL"
)
ON_RAYDIUM = Launch(
    MINT, "raydium", "poolOnRaydium", 2**40 + 9, Decimal("0.001"), Decimal(1000), 1_767_269_512_915, "SOL"
)


@pytest.fixture
def legacy(dynamo: DynamoStores) -> DynamoStores:
    """The stores, with the items of version 1 in their tables."""
    for table, items in legacy_tables().items():
        put(dynamo.aws, table, *items)
    return dynamo


def test_pushed_prices_and_launched_pools_are_read(legacy: DynamoStores) -> None:
    launched = launched_token(MINT)
    assert launched is not None
    pair = Pair(base=launched, quote=BY_SYMBOL["SOL"])
    assert legacy.markets.snapshot(SOL_USDC) == MarketSnapshot(PushedPrice(Decimal(251), 1_767_269_101_530))
    for launch in (ON_METEORA, ON_RAYDIUM):
        assert legacy.markets.snapshot(pair, launch.opened) == MarketSnapshot(None, launch)
    assert legacy.markets.is_live(MINT)


def test_launches_stay_pending_and_known(legacy: DynamoStores) -> None:
    assert legacy.markets.pending_launches() == [ON_METEORA, ON_RAYDIUM]
    assert legacy.markets.announce(ON_RAYDIUM) is False
    legacy.markets.finish_launch(ON_METEORA)
    assert legacy.markets.pending_launches() == [ON_RAYDIUM]


def test_the_watch_list_is_read(legacy: DynamoStores) -> None:
    buys = WatchEntry(PriceWatch(SOL_USDC, Side.BUY), 1_767_269_104_578)
    sells = WatchEntry(PriceWatch(SOL_USDC, Side.SELL), 1_767_268_975_004)
    assert legacy.markets.watch_entries(NOW) == [buys, sells]
    legacy.markets.unwatch(buys.watch)
    assert legacy.markets.watch_entries(NOW) == [sells]


def test_the_rate_limit_continues(legacy: DynamoStores) -> None:
    """The turn after the tenth is that of slot 2, which a high-priority order used up a moment ago."""
    slots = legacy.rate_limit_slots
    turns = [slots.reserve(NOW) for _ in range(3)]
    assert turns == [SlotReservation(0, NOW), SlotReservation(1, NOW), SlotReservation(0, NOW + MINUTE_MS)]
    ahead = slots.reserve_ahead(NOW)
    assert ahead == SlotReservation(0, NOW, ahead=True)
    assert slots.start(ahead, "order", NOW) == NOW
    assert slots.start(SlotReservation(2, NOW), "another", NOW) == 1_767_269_512_915 + MINUTE_MS


def test_a_reserved_slot_stays_reserved(legacy: DynamoStores) -> None:
    """An order that version 1 accepted starts in ten seconds in slot 0, so the next one starts a minute later."""
    [slot] = [item for item in legacy_tables()["RateLimitTable"] if item["number"]["N"] == "0" and "booked" in item]
    put(legacy.aws, "RateLimitTable", slot | {"booked": {"N": str(NOW + 10_000)}})
    assert legacy.rate_limit_slots.reserve(NOW) == SlotReservation(0, NOW + 10_000 + MINUTE_MS)


def test_connections_are_open(legacy: DynamoStores) -> None:
    assert legacy.streams.connection("socket-2") == Connection("socket-2", False, 1_800_000_000)


def test_idempotency_keys_are_taken(legacy: DynamoStores) -> None:
    for item in legacy_tables()["IdempotencyTable"]:
        key_id, expires_at = item["id"]["S"], int(item["expiresAt"]["N"])
        key = IdempotencyKey(key_id, item["bodyHash"]["S"], item["orderId"]["S"], expires_at)
        assert legacy.orders.find_key(key_id) == key


def test_signatures_keep_their_outcome(legacy: DynamoStores) -> None:
    items = {item["signature"]["S"]: item for item in legacy_tables()["LedgerTable"]}
    assert {item["state"]["S"] for item in items.values()} == {"landed", "void"}
    for signature, item in items.items():
        order_id = item["orderId"]["S"]
        fill = legacy.ledger.settle(signature, order_id, NOW)
        if item["state"]["S"] == "landed":
            amounts = int(item["amountIn"]["N"]), int(item["amountOut"]["N"])
            assert fill == Fill(signature, order_id, item["venue"]["S"], *amounts)
        else:
            assert fill is None
            with pytest.raises(AttemptFailedError) as refused:
                legacy.ledger.land(Fill(signature, order_id, "raydium", 1, 1, NOW))
            assert refused.value.code is FailureCode.TX_DROPPED
