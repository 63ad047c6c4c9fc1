"""The history reads its address on the first call, and again when Postgres lets nobody in."""

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.history.on_demand import HistoryOnDemand
from chalicelib.ports.history import HistoryTooSlowError, HistoryUnavailableError
from orderengine.testing.fakes.secrets import FakeSecrets
from orderengine.testing.parts import SETTINGS

SECRET = SETTINGS.database_secret
OLD, NEW = "postgresql://old:hunter2@localhost/orders", "postgresql://new:hunter3@localhost/orders"


class Postgres:
    """Stands in for ``PostgresHistory``: servers by address, each of which may fail."""

    def __init__(self) -> None:
        self.failures: dict[str, Exception] = {}
        self.calls: list[str] = []
        self.closed: list[str] = []

    def __call__(self, url: str, **_: Any) -> "Session":
        return Session(self, url)


class Session:
    def __init__(self, postgres: Postgres, url: str) -> None:
        self.postgres, self.url = postgres, url

    def ping(self) -> None:
        self.postgres.calls.append(self.url)
        if failure := self.postgres.failures.get(self.url):
            raise failure

    def close(self) -> None:
        self.postgres.closed.append(self.url)


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def postgres(monkeypatch: pytest.MonkeyPatch) -> Postgres:
    postgres = Postgres()
    monkeypatch.setattr("chalicelib.history.postgres.PostgresHistory", postgres)
    return postgres


@pytest.fixture
def secrets() -> FakeSecrets:
    secrets = FakeSecrets()
    secrets.values[SECRET] = OLD
    return secrets


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def history(postgres: Postgres, secrets: FakeSecrets, clock: Clock) -> HistoryOnDemand:
    return HistoryOnDemand(replace(SETTINGS, aws_endpoint_url="http://localhost:1"), secrets, clock)


def unavailable(history: HistoryOnDemand) -> str:
    with pytest.raises(HistoryUnavailableError) as refused:
        history.ping()
    return str(refused.value)


def test_the_secret_is_read_once_and_not_before_the_first_call(
    history: HistoryOnDemand, secrets: FakeSecrets, postgres: Postgres
) -> None:
    assert secrets.reads == []
    for _ in range(3):
        history.ping()
    assert (secrets.reads, postgres.calls) == ([SECRET], [OLD] * 3)


def test_a_secret_that_cannot_be_read_is_as_postgres_down_and_soon_asked_for_again(
    history: HistoryOnDemand, secrets: FakeSecrets, clock: Clock
) -> None:
    secrets.down = True
    assert unavailable(history) == SECRET
    secrets.down = False
    # The next orders do not wait for it.
    assert unavailable(history) == "the address of Postgres could not be read a moment ago"
    assert secrets.reads == [SECRET]
    clock.seconds += 5
    history.ping()


@pytest.mark.parametrize("value", ["hunter2", '{"password": "hunter2"}', OLD])
def test_an_address_that_must_not_be_used_is_as_postgres_down_until_it_is_mended(
    secrets: FakeSecrets, postgres: Postgres, clock: Clock, value: str
) -> None:
    history = HistoryOnDemand(replace(SETTINGS, aws_endpoint_url=None), secrets, clock)
    secrets.values[SECRET] = value
    reason = unavailable(history)
    assert reason.startswith(f"the value of the secret {SECRET} ")
    assert "hunter2" not in reason
    assert postgres.calls == []
    secrets.values[SECRET] = f"{NEW}?sslmode=verify-full"
    clock.seconds += 5
    history.ping()


def test_a_changed_password_costs_no_call(history: HistoryOnDemand, secrets: FakeSecrets, postgres: Postgres) -> None:
    history.ping()
    postgres.failures[OLD] = HistoryUnavailableError("password authentication failed")
    secrets.values[SECRET] = NEW
    history.ping()
    history.ping()
    assert (postgres.calls, postgres.closed) == ([OLD, OLD, NEW, NEW], [OLD])


def test_while_postgres_is_down_the_secret_is_read_once_a_minute(
    history: HistoryOnDemand, secrets: FakeSecrets, postgres: Postgres, clock: Clock
) -> None:
    postgres.failures[OLD] = HistoryUnavailableError("down")
    for _ in range(3):
        assert unavailable(history) == "down"
    assert secrets.reads == [SECRET] * 2
    clock.seconds += 60
    assert unavailable(history) == "down"
    assert secrets.reads == [SECRET] * 3
    assert (set(postgres.calls), postgres.closed) == ({OLD}, [])


@pytest.mark.parametrize("value", [None, "hunter2"])
def test_an_address_that_cannot_be_renewed_leaves_the_one_in_use(
    history: HistoryOnDemand, secrets: FakeSecrets, postgres: Postgres, value: str | None
) -> None:
    history.ping()
    postgres.failures[OLD] = HistoryUnavailableError("down")
    secrets.down = value is None
    secrets.values[SECRET] = value or OLD
    assert unavailable(history) == "down"
    postgres.failures.clear()
    history.ping()


def test_a_slow_server_is_no_reason_to_read_the_secret(
    history: HistoryOnDemand, secrets: FakeSecrets, postgres: Postgres
) -> None:
    postgres.failures[OLD] = HistoryTooSlowError("slow")
    assert unavailable(history) == "slow"
    assert secrets.reads == [SECRET]
