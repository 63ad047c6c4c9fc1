"""The composition root: it builds an engine on the real adapters without a call to AWS or PostgreSQL."""

import subprocess
import sys
from collections.abc import Callable

import pytest

from chalicelib import bootstrap
from chalicelib.bootstrap import build_engine
from chalicelib.clock import utc_now
from chalicelib.connect import connect
from chalicelib.history.on_demand import HistoryOnDemand
from chalicelib.ports.history import History, HistoryUnavailableError, OrderFilter
from infra.project import ROOT
from orderengine.testing.fakes.secrets import FakeSecrets
from tests.contract.stores.aws import settings
from tests.support.order_builders import pending
from tests.support.workbench import a_workbench

#: A function's start, after which it prints which of the packages in its arguments it has loaded.
_START = """
import os, sys
from dataclasses import MISSING, fields
from chalicelib.settings import Settings
os.environ |= {field.name.upper(): "http://localhost:1" for field in fields(Settings) if field.default is MISSING}
import app
from chalicelib.bootstrap import engine
engine()
print(*sorted(set(sys.argv[1:]) & set(sys.modules)))
"""


def test_a_function_loads_the_sdk_as_it_starts_and_not_within_its_first_event() -> None:
    started = _START.replace("from chalicelib.bootstrap import engine\nengine()\n", "")
    done = subprocess.run(
        [sys.executable, "-c", started, "botocore.client", "pynamodb.models"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["botocore.client", "pynamodb.models"], done.stderr


@pytest.mark.parametrize(("in_lambda", "built"), [("AWS_LAMBDA_FUNCTION_NAME", "True"), ("OTHER", "False")])
def test_a_function_builds_its_engine_as_it_starts_and_nothing_else_does(in_lambda: str, built: str) -> None:
    done = started(f"os.environ[{in_lambda!r}] = 'function'")
    assert done.stdout.split() == [built, "True"], done.stderr


@pytest.mark.parametrize(("handler", "loaded"), [("app.process_orders", "True"), ("app.app", "False")])
def test_the_processor_alone_loads_the_driver_of_the_history_as_it_starts(handler: str, loaded: str) -> None:
    change = f"os.environ |= {{'AWS_LAMBDA_FUNCTION_NAME': 'function', '_HANDLER': {handler!r}}}"
    done = started(change, "'psycopg' in sys.modules")
    assert done.stdout.split()[-1] == loaded, done.stderr


def test_a_function_with_a_wrong_setting_names_it_as_it_starts_and_goes_on_to_its_events() -> None:
    done = started("os.environ |= {'AWS_LAMBDA_FUNCTION_NAME': 'function', 'MARKET_TICK_SECONDS': 'soon'}")
    assert "MARKET_TICK_SECONDS" in done.stdout
    assert done.stdout.split()[-2:] == ["False", "True"], done.stderr


def started(change: str, shown: str = "gc.isenabled()") -> "subprocess.CompletedProcess[str]":
    """A start that prints whether the engine is built, and something else."""
    code = (
        _START.split("import app")[0]
        + f"""
{change}
import app, gc
from chalicelib import bootstrap
print(bootstrap._engine_of_process.cache_info().currsize == 1, {shown}, file=sys.__stdout__)
"""
    )
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_context_may_give_the_entry_points_an_engine_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    of_process, first, second = (a_workbench().engine for _ in range(3))
    monkeypatch.setattr(bootstrap, "_engine_of_process", lambda: of_process)
    with bootstrap.using(first):
        with bootstrap.using(second):
            assert bootstrap.engine() is second
        assert bootstrap.engine() is first
    assert bootstrap.engine() is of_process


def test_an_engine_is_built_on_the_real_adapters() -> None:
    assert build_engine(settings(), connect(settings())).settings == settings()


@pytest.mark.parametrize("package", ["boto3", "s3transfer", "psycopg", "jwt", "cryptography"])
def test_a_function_starts_without_packages_that_most_of_its_events_do_not_need(package: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _START, package, "botocore"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["botocore"], done.stderr


@pytest.mark.parametrize(
    "call",
    [
        lambda history: history.record(pending()),
        lambda history: history.page(OrderFilter(), 10, None),
        lambda history: history.settled([]),
        lambda history: history.quality(utc_now()),
        lambda history: history.ping(),
    ],
)
def test_every_call_of_the_history_reaches_postgres(call: Callable[[History], object]) -> None:
    secrets = FakeSecrets()
    secrets.values[settings().database_secret] = "postgresql://nobody@127.0.0.1:1/none?sslmode=verify-full"
    history = HistoryOnDemand(settings(), secrets)
    for _ in range(2):
        with pytest.raises(HistoryUnavailableError, match="refused"):
            call(history)
