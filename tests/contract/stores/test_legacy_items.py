"""Orders whose items have the stored form of version 1: the store finds, reads and writes them as any other."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from chalicelib.api.meta import meta_of
from chalicelib.api.responses.records import record_of
from chalicelib.codec.exact_json import loads
from chalicelib.codec.times import from_text, to_text
from chalicelib.domain.conditions import Amendment, Launch
from chalicelib.domain.events import (
    Amended,
    AttemptStarted,
    Cancelled,
    Confirmed,
    Expired,
    LaunchRefused,
    LaunchTriggered,
    OpenTerms,
    PriceMovedAway,
    PriceTriggered,
)
from chalicelib.domain.orders import Order
from chalicelib.domain.rate_limit import SlotReservation
from chalicelib.domain.status import OrderType, Status
from chalicelib.domain.tokens import Side
from chalicelib.ports.orders import HistoryLag, Lease, LostRaceError, StoredOrder, UnreadableOrderError
from chalicelib.ports.streams import Subscriber
from orderengine.testing.fakes.clock import FakeClock
from tests.contract.stores.aws import Wire
from tests.contract.stores.conftest import DynamoStores
from tests.contract.stores.legacy_items import (
    NAMES,
    SPEC_ATTRIBUTES,
    LegacyOrder,
    event_texts,
    legacy_order,
    number,
    put,
    put_orders,
    raw_item,
)
from tests.support.open_orders import MINT, SOL_USDC, a_limit, a_sniper
from tests.support.order_builders import opened, routed

LATER = datetime(2026, 1, 1, 13, 0, tzinfo=UTC)
LAUNCH = Launch(MINT, "raydium", "pool", 2**41, Decimal("0.001"), Decimal(1000), 1_767_272_400_000, "SOL")
OTHER_MINT = "9xKXtg2CW87d97TXJSDpbD5jBkheTqA83TZRuJosgAsU"
#: An item per order, for every kind of order.
ONE_EACH = [
    "limit_cancelled",
    "limit_missed",
    "limit_open_buy",
    "market_failed",
    "market_high_priority",
    "market_retrying",
    "market_unrecorded",
    "sniper_open_any_venue",
    "sniper_refused",
]
ALL_DUE_MS = 10**13


def stored(stores: DynamoStores, order_id: str) -> StoredOrder:
    found = stores.orders.get(order_id)
    assert found is not None
    return found


def put_one(stores: DynamoStores, name: str) -> LegacyOrder:
    [order] = put_orders(stores.aws, name)
    return order


# --- reading ------------------------------------------------------------------------------------------------


def test_the_items_cover_every_status() -> None:
    statuses = {event["status"] for name in NAMES for event in legacy_order(name).events}
    assert statuses == {status.value for status in Status}


@pytest.mark.parametrize("name", NAMES)
def test_a_legacy_order_has_the_public_record_that_it_had(dynamo: DynamoStores, name: str) -> None:
    legacy = put_one(dynamo, name)
    assert record_of(stored(dynamo, legacy.order_id).order) == legacy.record


@pytest.mark.parametrize("name", NAMES)
def test_a_legacy_order_has_the_public_events_that_it_had(dynamo: DynamoStores, name: str) -> None:
    legacy = put_one(dynamo, name)
    order = stored(dynamo, legacy.order_id).order
    assert [
        {
            "seq": event.seq,
            "status": event.status.value,
            "attempt": event.attempt,
            "at": to_text(event.at),
            "meta": meta_of(order.spec, event),
        }
        for event in order.events
    ] == legacy.events


@pytest.mark.parametrize("name", NAMES)
def test_a_legacy_order_keeps_its_lease_deadline_reservation_and_subscribers(dynamo: DynamoStores, name: str) -> None:
    legacy = put_one(dynamo, name)
    item, found = legacy.item, stored(dynamo, legacy.order_id)
    lease = Lease(item["leaseOwner"]["S"], number(item, "leaseUntil") or 0) if "leaseOwner" in item else None
    connections = [text.removeprefix("of:") for text in item.get("subscribers", {"SS": []})["SS"]]
    slot, at_ms = number(item, "startSlot"), number(item, "startsAt")
    assert found == StoredOrder(
        order=found.order,
        subscribers=frozenset(map(Subscriber, connections)),
        published=number(item, "published") or 0,
        lease=lease,
        deadline_ms=number(item, "attentionAt"),
        reservation=None if slot is None else SlotReservation(slot, at_ms or 0, item["startAhead"]["BOOL"]),
    )


def test_an_amended_legacy_order_is_at_each_seq_as_it_was_then(dynamo: DynamoStores) -> None:
    moments = [legacy_order(name) for name in ("limit_amended", "limit_triggered", "limit_missed")]
    last = put_one(dynamo, "limit_confirmed")
    order = stored(dynamo, last.order_id).order
    for moment in moments:
        assert moment.order_id == last.order_id
        assert record_of(order.at_seq(len(moment.events))) == moment.record
    before = record_of(order.at_seq(2))
    assert (before["limitPrice"], before["timeInForce"]) == (Decimal("160.5"), "GTC")
    assert before["expiresAt"] == last.events[1]["meta"]["expiresAt"]


def test_the_items_have_every_kind_of_engine_data(dynamo: DynamoStores) -> None:
    """Guards the test above: each field of it occurs in an item."""
    found = [stored(dynamo, put_one(dynamo, name).order_id) for name in NAMES]
    assert any(one.lease for one in found)
    assert any(one.deadline_ms for one in found)
    assert any(one.subscribers for one in found)
    assert {one.reservation.ahead for one in found if one.reservation} == {False, True}


@pytest.mark.parametrize("missing", ["tokenIn", "amountIn", "type"])
def test_a_legacy_item_without_a_required_field_is_unreadable(dynamo: DynamoStores, missing: str) -> None:
    broken, behind = legacy_order("limit_open"), opened(a_limit("170"))
    put(dynamo.aws, "OrdersTable", {name: value for name, value in broken.item.items() if name != missing})
    dynamo.orders.create(behind, ALL_DUE_MS)
    with pytest.raises(UnreadableOrderError):
        dynamo.orders.get(broken.order_id)
    found = dynamo.open_order_index.crossed(SOL_USDC, Side.SELL, Decimal(200))
    assert [one.order.order_id for one in found] == [behind.order_id]


# --- the indexes --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "side", "crossing", "short"),
    [
        ("limit_open", Side.SELL, "160.5", "160.499999999999999999"),
        ("limit_amended", Side.SELL, "170.000000000000000001", "170"),
        ("limit_missed", Side.SELL, "170.000000000000000001", "170"),
        ("limit_open_buy", Side.BUY, "20.25", "20.250000000000000001"),
    ],
)
def test_a_price_crosses_a_legacy_limit_order(
    dynamo: DynamoStores, name: str, side: Side, crossing: str, short: str
) -> None:
    legacy, index = put_one(dynamo, name), dynamo.open_order_index
    assert list(index.crossed(SOL_USDC, side, Decimal(crossing))) == [stored(dynamo, legacy.order_id)]
    assert list(index.crossed(SOL_USDC, side, Decimal(short))) == []


@pytest.mark.parametrize(
    ("name", "mint"), [("sniper_open", MINT), ("sniper_refused", MINT), ("sniper_open_any_venue", OTHER_MINT)]
)
def test_a_launch_finds_a_legacy_sniper_order(dynamo: DynamoStores, name: str, mint: str) -> None:
    legacy = put_one(dynamo, name)
    assert list(dynamo.open_order_index.for_launch(mint)) == [stored(dynamo, legacy.order_id)]


def test_legacy_and_new_orders_share_the_index_of_open_orders(dynamo: DynamoStores) -> None:
    legacy_limit, legacy_sniper = put_orders(dynamo.aws, "limit_open", "sniper_open")
    lower, higher = (opened(a_limit(price, user_id="alice")) for price in ("160.4", "160.6"))
    sniper = opened(a_sniper(), LATER)
    for order in (higher, sniper, lower):
        dynamo.orders.create(order, ALL_DUE_MS)
    crossed = dynamo.open_order_index.crossed(SOL_USDC, Side.SELL, Decimal(200))
    assert [one.order.order_id for one in crossed] == [lower.order_id, legacy_limit.order_id, higher.order_id]
    found = dynamo.open_order_index.for_launch(MINT)
    assert [one.order.order_id for one in found] == [legacy_sniper.order_id, sniper.order_id]


def test_orders_that_are_not_open_are_not_in_the_index_of_open_orders(dynamo: DynamoStores) -> None:
    put_orders(dynamo.aws, "limit_triggered", "limit_cancelled", "sniper_triggered", "market_pending")
    index = dynamo.open_order_index
    assert list(index.crossed(SOL_USDC, Side.SELL, Decimal(10_000))) == list(index.for_launch(MINT)) == []


def test_overdue_legacy_orders_are_found_by_their_deadline(dynamo: DynamoStores) -> None:
    legacy = dict(zip(ONE_EACH, put_orders(dynamo.aws, *ONE_EACH), strict=True))
    kinds = [
        ["market_high_priority", "market_retrying"],
        ["limit_open_buy", "limit_missed", "sniper_refused", "sniper_open_any_venue"],
        ["market_unrecorded", "limit_cancelled"],
    ]

    def deadline(name: str) -> int:
        return number(legacy[name].item, "attentionAt") or 0

    by_deadline = [sorted(kind, key=deadline) for kind in kinds]
    assert dynamo.orders.due(ALL_DUE_MS, 10) == [legacy[name].order_id for kind in by_deadline for name in kind]
    assert dynamo.orders.due_open(ALL_DUE_MS, 10) == [legacy[name].order_id for name in by_deadline[1]]
    first = min(map(deadline, by_deadline[1]))
    assert dynamo.orders.due_open(first - 1, 10) == []
    assert dynamo.orders.due_open(first, 10) == [legacy[by_deadline[1][0]].order_id]


def test_the_unfinished_legacy_orders_of_a_user_are_listed_and_counted(dynamo: DynamoStores) -> None:
    legacy = dict(zip(ONE_EACH, put_orders(dynamo.aws, *ONE_EACH), strict=True))
    listed = ["market_retrying", "limit_missed", "limit_open_buy", "sniper_refused"]
    assert dynamo.orders.unfinished_of("alice") == [legacy[name].order_id for name in listed]
    assert (dynamo.orders.count_open("alice", 10), dynamo.orders.count_active("alice", 10)) == (3, 1)
    assert (dynamo.orders.count_open("frank", 10), dynamo.orders.count_active("carol", 10)) == (1, 1)


def test_legacy_orders_that_the_history_lacks_are_counted(dynamo: DynamoStores) -> None:
    put_orders(dynamo.aws, *ONE_EACH)
    oldest = from_text(legacy_order("market_unrecorded").record["createdAt"])
    assert dynamo.orders.history_lag(10) == HistoryLag(2, oldest)


# --- writing ------------------------------------------------------------------------------------------------


def cancel(order: Order) -> Order:
    return order.after(Cancelled(), LATER)


def trigger(order: Order) -> Order:
    return order.after(PriceTriggered("meteora", Decimal("170.25")), LATER)


def trigger_by_launch(order: Order) -> Order:
    return order.after(LaunchTriggered(LAUNCH), LATER)


def refuse(order: Order) -> Order:
    return order.after(LaunchRefused(LAUNCH, "the pool is too small for this amount"), LATER)


def amend(order: Order) -> Order:
    return order.after(Amended(OpenTerms(Decimal("165.5")), Amendment(limit_price=Decimal("165.5"))), LATER)


def miss(order: Order) -> Order:
    began = order.after(AttemptStarted(), LATER, next_attempt=True)
    return began.after(PriceMovedAway("the price moved away", 1), LATER)


def confirm(order: Order) -> Order:
    return order.after(Confirmed("raydium", order.tx_hash or "", 151_000_000, Decimal("100.66")), LATER)


def expire(order: Order) -> Order:
    return order.after(Expired(), LATER)


STEPS: list[tuple[str, Callable[[Order], Order]]] = [
    ("market_pending", cancel),
    ("market_pending", routed),
    ("market_retrying", routed),
    ("market_submitted", confirm),
    ("limit_open", trigger),
    ("limit_open", cancel),
    ("limit_open", amend),
    ("limit_open_buy", expire),
    ("limit_amended", trigger),
    ("limit_amended", amend),
    ("limit_missed", trigger),
    ("limit_triggered", miss),
    ("sniper_open", trigger_by_launch),
    ("sniper_open", refuse),
    ("sniper_refused", trigger_by_launch),
    ("sniper_refused", cancel),
]


@pytest.fixture
def clock() -> FakeClock:
    """The leases of the items have expired."""
    clock = FakeClock()
    clock.sleep((LATER - clock.now()).total_seconds())
    return clock


@pytest.mark.parametrize(("name", "step"), STEPS)
def test_a_write_appends_events_of_the_new_version_to_a_legacy_item(
    dynamo: DynamoStores, name: str, step: Callable[[Order], Order]
) -> None:
    legacy = put_one(dynamo, name)
    before = stored(dynamo, legacy.order_id)
    after = step(before.order)
    written = dynamo.orders.write(before, after, lease=None, deadline_ms=5_000)
    assert written == stored(dynamo, legacy.order_id) == replace(before, order=after, lease=None, deadline_ms=5_000)
    item = raw_item(dynamo.aws, legacy.order_id)
    old, new = event_texts(item)[: len(legacy.events)], event_texts(item)[len(legacy.events) :]
    assert old == event_texts(legacy.item), "a write never rewrites the events of version 1"
    assert [loads(text)["v"] for text in new] == [2] * (after.seq - before.order.seq)
    assert "spec" not in item
    assert _spec_attributes(item) == _spec_attributes(legacy.item)


def test_a_legacy_item_accepts_a_sequence_of_writes(dynamo: DynamoStores) -> None:
    legacy = put_one(dynamo, "limit_open")
    found = stored(dynamo, legacy.order_id)
    for number_, step in enumerate([amend, trigger, miss, amend, trigger, routed]):
        lease = Lease("worker", 10**13) if step is routed else None
        found = dynamo.orders.write(found, step(found.order), lease=lease, deadline_ms=1_000 + number_)
        assert found == stored(dynamo, legacy.order_id)
        indexed = list(dynamo.open_order_index.crossed(SOL_USDC, Side.SELL, Decimal("165.5")))
        assert indexed == ([found] if found.order.status is Status.OPEN else [])
        counts = dynamo.orders.count_open("alice", 9), dynamo.orders.count_active("alice", 9)
        assert counts == ((1, 0) if found.order.status is Status.OPEN else (0, 1))
        assert dynamo.orders.due(ALL_DUE_MS, 9) == [legacy.order_id]
    assert found.order.quotes is not None
    assert record_of(found.order)["limitPrice"] == Decimal("165.5")


def test_a_terminal_write_moves_a_legacy_order_to_the_history_lag(dynamo: DynamoStores) -> None:
    legacy = put_one(dynamo, "sniper_open")
    before = stored(dynamo, legacy.order_id)
    dynamo.orders.write(before, cancel(before.order), lease=None, deadline_ms=1_000)
    assert dynamo.orders.unfinished_of("alice") == []
    assert list(dynamo.open_order_index.for_launch(MINT)) == []
    assert dynamo.orders.history_lag(10) == HistoryLag(1, from_text(legacy.record["createdAt"]))
    dynamo.orders.set_deadline(stored(dynamo, legacy.order_id), None)
    assert dynamo.orders.history_lag(10) == HistoryLag()


def test_subscribers_join_and_leave_a_legacy_order(dynamo: DynamoStores) -> None:
    legacy = put_one(dynamo, "limit_open")
    order_id, new, old = legacy.order_id, Subscriber("new", coarse=True), Subscriber("socket-2")
    assert not dynamo.orders.join(order_id, [new], 1)
    assert dynamo.orders.join(order_id, [new], 2)
    assert stored(dynamo, order_id).subscribers == {new, old}
    dynamo.orders.leave(order_id, [old])
    assert stored(dynamo, order_id).subscribers == {new}


def test_a_write_to_a_legacy_item_whose_answer_is_lost_succeeds(dynamo: DynamoStores, wire: Wire) -> None:
    before = stored(dynamo, put_one(dynamo, "limit_open").order_id)
    wire.lose_answer_to.append("UpdateItem")
    after = trigger(before.order)
    won = dynamo.orders.write(before, after, lease=None, deadline_ms=1_000)
    assert wire.calls.count("UpdateItem") == 2
    assert won == replace(before, order=after, deadline_ms=1_000)


def test_the_lease_of_a_legacy_order_excludes_other_workers_until_it_expires(
    dynamo: DynamoStores, clock: FakeClock
) -> None:
    legacy = legacy_order("market_submitted")
    put(dynamo.aws, "OrdersTable", legacy.item | {"leaseUntil": {"N": str(clock.now_ms())}})
    before, lease = stored(dynamo, legacy.order_id), Lease("another", clock.now_ms() + 15_000)
    with pytest.raises(LostRaceError):
        dynamo.orders.write(before, before.order, lease=lease, deadline_ms=None)
    clock.sleep(timedelta(milliseconds=1).total_seconds())
    assert dynamo.orders.write(before, before.order, lease=lease, deadline_ms=None).lease == lease


# --- names --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_the_new_form_differs_from_the_legacy_form_in_specification_events_and_the_keys_of_ended_orders(
    dynamo: DynamoStores, name: str
) -> None:
    """The names and values of all other attributes, and so of all index keys, are the same."""
    legacy = put_one(dynamo, name)
    found = stored(dynamo, legacy.order_id)
    dynamo.aws.start_over()
    made = dynamo.orders.create(found.order, 1_000, found.subscribers, reservation=found.reservation)
    made = replace(made, published=found.published)
    dynamo.orders.write(made, made.order, lease=found.lease, deadline_ms=found.deadline_ms)
    assert stored(dynamo, legacy.order_id) == found
    item = raw_item(dynamo.aws, legacy.order_id)
    assert set(item) - set(legacy.item) == {"spec", *_new_index_keys(found), *_amount_of_limit_orders(found)}
    assert set(legacy.item) - set(item) == (SPEC_ATTRIBUTES - {"userId"}) & set(legacy.item)
    shared = set(item) & set(legacy.item) - {"events"}
    assert {key: item[key] for key in shared} == {key: legacy.item[key] for key in shared}


def _new_index_keys(found: StoredOrder) -> set[str]:
    """The index keys of a terminal order for the list of orders and for the streams of users."""
    if not found.order.is_terminal:
        return set()
    return {"endedAt", *({"attentionAt", "attentionShard"} if found.deadline_ms is None else {"openUserId"})}


def _amount_of_limit_orders(found: StoredOrder) -> set[str]:
    return {"waitsAmount"} if found.order.spec.type is OrderType.LIMIT else set()


def _spec_attributes(item: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in item.items() if name in SPEC_ATTRIBUTES}
