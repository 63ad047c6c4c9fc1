"""Every list and the statistics read a bounded part of the history, whatever they ask for."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from chalicelib.history.quality import QUALITY, parameters_of
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
    assert (plan.rows, plan.summary) == (0, "Index Scan orders_of_user")
    assert plan.buffers <= MAX_BUFFERS


def test_statistics_read_one_index_and_no_row(filled: psycopg.Connection[Any]) -> None:
    plan = explain(filled, QUALITY, parameters_of(END - timedelta(days=90)))
    assert plan.summary == "Index Only Scan orders_by_time"
    assert plan.buffers < ORDERS / 20
