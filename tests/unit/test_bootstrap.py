"""The composition root: it builds an engine on the real adapters without a call to AWS or PostgreSQL."""

import subprocess
import sys
from collections.abc import Callable

import pytest

from chalicelib.adapters import connect
from chalicelib.bootstrap import build_engine
from chalicelib.clock import utc_now
from chalicelib.history.on_demand import HistoryOnDemand
from chalicelib.ports.history import History, HistoryUnavailableError, OrderFilter
from infra.project import ROOT
from tests.contract.stores.aws import settings
from tests.fakes.secrets import FakeSecrets
from tests.support.order_builders import pending

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
