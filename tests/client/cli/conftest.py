"""``oe`` in the test's process, over an engine that answers as the test says."""

from collections.abc import Callable
from typing import TypeAlias

import pytest
from click.testing import CliRunner, Result

from orderengine.cli.root import oe
from orderengine.cli.settings import Settings
from tests.client.cli.fake_engine import ACCEPTED, LIFE, ORDER, FakeEngine, events_body, record

Run: TypeAlias = Callable[..., Result]


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OE_URL", "OE_KEY", "OE_USER", "OE_WEBHOOK_SECRET", "OE_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "100")


@pytest.fixture
def engine() -> FakeEngine:
    """An engine with one order, which is confirmed."""
    found = FakeEngine()
    found.on("POST", "/api/orders/execute", (202, ACCEPTED))
    found.on("GET", f"/api/orders/{ORDER}/events", events_body(*LIFE))
    found.on("GET", f"/api/orders/{ORDER}", record())
    found.on("HEAD", "/health", "")
    return found


@pytest.fixture
def run(engine: FakeEngine) -> Run:
    """Runs ``oe`` with these arguments."""

    def run_oe(*arguments: str) -> Result:
        return CliRunner().invoke(oe, list(arguments), obj=Settings(transport=engine), prog_name="oe")

    return run_oe
