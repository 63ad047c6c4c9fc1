"""The contract of ``History``, on the fake and on PostgreSQL."""

import base64
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from chalicelib.api.responses.operations import execution_body
from chalicelib.api.responses.records import list_body, order_record, record_of
from chalicelib.clock import utc_now
from chalicelib.codec import cursors
from chalicelib.codec.exact_json import dumps
from chalicelib.domain.conditions import Launch, TimeInForce
from chalicelib.domain.errors import InvalidCursorError, RefusedError
from chalicelib.domain.events import AttemptStarted, Confirmed, Expired, LaunchRefused, QuotesReceived, VenueAnswer
from chalicelib.domain.failures import Failure, FailureCode
from chalicelib.domain.orders import Order
from chalicelib.domain.read_model import read_model_of
from chalicelib.domain.status import OrderType, Status
from chalicelib.domain.tokens import Side
from chalicelib.history.postgres import PostgresHistory
from chalicelib.ports.history import (
    ExecutionQuality,
    History,
    HistoryUnavailableError,
    OrderFilter,
    Page,
    Percentiles,
)
from orderengine.testing.fakes.history import FakeHistory
from tests.contract.conftest import KeptHistory
from tests.support.open_orders import a_limit, a_sniper
from tests.support.order_builders import (
    NOON,
    amended,
    building,
    cancelled,
    confirmed,
    failed,
    missed,
    opened,
    pending,
    quote,
    quotes,
    retried,
    routed,
    submitted,
    triggered,
)

MS = timedelta(milliseconds=1)
ALL = OrderFilter()
UNREACHABLE = Failure(FailureCode.NETWORK_ERROR, "raydium could not be reached")
ONE_QUOTE = QuotesReceived(
    (VenueAnswer("raydium", None, UNREACHABLE), VenueAnswer("meteora", quote("98.7"))), "meteora", "the only quote"
)
REFUSED = Launch("mint", "raydium", "pool", 2**53, Decimal("0.001"), Decimal("812.5"), 1_770_000_000_000)
#: The same in every process that lists the tests: pytest-xdist compares their names.
SOME_ORDER = "0b9f2a4e-6f0d-4c7a-9a55-3c1f6a1f2b3c"


def ids(page: Page) -> list[str]:
    return [order.order_id for order in page.orders]


def record_all(history: History, orders: list[Order]) -> None:
    for order in orders:
        history.record(order)


@pytest.mark.parametrize(
    "order",
    [
        pytest.param(pending(), id="pending"),
        pytest.param(pending(client_order_id="a-1"), id="client order id"),
        pytest.param(routed(pending(), decision=ONE_QUOTE), id="one quote"),
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
            id="good till date",
        ),
        pytest.param(amended(opened(a_limit(100)), "150.5"), id="amended"),
        pytest.param(missed(opened(a_limit(100))), id="missed trigger"),
        pytest.param(confirmed(triggered(missed(opened(a_limit(100))))), id="limit filled"),
        pytest.param(opened(a_sniper()), id="sniper"),
        pytest.param(
            opened(
                a_sniper(venue="meteora", min_liquidity=Decimal("50.000000001"), max_price=Decimal("0.00000000123"))
            ).after(LaunchRefused(REFUSED, "launched on raydium, not on meteora"), NOON),
            id="sniper with a refused launch",
        ),
        pytest.param(
            opened(a_limit(100, time_in_force=TimeInForce.IOC)).after(Expired("the price is below the limit"), NOON),
            id="immediate-or-cancel and expired",
        ),
    ],
)
def test_an_order_is_listed_as_its_record(kept: KeptHistory, order: Order) -> None:
    kept.history.record(order)
    page = kept.history.page(ALL, 10, None)
    assert page.orders == [read_model_of(order)]
    [listed] = list_body(page)["orders"]
    assert listed == record_of(order)
    assert not [value for value in values_in(listed) if isinstance(value, float)]
    assert dumps(sorted_deep(listed)) == dumps(sorted_deep(record_of(order)))
    assert kept.events(order.order_id) == list(order.events)


def test_an_open_order_is_listed_with_its_current_terms(kept: KeptHistory) -> None:
    order = opened(a_limit(100))
    seen = []
    for moved in (order, amended(order, "150.5"), triggered(amended(order, "150.5"))):
        kept.history.record(moved)
        [listed] = kept.history.page(OrderFilter(status=moved.current_status.value), 10, None).orders
        seen.append((listed.limit_price, listed.seq, listed.wait_reason))
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
    assert kept.history.page(ALL, 10, None).orders == [read_model_of(late)]
    assert len(kept.events(late.order_id)) == late.seq


def test_an_order_recorded_early_is_completed(kept: KeptHistory) -> None:
    early = routed(pending())
    late = confirmed(early, NOON + timedelta(seconds=2))
    record_all(kept.history, [early, late])
    assert kept.history.page(ALL, 10, None).orders == [read_model_of(late)]
    assert [event.seq for event in kept.events(late.order_id)] == list(range(1, late.seq + 1))


def test_the_same_order_from_many_threads_is_recorded_once(kept: KeptHistory) -> None:
    begun = [routed(pending(order_id=f"00000000-0000-4000-8000-{n:012}")) for n in range(4)]
    ends = [confirmed(order) for order in begun]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(kept.history.record, (begun + ends) * 5))
    assert kept.history.page(ALL, 10, None).orders == [read_model_of(order) for order in reversed(ends)]
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
def test_a_filter_selects_the_orders_that_meet_it(history: History, wanted: OrderFilter, expected: list[str]) -> None:
    record_all(history, list(SAMPLES.values()))
    assert ids(history.page(wanted, 10, None)) == [SAMPLES[name].order_id for name in expected]


@pytest.mark.parametrize(
    "text",
    ["' or '1'='1", "alice'; drop table orders; --", "%", "%s", "%(limit)s", "{0}", "\\", 'a"b', "\0", "\ud800"],
)
def test_a_filter_is_never_part_of_the_statement(history: History, text: str) -> None:
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


def test_pages_neither_repeat_nor_skip_orders_while_new_ones_arrive(history: History) -> None:
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


def test_a_cursor_works_with_a_filter(history: History) -> None:
    mine = [pending(NOON + n * MS) for n in range(0, 6, 2)]
    record_all(history, mine + [pending(NOON + n * MS, user_id="bob") for n in range(1, 6, 2)])
    first = history.page(OrderFilter(user_id="alice"), 2, None)
    second = history.page(OrderFilter(user_id="alice"), 2, first.next_cursor)
    assert ids(first) + ids(second) == [order.order_id for order in reversed(mine)]


def test_a_full_last_page_has_no_cursor(history: History) -> None:
    record_all(history, [pending(NOON + n * MS) for n in range(2)])
    assert history.page(ALL, 2, None).next_cursor is None
    assert history.page(ALL, 2, cursors.encode(NOON - timedelta(days=30), SOME_ORDER)) == Page()


def test_orders_of_one_millisecond_are_paged_by_id(history: History) -> None:
    # The history does not store microseconds, so they must not determine the order either.
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
    assert listed.amount_in == listed.amount_out == largest
    assert listed.executed_price == Decimal("0.000000000000123456789")
    record = order_record(listed)
    assert record["amountInBase"] == record["amountOutBase"] == "18446744073709551615"
    assert record["amountIn"] == Decimal("18446744073.709551615")
    assert record["amountOut"] == Decimal("18446744073709.551615")
    assert record["executedPrice"] == Decimal("0.000000000000123456789")


def test_quotes_are_exact(history: History) -> None:
    exact = Decimal("12345678901234567890.123456789012345678")
    order = routed(pending(), decision=quotes(raydium=quote(str(exact))))
    history.record(order)
    [listed] = history.page(ALL, 1, None).orders
    assert listed.quotes == order.quotes
    record = order_record(listed)
    assert record["quotes"] is not None
    assert record["quotes"]["rQuote"]["price"] == exact


def a_cursor(created_at: str, order_id: str) -> str:
    """A cursor in the right envelope, with any text in it."""
    return base64.urlsafe_b64encode(f"{created_at} {order_id}".encode()).rstrip(b"=").decode()


def test_a_cursor_of_the_right_form_is_accepted(history: History) -> None:
    """Guards the test of bad cursors, which uses the same envelope."""
    cursor = a_cursor("2026-01-31T12:00:00.000Z", SOME_ORDER)
    assert cursor == cursors.encode(datetime(2026, 1, 31, 12, tzinfo=UTC), SOME_ORDER)
    assert history.page(ALL, 10, cursor) == Page()


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "not base64!",
        "ünïcode",
        "////",
        "AAAA",
        a_cursor("2026-01-31", SOME_ORDER),
        a_cursor("yesterday", SOME_ORDER),
        a_cursor("0001-01-01T00:00:00+14:00", SOME_ORDER),
        a_cursor("2026-01-31T12:00:00.000Z", "1"),
        a_cursor("2026-01-31T12:00:00.000Z", f"{SOME_ORDER} more"),
        a_cursor("2026-01-31T12:00:00.000Z", "') or true --"),
    ],
)
def test_a_cursor_that_belongs_to_no_list_is_refused(history: History, cursor: str) -> None:
    history.record(pending())
    with pytest.raises(InvalidCursorError):
        history.page(ALL, 10, cursor)


@pytest.mark.parametrize(
    "change",
    [
        "set status = 'a status of the future'",
        "set type = 'a type of the future'",
        "set token_in = 'a token that was removed'",
        """set quotes = '{"answers": "none", "chosen": "raydium", "reason": "?"}'""",
        "set quotes = '[1, 2]'",
        """set launch = '{"venue": "raydium"}'""",
    ],
)
def test_an_unreadable_row_is_not_reported_as_a_bad_cursor(history_url: str, change: str) -> None:
    history = PostgresHistory(history_url, connect_timeout_seconds=2, statement_timeout_seconds=5)
    with psycopg.connect(history_url, autocommit=True) as connection:
        connection.execute("truncate orders, order_events")
        record_all(history, [pending(NOON + n * MS) for n in range(3)])
        cursor = history.page(ALL, 1, None).next_cursor
        connection.execute(f"update orders {change}".encode())
    for start in (None, cursor):
        with pytest.raises((ValueError, LookupError, TypeError)) as caught:
            history.page(ALL, 1, start)
        assert not isinstance(caught.value, RefusedError)
    history.close()


def test_ping_answers(history: History) -> None:
    history.ping()


def test_the_fake_can_be_down() -> None:
    history = FakeHistory()
    history.down = True
    for call in (history.ping, lambda: history.record(pending()), lambda: history.page(ALL, 1, None)):
        with pytest.raises(HistoryUnavailableError):
            call()


def values_in(value: Any) -> list[Any]:
    """Every plain value in a nested one."""
    if isinstance(value, dict):
        return [plain for part in value.values() for plain in values_in(part)]
    return [value]


def sorted_deep(value: Any) -> Any:
    return {key: sorted_deep(value[key]) for key in sorted(value)} if isinstance(value, dict) else value


# --- execution quality --------------------------------------------------------------------------------------


def test_the_quality_of_no_orders_is_empty(history: History) -> None:
    nothing = {"p50": None, "p95": None, "p99": None}
    quality = history.quality(NOON)
    assert quality == ExecutionQuality()
    assert execution_body(quality) == {
        "orders": {},
        "failures": {},
        "venues": {},
        "retried": 0,
        "retries": {},
        "missedLimits": {"orders": 0, "triggers": 0},
        "latencyMs": {
            "toStart": nothing,
            "quoting": nothing,
            "building": nothing,
            "landing": nothing,
            "toEnd": nothing,
        },
        "slippagePct": {"average": None, "worst": None},
        "slippageUsedPct": {"average": None, "worst": None},
        "routingGainPct": {"average": None},
        "previewGainPct": {"average": None, "worst": None},
    }


def test_the_quality_covers_the_orders_accepted_since_a_time(history: History) -> None:
    orders = [
        confirmed(pending(), NOON + timedelta(seconds=3)),
        confirmed(retried(routed(pending())), NOON + timedelta(seconds=5)),
        failed(pending()),
        cancelled(pending()),
    ]
    record_all(history, orders)
    quality = history.quality(NOON - MS)
    assert quality.orders == {"confirmed": 2, "failed": 1, "cancelled": 1}
    assert quality.retried == 1
    assert sum(quality.venues.values()) == 2
    assert quality.failures == {orders[2].fail_code: 1}
    assert quality.to_end == Percentiles(3000, 5000, 5000)
    assert quality.worst_slippage == Decimal("0.0416")
    assert quality == a_fake_with(orders).quality(NOON - MS)
    assert execution_body(quality)["latencyMs"]["toEnd"] == {"p50": 3000, "p95": 5000, "p99": 5000}
    assert history.quality(NOON + timedelta(days=1)).orders == {}


def filled_for(stage_ms: int, amount_out: int, order: Order | None = None) -> Order:
    """A fill whose quoting, building and landing take this long each, accepted at noon."""
    quoted, sent, landed = (NOON + n * stage_ms * MS for n in (1, 2, 3))
    begun = order or pending().after(AttemptStarted(), NOON, next_attempt=True)
    fill = Confirmed("raydium", "hash", amount_out, Decimal(100), Decimal("0.0416"))
    return submitted(building(routed(begun, quoted), quoted), sent).after(fill, landed)


def test_the_scorecard_sums_up_the_scores_of_the_orders(history: History) -> None:
    orders = [
        # The builders quote 199,492,040, and at least 197,497,119 is accepted.
        filled_for(100, 199_492_040),
        filled_for(200, 197_497_119),
        filled_for(300, 200_000_000, triggered(missed(missed(opened(a_limit(100))))).after(AttemptStarted(), NOON)),
        filled_for(400, 199_000_000, retried(routed(pending()))),
        missed(opened(a_limit(100))),
        failed(retried(routed(pending()))),
    ]
    record_all(history, orders)
    quality = history.quality(NOON)
    assert quality == a_fake_with(orders).quality(NOON)
    assert (quality.retries, quality.retried) == ({"STALE_QUOTE": 2}, 2)
    assert (quality.missed_orders, quality.missed_triggers) == (2, 3)
    # A retry's quoting is left out.
    assert quality.quoting == Percentiles(200, 300, 300)
    assert quality.building == quality.landing == Percentiles(200, 400, 400)
    # Market orders alone.
    assert quality.to_end == Percentiles(600, 1200, 1200)
    # 0, 100, 0 and 492,040 of 1,994,921.
    assert (quality.average_slippage_used, quality.worst_slippage_used) == (Decimal("31.1662"), Decimal(100))
    # 0, -1, 0.2546 and -0.2466 percent.
    assert (quality.average_preview_gain, quality.worst_preview_gain) == (Decimal("-0.2480"), Decimal("-1.0000"))
    body = execution_body(quality)
    assert body["missedLimits"] == {"orders": 2, "triggers": 3}
    assert body["latencyMs"]["landing"] == {"p50": 200, "p95": 400, "p99": 400}
    assert body["previewGainPct"] == {"average": Decimal("-0.2480"), "worst": Decimal("-1.0000")}


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        ((NOON,), {"pending": 5, "failed": 2}),
        ((NOON, NOON), {}),
        ((NOON, NOON + MS), {"pending": 1}),
        ((NOON + MS, NOON + 6 * MS), {"pending": 4, "failed": 1}),
        ((NOON + 6 * MS, NOON + timedelta(days=3650)), {"failed": 1}),
        ((NOON + timedelta(days=1), None), {}),
        ((datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)), {"pending": 5, "failed": 2}),
        ((NOON, None, "bob"), {"pending": 1, "failed": 1}),
        ((NOON, NOON + 6 * MS, "bob"), {"pending": 1}),
        ((NOON, None, "nobody"), {}),
        ((NOON, None, "' or '1'='1"), {}),
    ],
)
def test_the_quality_is_of_the_window_and_of_the_user(
    history: History, window: tuple[Any, ...], expected: dict[str, int]
) -> None:
    record_all(history, list(SAMPLES.values()))
    assert history.quality(*window).orders == expected


# --- a third venue ------------------------------------------------------------------------------------------

#: The outputs differ by 5 percent between the best and the worst venue.
THREE_QUOTES = QuotesReceived(
    (
        VenueAnswer("raydium", quote("100", amount_out=200_000_000)),
        VenueAnswer("meteora", quote("104", amount_out=208_000_000)),
        VenueAnswer("orca", quote("105", amount_out=210_000_000)),
    ),
    "orca",
    "more, net of fees",
)


def filled_on_orca(decision: QuotesReceived = THREE_QUOTES) -> Order:
    order = submitted(building(routed(pending(), decision=decision)))
    return order.after(Confirmed("orca", "hash", 209_000_000, Decimal("104.5"), Decimal("0.4762")), NOON)


def test_an_order_with_quotes_of_three_venues_is_listed_with_them(kept: KeptHistory) -> None:
    order = filled_on_orca()
    kept.history.record(order)
    [listed] = kept.history.page(ALL, 10, None).orders
    assert listed == read_model_of(order)
    assert listed.quotes == THREE_QUOTES
    assert (listed.venue, order_record(listed)["dexUsed"]) == ("orca", "orca")
    record = order_record(listed)["quotes"]
    assert record is not None
    assert [record[name]["amountOut"] for name in ("rQuote", "mQuote", "oQuote")] == [200, 208, 210]
    assert kept.events(order.order_id) == list(order.events)


def test_the_quality_counts_a_third_venue(history: History) -> None:
    history.record(filled_on_orca())
    quality = history.quality(NOON)
    assert quality.venues == {"orca": 1}
    assert quality.average_routing_gain == 5
    assert quality == a_fake_with([filled_on_orca()]).quality(NOON)


def test_the_routing_gain_compares_the_venues_that_have_a_quote(history: History) -> None:
    raydium, _, orca = THREE_QUOTES.answers
    two = replace(THREE_QUOTES, answers=(raydium, VenueAnswer("meteora", None, UNREACHABLE), orca))
    one = replace(THREE_QUOTES, answers=(VenueAnswer("raydium"), VenueAnswer("meteora", None, UNREACHABLE), orca))
    history.record(filled_on_orca(one))
    assert history.quality(NOON).average_routing_gain is None
    history.record(filled_on_orca(two))
    assert history.quality(NOON).average_routing_gain == 5
    assert history.quality(NOON).venues == {"orca": 2}


def test_the_routing_gain_compares_the_last_quotes(history: History) -> None:
    first = replace(
        THREE_QUOTES, answers=(VenueAnswer("raydium", quote("1", amount_out=1)), *THREE_QUOTES.answers[1:])
    )
    order = submitted(building(routed(retried(routed(pending(), decision=first)), decision=THREE_QUOTES)))
    history.record(order.after(Confirmed("orca", "hash", 209_000_000, Decimal("104.5")), NOON))
    assert history.quality(NOON).average_routing_gain == 5


def a_fake_with(orders: list[Order]) -> FakeHistory:
    fake = FakeHistory()
    record_all(fake, orders)
    return fake


# --- changes ------------------------------------------------------------------------------------------------


def test_orders_are_selected_by_the_time_of_their_record_however_old_their_last_event_is(history: History) -> None:
    order = pending()
    before = utc_now()
    history.record(order)
    changed = OrderFilter(updated_since=before)
    assert ids(history.page(changed, 10, None)) == [order.order_id]
    assert ids(history.page(OrderFilter(updated_since=before + timedelta(hours=1)), 10, None)) == []
    assert ids(history.page(OrderFilter(updated_since=datetime(1, 1, 1, tzinfo=UTC)), 10, None)) == [order.order_id]


def test_only_a_later_event_renews_the_time_of_a_record(history: History) -> None:
    order = pending()
    history.record(order)
    with_end = confirmed(order)
    history.record(with_end)
    recorded = datetime.now(UTC) + timedelta(milliseconds=200)
    while datetime.now(UTC) < recorded:
        history.ping()
    history.record(order)
    history.record(with_end)
    assert ids(history.page(OrderFilter(updated_since=recorded), 10, None)) == []


def test_settled_orders_are_those_that_are_recorded_with_their_end(history: History) -> None:
    done, active = cancelled(pending()), pending()
    record_all(history, [done, active])
    assert history.settled([done.order_id, active.order_id, SOME_ORDER]) == {done.order_id}
    assert history.settled([]) == set()


def test_open_orders_are_counted_by_type_up_to_a_limit(history: History) -> None:
    assert history.count_open(10) == {OrderType.LIMIT: 0, OrderType.SNIPER: 0}
    ended = opened(a_limit())
    record_all(history, [*(opened(a_limit()) for _ in range(3)), opened(a_sniper()), pending(), ended])
    history.record(cancelled(ended))
    assert history.count_open(10) == {OrderType.LIMIT: 3, OrderType.SNIPER: 1}
    assert history.count_open(2) == {OrderType.LIMIT: 2, OrderType.SNIPER: 1}
