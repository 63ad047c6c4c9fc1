"""Rows that version 1 of the history wrote: migrated, listed, summed up, and completed by newer states.

``legacy/all_orders.json`` has the rows of ten orders at the end of a session, and ``legacy/limit_missed.json`` those
of one of these orders while it was open. The statements of version 1 wrote them under the first two migrations.
``records`` and ``quality`` are the answers of version 1 about them.
"""

import json
import shutil
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from chalicelib.api.responses.operations import execution_body
from chalicelib.api.responses.records import list_body, order_record, record_of
from chalicelib.codec.events import event_from_json
from chalicelib.codec.exact_json import dumps, loads
from chalicelib.codec.orders import spec_from_dict
from chalicelib.domain.conditions import LaunchTerms
from chalicelib.domain.events import Cancelled, Confirmed, Expired, QuotesReceived, VenueAnswer
from chalicelib.domain.failures import FailureCode
from chalicelib.domain.orders import Order
from chalicelib.domain.read_model import read_model_of
from chalicelib.domain.status import OrderType, Status
from chalicelib.history.migrate import MIGRATIONS, migrate
from chalicelib.history.postgres import PostgresHistory
from chalicelib.history.rows import event_row, order_row
from chalicelib.ports.history import OrderFilter
from tests.contract.stores.legacy_items import SPEC_ATTRIBUTES, event_texts, legacy_order
from tests.support.order_builders import building, quote, quotes, routed, submitted, triggered
from tests.support.postgres import PostgresServer

VERSION_1 = ["0001_orders.sql", "0002_waiting_orders.sql"]
TABLES = ("orders", "order_events", "order_quotes")
ALL = OrderFilter()
MIDNIGHT = datetime(2026, 1, 1, tzinfo=UTC)
LATER = datetime(2026, 1, 1, 13, 0, tzinfo=UTC)


def rows_of(name: str) -> dict[str, Any]:
    rows: dict[str, Any] = loads((Path(__file__).with_name("legacy") / f"{name}.json").read_text())
    return rows


@pytest.fixture
def url(postgres: PostgresServer, tmp_path: Path) -> str:
    """A database with the schema of version 1."""
    for name in VERSION_1:
        shutil.copy(MIGRATIONS / name, tmp_path)
    url = postgres.new_database()
    assert migrate(url, tmp_path) == VERSION_1
    return url


@pytest.fixture
def history(url: str) -> Iterator[PostgresHistory]:
    history = PostgresHistory(url, connect_timeout_seconds=2, statement_timeout_seconds=5)
    yield history
    history.close()


def upgrade(url: str, name: str) -> dict[str, Any]:
    """Insert the rows of version 1, then migrate; returns the rows with the answers of version 1."""
    rows = rows_of(name)
    with psycopg.connect(url) as connection:
        for table in TABLES:
            insert = sql.SQL("insert into {0} select * from jsonb_populate_recordset(null::{0}, %s::jsonb)")
            connection.execute(insert.format(sql.Identifier(table)), [dumps(rows[table])])
    assert migrate(url) == [path.name for path in sorted(MIGRATIONS.glob("*.sql")) if path.name not in VERSION_1]
    return rows


def contents(url: str) -> dict[str, list[dict[str, Any]]]:
    """Return all rows of all tables, unsorted."""
    rows = sql.SQL("select to_jsonb(t)::text from {} t")
    with psycopg.connect(url) as connection:
        return {
            table: [loads(row) for (row,) in connection.execute(rows.format(sql.Identifier(table)))]
            for table in TABLES
        }


def query(url: str, statement: str, *values: object) -> list[Any]:
    with psycopg.connect(url) as connection:
        return connection.execute(statement.encode(), values).fetchall()


# --- reading ------------------------------------------------------------------------------------------------


def test_the_migration_changes_no_row_of_version_1(url: str) -> None:
    rows = upgrade(url, "all_orders")
    for table, found in contents(url).items():
        columns = rows[table][0]
        assert in_order([{name: row[name] for name in columns} for row in found]) == in_order(rows[table])


def test_the_rows_cover_every_case_of_version_1() -> None:
    """Guards the tests below: fills, failures, expiries, both venues, missing quotes and launches occur."""
    rows = rows_of("all_orders")
    assert {row["type"] for row in rows["orders"]} == {each.value for each in OrderType}
    assert {event["status"] for event in rows["order_events"]} == {status.value for status in Status}
    quoted = [row["quotes"] for row in rows["orders"] if row["quotes"]]
    assert any(one["rQuote"] is None and "errors" in one for one in quoted)
    assert any(one["rQuote"] and one["mQuote"] for one in quoted)
    assert any(row["launch"] and row["launch"]["minLiquidity"] for row in rows["orders"])


def test_orders_of_version_1_are_listed_with_the_records_that_they_had(url: str, history: PostgresHistory) -> None:
    rows = upgrade(url, "all_orders")
    listed = list_body(history.page(ALL, 100, None))
    assert listed["orders"] == rows["records"]
    assert listed["nextCursor"] is None


def test_orders_of_version_1_are_paged_and_filtered(url: str, history: PostgresHistory) -> None:
    records = upgrade(url, "all_orders")["records"]
    seen: list[str] = []
    cursor = None
    for _ in range(4):
        page = history.page(ALL, 3, cursor)
        seen += [order.order_id for order in page.orders]
        cursor = page.next_cursor
    assert seen == [record["orderId"] for record in records]
    assert cursor is None
    for wanted, field in (
        (OrderFilter(user_id="alice"), ("userId", "alice")),
        (OrderFilter(status="confirmed"), ("status", "confirmed")),
        (OrderFilter(type="sniper"), ("type", "sniper")),
        (OrderFilter(client_order_id="limit-1"), ("clientOrderId", "limit-1")),
    ):
        name, value = field
        found = list_body(history.page(wanted, 100, None))["orders"]
        assert found == [record for record in records if record[name] == value] != []


def test_the_quotes_of_version_1_are_typed(url: str, history: PostgresHistory) -> None:
    upgrade(url, "all_orders")
    [degraded] = history.page(OrderFilter(user_id="carol"), 1, None).orders
    assert degraded.quotes is not None
    raydium, meteora = degraded.quotes.answers
    assert raydium.quote is None
    assert raydium.failure is not None
    assert raydium.failure.code is FailureCode.VENUE_UNAVAILABLE
    assert meteora.quote is not None
    assert (degraded.quotes.chosen, degraded.quotes.is_degraded) == ("meteora", True)
    # Amounts of version 1 are in human units and as text in base units.
    [row] = [row for row in rows_of("all_orders")["orders"] if row["user_id"] == "carol"]
    assert str(meteora.quote.amount_out) == row["quotes"]["mQuote"]["amountOutBase"]
    assert meteora.quote.price == row["quotes"]["mQuote"]["price"]


def test_the_launch_terms_of_version_1_are_typed(url: str, history: PostgresHistory) -> None:
    upgrade(url, "all_orders")
    [sniper] = history.page(OrderFilter(user_id="alice", type="sniper"), 1, None).orders
    mint = "7xKXtg2CW87d97TXJSDpbD5jBkheTqA83TZRuJosgAsU"
    assert sniper.launch == LaunchTerms(mint, "raydium", Decimal("500.000000001"), Decimal("0.00123456789"))


# --- statistics ---------------------------------------------------------------------------------------------


def test_the_quality_of_orders_of_version_1_is_unchanged(url: str, history: PostgresHistory) -> None:
    rows = upgrade(url, "all_orders")
    quality = history.quality(MIDNIGHT)
    assert common(execution_body(quality), rows["quality"]) == rows["quality"]
    assert quality.average_routing_gain is not None
    assert quality.average_slippage is not None


def common(found: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of ``found`` that version 1 had too, at every level."""
    return {
        name: common(found[name], value) if isinstance(value, dict) else found[name] for name, value in known.items()
    }


def test_the_migration_fills_in_the_slippage_of_confirmed_orders(url: str) -> None:
    rows = upgrade(url, "all_orders")
    last = {event["order_id"]: event for event in rows["order_events"]}
    expected = {
        order["order_id"]: last[order["order_id"]]["meta"]["slippagePct"] if order["status"] == "confirmed" else None
        for order in rows["orders"]
    }
    assert dict(query(url, "select order_id::text, slippage_pct from orders")) == expected
    assert sum(value is not None for value in expected.values()) == 5


def test_the_quality_sums_up_orders_of_both_versions(url: str, history: PostgresHistory) -> None:
    upgrade(url, "all_orders")
    before = history.quality(MIDNIGHT)
    order = submitted(building(routed(routable(), decision=TRIPLED)))
    history.record(order.after(Confirmed("raydium", "hash", 5, Decimal(100), Decimal(50)), LATER))
    after = history.quality(MIDNIGHT)
    assert after.orders == {**before.orders, "confirmed": before.orders["confirmed"] + 1}
    assert after.worst_slippage == 50
    assert before.average_routing_gain is not None
    # Three of the five fills of version 1 have two quotes.
    gains = 3 * before.average_routing_gain + 200
    assert after.average_routing_gain is not None
    assert abs(after.average_routing_gain - gains / 4) < Decimal("0.001")


#: Raydium offers three times as much as Meteora, a gain of 200 percent.
TRIPLED = quotes(quote(amount_out=300), quote(amount_out=100))


def routable() -> Order:
    spec = legacy_state("market_pending").spec
    return Order.accepted("00000000-0000-4000-8000-00000000ffff", spec, LATER)


# --- newer states -------------------------------------------------------------------------------------------


def legacy_state(name: str) -> Order:
    """The order of a legacy item, without a table."""
    item = legacy_order(name).item
    fields = {key: value for key, value in item.items() if key in SPEC_ATTRIBUTES}
    spec = {key: value["S"] if "S" in value else Decimal(value["N"]) for key, value in fields.items()}
    events = tuple(event_from_json(text) for text in event_texts(item))
    return Order.replayed(item["orderId"]["S"], spec_from_dict(spec), events)


def test_recording_a_state_that_version_1_recorded_changes_nothing(url: str, history: PostgresHistory) -> None:
    rows = upgrade(url, "all_orders")
    before = contents(url)
    for name in ("market_confirmed", "market_failed", "limit_confirmed", "sniper_open_any_venue", "limit_missed"):
        history.record(legacy_state(name))
    assert contents(url) == before
    assert list_body(history.page(ALL, 100, None))["orders"] == rows["records"]


def test_an_open_order_of_version_1_is_completed_by_its_fill(url: str, history: PostgresHistory) -> None:
    rows = upgrade(url, "limit_missed")
    missed = legacy_state("limit_missed")
    assert list_body(history.page(ALL, 10, None))["orders"] == [record_of(missed)] == rows["records"]
    answers = (VenueAnswer("raydium", quote()), VenueAnswer("meteora"), VenueAnswer("orca", quote("98")))
    decision = QuotesReceived(answers, "raydium", "more, net of fees")
    sent = submitted(building(routed(triggered(missed, LATER), LATER, decision), LATER), LATER)
    filled = sent.after(Confirmed("raydium", "hash", 340_000_001, Decimal("170.0000005"), Decimal("0.01")), LATER)
    history.record(filled)
    assert history.page(ALL, 10, None).orders == [read_model_of(filled)]
    events = query(url, "select seq, status, kind from order_events order by seq")
    assert events == [
        *((event["seq"], event["status"], None) for event in rows["order_events"]),
        (11, "triggered", "price_triggered"),
        (12, "routing", "attempt_started"),
        (13, "routing", "quotes_received"),
        (14, "building", "building"),
        (15, "submitted", "submitted"),
        (16, "confirmed", "confirmed"),
    ]
    old = query(url, "select meta::text from order_events where seq <= 10 order by seq")
    assert [loads(meta) for (meta,) in old] == [event["meta"] for event in rows["order_events"]]
    assert query(url, "select slippage_pct from orders") == [(Decimal("0.01"),)]
    quality = history.quality(MIDNIGHT)
    assert (quality.orders, quality.venues) == ({"confirmed": 1}, {"raydium": 1})
    assert quality.worst_slippage == quality.average_slippage == Decimal("0.01")


def test_the_version_before_this_one_records_and_lists_on_the_newest_schema(
    url: str, history: PostgresHistory
) -> None:
    """A migration runs before the new code, and the old code goes on until then."""
    upgrade(url, "all_orders")
    order = submitted(building(routed(routable(), decision=TRIPLED)))
    order = order.after(Confirmed("raydium", "hash", 5, Decimal(100), Decimal(50)), LATER)
    quoted = [
        {"seq": 3, "attempt": 1, "venue": venue, "amount_out": amount, "chosen": venue == "raydium", "at": str(LATER)}
        for venue, amount in (("raydium", 300), ("meteora", 100))
    ]
    with psycopg.connect(url) as connection:
        record = (Path(__file__).with_name("legacy") / "record_0004.sql").read_bytes()
        events = f"[{','.join(map(event_row, order.events))}]"
        for _ in range(2):
            connection.execute(record, {"order": dumps(order_row(order)), "events": events, "quotes": dumps(quoted)})
    history.record(order)
    events_of = "select count(*) from order_events where order_id = %s"
    assert query(url, events_of, order.order_id) == [(order.seq,)]
    assert history.page(ALL, 1, None).orders == [read_model_of(order)]
    assert query(url, "select count(*) from order_quotes where order_id = %s", order.order_id) == [(2,)]
    assert history.quality(LATER).orders == {"confirmed": 1}


@pytest.mark.parametrize("end", [Cancelled(), Expired("the expiry has passed")])
def test_an_open_sniper_order_of_version_1_is_completed_by_its_end(
    url: str, history: PostgresHistory, end: Cancelled | Expired
) -> None:
    upgrade(url, "all_orders")
    ended = legacy_state("sniper_open_any_venue").after(end, LATER + timedelta(seconds=1))
    history.record(ended)
    [listed] = history.page(OrderFilter(user_id="frank"), 10, None).orders
    assert listed == read_model_of(ended)
    assert order_record(listed) == record_of(ended)
    kinds = query(url, "select kind from order_events where order_id = %s order by seq", ended.order_id)
    assert kinds == [(None,), (None,), (ended.status,)]


def test_a_stale_state_of_version_1_does_not_undo_a_newer_one(url: str, history: PostgresHistory) -> None:
    upgrade(url, "limit_missed")
    open_order = legacy_state("limit_missed")
    cancelled = open_order.after(Cancelled(), LATER)
    history.record(cancelled)
    for name in ("limit_open", "limit_amended", "limit_missed"):
        history.record(legacy_state(name))
    assert history.page(ALL, 10, None).orders == [read_model_of(cancelled)]


def in_order(rows: list[dict[str, Any]]) -> list[str]:
    """The rows as texts that do not depend on the order of rows and names."""
    return sorted(json.dumps(row, default=str, sort_keys=True) for row in rows)
