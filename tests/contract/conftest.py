"""What the contract suites run on: each fake, and its real twin."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from chalicelib.codec.exact_json import loads
from chalicelib.history.migrate import migrate
from chalicelib.history.postgres import PostgresHistory
from chalicelib.ports.history import History
from tests.fakes.history import FakeHistory
from tests.support.postgres import PostgresServer


@dataclass(frozen=True)
class KeptHistory:
    """A history, and a look past its protocol: the ``(seq, status, attempt, at, meta)`` it keeps of an order."""

    history: History
    events: Callable[[str], list[tuple[Any, ...]]]


@pytest.fixture(scope="session")
def history_url(postgres: PostgresServer) -> str:
    url = postgres.new_database()
    migrate(url)
    return url


@pytest.fixture(params=["fake", "postgres"])
def kept(request: pytest.FixtureRequest) -> Iterator[KeptHistory]:
    if request.param == "fake":
        yield _fake()
        return
    url = request.getfixturevalue("history_url")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("truncate orders cascade")
    history = PostgresHistory(url, connect_timeout_seconds=2, statement_timeout_seconds=5)
    yield KeptHistory(history, lambda order_id: _events(url, order_id))
    history.close()


@pytest.fixture
def history(kept: KeptHistory) -> History:
    return kept.history


def _fake() -> KeptHistory:
    fake = FakeHistory()
    return KeptHistory(
        fake,
        lambda order_id: [
            (event.seq, event.status.value, event.attempt, event.at, event.meta)
            for event in fake.events[order_id].values()
        ],
    )


def _events(url: str, order_id: str) -> list[tuple[Any, ...]]:
    query = "select seq, status, attempt, at, meta::text from order_events where order_id = %s order by seq"
    with psycopg.connect(url) as connection:
        return [(*event, loads(meta)) for *event, meta in connection.execute(query, [order_id])]
