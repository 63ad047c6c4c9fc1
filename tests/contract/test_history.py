"""What every ``History`` promises, on the fake and on PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from chalicelib.api.responses.records import record_of
from chalicelib.codec.exact_json import dumps
from chalicelib.domain.conditions import TimeInForce
from chalicelib.domain.orders import Order
from chalicelib.domain.status import OrderType, Status
from chalicelib.domain.tokens import Side
from chalicelib.history import cursors
from chalicelib.ports.history import History, HistoryUnavailableError, OrderFilter, Page
from tests.contract.conftest import KeptHistory
from tests.fakes.history import FakeHistory
from tests.support.open_orders import a_limit, a_sniper
from tests.support.order_builders import (
    NOON,
    amended,
    cancelled,
    confirmed,
    failed,
    missed,
    opened,
    pending,
    quote,
    retried,
    routed,
    triggered,
)

MS = timedelta(milliseconds=1)
ALL = OrderFilter()
#: The same in every process that lists the tests: pytest-xdist compares their names.
SOME_ORDER = "0b9f2a4e-6f0d-4c7a-9a55-3c1f6a1f2b3c"


def ids(page: Page) -> list[str]:
    return [record["orderId"] for record in page.orders]


def record_all(history: History, orders: list[Order]) -> None:
    for order in orders:
        history.record(order)


@pytest.mark.parametrize(
    "order",
    [
        pytest.param(pending(), id="pending"),
        pytest.param(pending(client_order_id="a-1"), id="client order id"),
        pytest.param(
            routed(pending(), rQuote=None, degraded=True, errors={"raydium": {"code": "X"}}), id="one quote"
        ),
        pytest.param(confirmed(pending(), NOON + timedelta(seconds=3)), id="confirmed"),
        pytest.param(confirmed(retried(routed(pending()))), id="confirmed at the second attempt"),
        pytest.param(confirmed(pending(token_in="USDC", token_out="SOL", side=Side.BUY)), id="bought"),
        pytest.param(failed(pending()), id="failed"),
        pytest.param(cancelled(pending()), id="cancelled"),
        pytest.param(opened(a_limit("101.123456789012345678")), id="open"),
        pytest.param(
            opened(
                a_limit("0.000000000000123456", Side.BUY, time_in_force=TimeInForce.GTD, expires_at=NOON + 7 * MS)
            ),
            id="open to a date",
        ),
        pytest.param(amended(opened(a_limit(100)), "150.5"), id="amended"),
        pytest.param(missed(opened(a_limit(100))), id="waits again"),
        pytest.param(confirmed(triggered(missed(opened(a_limit(100))))), id="limit filled"),
        pytest.param(opened(a_sniper()), id="sniper"),
        pytest.param(
            opened(
                a_sniper(venue="meteora", min_liquidity=Decimal("50.000000001"), max_price=Decimal("0.00000000123"))
            ).moved(Status.OPEN, NOON, {"reason": "launched on raydium", "launchId": "a#b#1", "slot": 2**53}),
            id="sniper that was refused a launch",
        ),
        pytest.param(
            opened(a_limit(100, time_in_force=TimeInForce.IOC)).moved(Status.EXPIRED, NOON, {"reason": "too dear"}),
            id="immediate and expired",
        ),
    ],
)
def test_an_order_is_listed_as_its_record(kept: KeptHistory, order: Order) -> None:
    kept.history.record(order)
    [listed] = kept.history.page(ALL, 10, None).orders
    assert listed == record_of(order)
    assert not [value for value in numbers_in(listed) if isinstance(value, float)]
    assert dumps(sorted_deep(listed)) == dumps(sorted_deep(record_of(order)))
    assert kept.events(order.order_id) == [(e.seq, e.status.value, e.attempt, e.at, e.meta) for e in order.events]


def test_an_open_order_is_listed_with_its_terms_as_they_are(kept: KeptHistory) -> None:
    order = opened(a_limit(100))
    seen = []
    for moved in (order, amended(order, "150.5"), triggered(amended(order, "150.5"))):
        kept.history.record(moved)
        [listed] = kept.history.page(OrderFilter(status=moved.current_status.value), 10, None).orders
        seen.append((listed["limitPrice"], listed["seq"], listed["waitReason"]))
    assert seen == [(100, 2, None), (Decimal("150.5"), 3, None), (Decimal("150.5"), 4, None)]


def test_recording_again_changes_nothing(kept: KeptHistory) -> None:
    order = confirmed(pending())
    kept.history.record(order)
    first = kept.history.page(ALL, 10, None), kept.events(order.order_id)
    kept.history.record(order)
    assert (kept.history.page(ALL, 10, None), kept.events(order.order_id)) == first


def test_a_stale_order_does_not_undo_a_newer_one(kept: KeptHistory) -> None:
    early = routed(pending())
    late = confirmed(early)
    record_all(kept.history, [late, early])
    assert kept.history.page(ALL, 10, None).orders == [record_of(late)]
    assert len(kept.events(late.order_id)) == late.seq


def test_an_order_recorded_early_is_completed(kept: KeptHistory) -> None:
    early = routed(pending())
    late = confirmed(early, NOON + timedelta(seconds=2))
    record_all(kept.history, [early, late])
    assert kept.history.page(ALL, 10, None).orders == [record_of(late)]
    assert [event[0] for event in kept.events(late.order_id)] == list(range(1, late.seq + 1))


def test_the_same_order_from_many_threads_is_recorded_once(kept: KeptHistory) -> None:
    lives = [routed(pending(order_id=f"00000000-0000-4000-8000-{n:012}")) for n in range(4)]
    ends = [confirmed(order) for order in lives]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(kept.history.record, (lives + ends) * 5))
    assert kept.history.page(ALL, 10, None).orders == [record_of(order) for order in reversed(ends)]
    assert all(len(kept.events(order.order_id)) == order.seq for order in ends)


SAMPLES = {
    "plain": pending(),
    "bob": pending(NOON + MS, user_id="bob"),
    "limit": pending(NOON + 2 * MS, type=OrderType.LIMIT),
    "named": pending(NOON + 3 * MS, client_order_id="mine"),
    "bonk": pending(NOON + 4 * MS, token_in="BONK", token_out="SOL"),
    "failed": failed(pending(NOON + 5 * MS)),
    "bob failed": failed(pending(NOON + 6 * MS, user_id="bob")),
}


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (OrderFilter(), [*reversed(SAMPLES)]),
        (OrderFilter(user_id="bob"), ["bob failed", "bob"]),
        (OrderFilter(status="failed"), ["bob failed", "failed"]),
        (OrderFilter(status=Status.FAILED), ["bob failed", "failed"]),
        (OrderFilter(type="limit"), ["limit"]),
        (OrderFilter(pair="BONK/SOL"), ["bonk"]),
        (OrderFilter(client_order_id="mine"), ["named"]),
        (OrderFilter(user_id="bob", status="failed", pair="SOL/USDC", type="market"), ["bob failed"]),
        (OrderFilter(user_id="bob", pair="BONK/SOL"), []),
        (OrderFilter(since=NOON + 5 * MS), ["bob failed", "failed"]),
        (OrderFilter(until=NOON + MS), ["plain"]),
        (OrderFilter(since=NOON + MS, until=NOON + 3 * MS), ["limit", "bob"]),
        (OrderFilter(user_id="bob", since=NOON + 2 * MS), ["bob failed"]),
        (OrderFilter(user_id=""), []),
    ],
)
def test_a_filter_finds_what_it_asks_for(history: History, wanted: OrderFilter, expected: list[str]) -> None:
    record_all(history, list(SAMPLES.values()))
    assert ids(history.page(wanted, 10, None)) == [SAMPLES[name].order_id for name in expected]


@pytest.mark.parametrize(
    "text",
    ["' or '1'='1", "alice'; drop table orders; --", "%", "%s", "%(limit)s", "{0}", "\\", 'a"b', "\0", "\ud800"],
)
def test_a_filter_is_only_ever_a_value(history: History, text: str) -> None:
    history.record(pending())
    for wanted in (
        OrderFilter(user_id=text),
        OrderFilter(status=text),
        OrderFilter(type=text),
        OrderFilter(pair=text),
        OrderFilter(client_order_id=text),
    ):
        assert history.page(wanted, 10, None) == Page()
    assert len(history.page(ALL, 10, None).orders) == 1


@pytest.mark.parametrize("text", ["a'b", "%s", "\\u0000", "emoji 🦀", "line\nbreak", "with \0 in it", "half \ud83e"])
def test_any_client_order_id_can_be_recorded_and_found(history: History, text: str) -> None:
    order = pending(client_order_id=text)
    history.record(order)
    assert ids(history.page(OrderFilter(client_order_id=text), 10, None)) == [order.order_id]


def test_pages_neither_repeat_nor_skip_while_orders_come_in(history: History) -> None:
    orders = [pending(NOON + n * MS) for n in range(7)]
    record_all(history, orders)
    seen: list[str] = []
    cursor = None
    for n in range(4):
        page = history.page(ALL, 2, cursor)
        seen += ids(page)
        cursor = page.next_cursor
        history.record(pending(NOON + timedelta(seconds=1, milliseconds=n)))
    assert seen == [order.order_id for order in reversed(orders)]
    assert cursor is None


def test_a_cursor_keeps_its_place_under_a_filter(history: History) -> None:
    mine = [pending(NOON + n * MS) for n in range(0, 6, 2)]
    record_all(history, mine + [pending(NOON + n * MS, user_id="bob") for n in range(1, 6, 2)])
    first = history.page(OrderFilter(user_id="alice"), 2, None)
    second = history.page(OrderFilter(user_id="alice"), 2, first.next_cursor)
    assert ids(first) + ids(second) == [order.order_id for order in reversed(mine)]


def test_a_full_last_page_has_no_cursor(history: History) -> None:
    record_all(history, [pending(NOON + n * MS) for n in range(2)])
    assert history.page(ALL, 2, None).next_cursor is None
    assert history.page(ALL, 2, cursors.encode("2026-01-01T00:00:00.000Z", pending().order_id)) == Page()


def test_orders_of_one_millisecond_are_paged_by_id(history: History) -> None:
    # Microseconds are not kept, so they must not order either.
    orders = [pending(NOON + timedelta(microseconds=100 * n)) for n in range(6)]
    record_all(history, orders)
    pages, cursor = [], None
    for _ in range(3):
        page = history.page(ALL, 2, cursor)
        pages += ids(page)
        cursor = page.next_cursor
    assert pages == sorted((order.order_id for order in orders), reverse=True)


def test_numbers_are_exact(history: History) -> None:
    largest = 2**64 - 1
    order = pending(amount_in=largest)
    order = confirmed(order, amount_out=largest, executed_price="0.000000000000123456789")
    history.record(order)
    [listed] = history.page(ALL, 1, None).orders
    assert listed["amountInBase"] == listed["amountOutBase"] == "18446744073709551615"
    assert listed["amountIn"] == Decimal("18446744073.709551615")
    assert listed["amountOut"] == Decimal("18446744073709.551615")
    assert listed["executedPrice"] == Decimal("0.000000000000123456789")


def test_quotes_are_exact(history: History) -> None:
    order = routed(pending(), rQuote=quote("12345678901234567890.123456789012345678"))
    history.record(order)
    [listed] = history.page(ALL, 1, None).orders
    assert listed["quotes"]["rQuote"]["price"] == Decimal("12345678901234567890.123456789012345678")


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "not base64!",
        "ünïcode",
        "////",
        "AAAA",
        cursors.encode("2026-01-31", SOME_ORDER),
        cursors.encode("yesterday", SOME_ORDER),
        cursors.encode("0001-01-01T00:00:00+14:00", SOME_ORDER),
        cursors.encode("2026-01-31T12:00:00.000Z", "1"),
        cursors.encode("2026-01-31T12:00:00.000Z", f"{SOME_ORDER} more"),
        cursors.encode("2026-01-31T12:00:00.000Z", "') or true --"),
    ],
)
def test_a_cursor_that_is_none_of_ours_is_refused(history: History, cursor: str) -> None:
    with pytest.raises(ValueError, match="not a cursor"):
        history.page(ALL, 10, cursor)


def test_ping_answers(history: History) -> None:
    history.ping()


def test_the_fake_can_be_down() -> None:
    history = FakeHistory()
    history.down = True
    for call in (history.ping, lambda: history.record(pending()), lambda: history.page(ALL, 1, None)):
        with pytest.raises(HistoryUnavailableError):
            call()


def numbers_in(value: Any) -> list[Any]:
    """Every plain value in a nested one."""
    if isinstance(value, dict):
        return [number for part in value.values() for number in numbers_in(part)]
    return [value]


def sorted_deep(value: Any) -> Any:
    return {key: sorted_deep(value[key]) for key in sorted(value)} if isinstance(value, dict) else value


def test_the_quality_of_no_orders_is_known_too(history: History) -> None:
    nothing = {"p50": None, "p95": None, "p99": None}
    assert history.quality(NOON) == {
        "orders": {},
        "failures": {},
        "venues": {},
        "retried": 0,
        "latencyMs": {"toStart": nothing, "toEnd": nothing},
        "slippagePct": {"average": None, "worst": None},
        "routingGainPct": {"average": None},
    }


def test_the_quality_of_what_was_executed_since(history: History) -> None:
    orders = [
        confirmed(pending(), NOON + timedelta(seconds=3)),
        confirmed(retried(routed(pending())), NOON + timedelta(seconds=5)),
        failed(pending()),
        cancelled(pending()),
    ]
    record_all(history, orders)
    quality = history.quality(NOON - MS)
    assert quality["orders"] == {"confirmed": 2, "failed": 1, "cancelled": 1}
    assert quality["retried"] == 1
    assert sum(quality["venues"].values()) == 2
    assert quality["failures"] == {orders[2].fail_code: 1}
    assert quality["latencyMs"]["toEnd"] == {"p50": 3000, "p95": 5000, "p99": 5000}
    assert quality == _a_fake_with(orders).quality(NOON - MS)
    assert history.quality(NOON + timedelta(days=1))["orders"] == {}


def _a_fake_with(orders: list[Order]) -> FakeHistory:
    fake = FakeHistory()
    record_all(fake, orders)
    return fake
