"""Fixtures of the contract suites: each fake, and the real adapter that it replaces."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psycopg
import pytest

from chalicelib.codec.events import VERSION, event_from_json
from chalicelib.codec.exact_json import dumps, loads
from chalicelib.codec.times import to_text
from chalicelib.domain.events import Event
from chalicelib.history.migrate import migrate
from chalicelib.history.postgres import PostgresHistory
from chalicelib.ports.history import History
from orderengine.testing.fakes.history import FakeHistory
from tests.support.postgres import PostgresServer


@dataclass(frozen=True)
class KeptHistory:
    """A history, and a reader of the events that it keeps of an order, in order of ``seq``."""

    history: History
    events: Callable[[str], list[Event]]


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
        connection.execute("truncate orders, order_events")
    history = PostgresHistory(url, connect_timeout_seconds=2, statement_timeout_seconds=5)
    yield KeptHistory(history, lambda order_id: _events(url, order_id))
    history.close()


@pytest.fixture
def history(kept: KeptHistory) -> History:
    return kept.history


def _fake() -> KeptHistory:
    fake = FakeHistory()
    return KeptHistory(fake, lambda order_id: [event for _, event in sorted(fake.events[order_id].items())])


def _events(url: str, order_id: str) -> list[Event]:
    """The rows of ``order_events``, read by the reader of events in the orders table.

    The status of a row must be the status of its data.
    """
    query = "select seq, status, attempt, at, kind, meta::text from order_events where order_id = %s order by seq"
    events = []
    with psycopg.connect(url) as connection:
        for seq, status, attempt, at, kind, meta in connection.execute(query, [order_id]):
            head = {"v": VERSION, "seq": seq, "attempt": attempt, "at": to_text(at), "kind": kind}
            event = event_from_json(dumps(head | {"data": loads(meta)}))
            assert event.status.value == status
            events.append(event)
    return events
