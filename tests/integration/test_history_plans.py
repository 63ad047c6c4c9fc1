"""Every list and the statistics read a bounded part of the history, whatever they ask for."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from chalicelib.history.quality import parameters_of, summary
from chalicelib.history.statements import COUNT_OPEN
from tests.support.history_fill import END, fill
from tests.support.history_lists import filters, list_of, name_of
from tests.support.plans import explain
from tests.support.postgres import PostgresServer

ORDERS = 30_000
#: Blocks of a page of 50: its rows with their index entries, and the entries of every type and status.
MAX_BUFFERS = 400


@pytest.fixture(scope="module")
def filled(postgres: PostgresServer) -> Iterator[psycopg.Connection[Any]]:
    url = postgres.new_database()
    fill(url, ORDERS)
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


@pytest.mark.parametrize("wanted", filters(), ids=name_of)
def test_a_list_reads_a_bounded_part_of_an_index(filled: psycopg.Connection[Any], wanted: dict[str, Any]) -> None:
    for page in (wanted, wanted | {"after_time": END - timedelta(days=80), "after_id": "0" * 32}):
        plan = explain(filled, *list_of(page))
        assert plan.buffers <= MAX_BUFFERS, plan
        assert "Seq Scan" not in plan.summary, plan


def test_a_heavy_user_is_read_from_the_index_of_users_alone(filled: psycopg.Connection[Any]) -> None:
    """Also once the indexes are gone that the previous version needs, and though other users have such orders."""
    with filled.transaction(force_rollback=True):
        filled.execute("drop index orders_by_status, orders_by_pair")
        filled.execute("update orders set user_id = 'user-1' where user_id = 'user-0' and status = 'failed'")
        filled.execute("set local enable_seqscan = off")
        filled.execute("set local enable_bitmapscan = off")
        plan = explain(filled, *list_of({"user_id": "user-0", "status": "failed"}))
    assert (plan.rows, plan.summary) == (0, "Index Scan orders_scored_by_user")
    assert plan.buffers <= MAX_BUFFERS


@pytest.mark.parametrize(("user_id", "index"), [(None, "orders_scored_by_time"), ("user-0", "orders_scored_by_user")])
@pytest.mark.parametrize(
    ("since", "until"), [(timedelta(days=90), None), (timedelta(days=40), timedelta(days=20)), (timedelta(1), None)]
)
def test_statistics_read_the_window_in_one_index_and_no_row(
    filled: psycopg.Connection[Any], user_id: str | None, index: str, since: timedelta, until: timedelta | None
) -> None:
    # The update that the test above undoes has touched pages, and an index alone answers for vacuumed ones.
    filled.execute("vacuum orders")
    parameters = parameters_of(END - since, None if until is None else END - until, user_id)
    plan = explain(filled, summary(parameters), parameters)
    counted = """
        select count(*) from orders where created_at >= %(since)s and created_at < %(until)s
        and (%(user_id)s::text is null or user_id = %(user_id)s)
    """
    row = filled.execute(counted, {"user_id": None, "until": END} | parameters).fetchone()
    assert plan.summary == f"Index Only Scan {index}"
    # A block has about fifty entries, and the statement reads each twice.
    assert row is not None
    assert plan.buffers <= row[0] / 20 + 10


def test_open_orders_are_counted_in_one_index_and_no_row(filled: psycopg.Connection[Any]) -> None:
    filled.execute("vacuum orders")
    plan = explain(filled, COUNT_OPEN, {"types": ["limit", "sniper"], "limit": 1000})
    assert "Index Only Scan orders_by_type" in plan.summary
    assert plan.buffers <= 2 * 1000 / 20 + 10
