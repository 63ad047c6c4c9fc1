"""The history behind a real PgBouncer in transaction mode, which passes each statement to another session."""

import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from chalicelib.history.migrate import migrate
from chalicelib.history.postgres import PostgresHistory
from chalicelib.ports.history import OrderFilter
from tests.support.order_builders import NOON, pending
from tests.support.pgbouncer import PROGRAM, SERVER_CONNECTIONS, pgbouncer
from tests.support.postgres import PostgresServer

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="Debian's package pgbouncer is not installed")
CLIENTS = 3 * SERVER_CONNECTIONS
#: Enough for the driver to prepare a statement, which it does at the sixth time.
ORDERS_OF_A_CLIENT = 8
SERVER_SESSIONS = """
    select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
"""


@pytest.fixture(scope="module")
def direct(postgres: PostgresServer) -> str:
    """The address of the server itself."""
    name = conninfo_to_dict(postgres.new_database())["dbname"]
    url = urlunsplit(urlsplit(postgres.url)._replace(path=f"/{name}"))
    migrate(url)
    return url


@pytest.fixture(scope="module")
def pooled(direct: str) -> Iterator[str]:
    # The pooler's user must be able to enter the directory, which is why it is none of pytest's.
    with tempfile.TemporaryDirectory(prefix="test-pgbouncer-") as name:
        directory = Path(name)
        directory.chmod(0o755)
        with pgbouncer(direct, directory) as url:
            yield url


def a_history(url: str, *, is_pooled: bool = True) -> PostgresHistory:
    return PostgresHistory(url, connect_timeout_seconds=2, statement_timeout_seconds=5, is_pooled=is_pooled)


def test_many_clients_record_and_list_over_few_connections(direct: str, pooled: str) -> None:
    histories = [a_history(pooled) for _ in range(CLIENTS)]

    def use(history: PostgresHistory) -> int:
        for _ in range(ORDERS_OF_A_CLIENT):
            order = pending()
            history.record(order)
            history.settled([order.order_id])
            history.quality(NOON)
        return len(history.page(OrderFilter(), 10, None).orders)

    with ThreadPoolExecutor(CLIENTS) as threads:
        assert list(threads.map(use, histories)) == [10] * CLIENTS
    with psycopg.connect(direct) as connection:
        assert connection.execute("select count(*) from orders").fetchall() == [(CLIENTS * ORDERS_OF_A_CLIENT,)]
        assert connection.execute(SERVER_SESSIONS).fetchall() == [(SERVER_CONNECTIONS,)]
    for history in histories:
        history.close()


def test_a_session_that_clients_shared_has_no_settings_and_no_prepared_statements(pooled: str) -> None:
    for _ in range(CLIENTS):
        history = a_history(pooled)
        for _ in range(ORDERS_OF_A_CLIENT):
            history.record(pending())
        history.close()
    with psycopg.connect(pooled, prepare_threshold=None) as connection:
        changed = connection.execute("select name from pg_settings where name like '%timeout' and source = 'session'")
        assert changed.fetchall() == []
        assert connection.execute("select statement from pg_prepared_statements").fetchall() == []
