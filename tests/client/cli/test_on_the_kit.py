"""``oe`` against the engine itself, in virtual time."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner

from orderengine.cli.root import oe
from orderengine.cli.settings import Settings
from tests.client.cli.conftest import Run

kit = pytest.importorskip("orderengine.testing")


@pytest.fixture
def site() -> Iterator[Any]:
    with kit.engine(seed="oe", simulation="on") as found:
        yield found


@pytest.fixture
def run(site: Any) -> Run:
    def run_oe(*arguments: str) -> Any:
        settings = Settings(user="b", transport=site.transport)
        return CliRunner().invoke(oe, list(arguments), obj=settings, prog_name="oe")

    return run_oe


def test_an_order_is_watched_to_its_end_and_explained(run: Run) -> None:
    placed = run("sell", "1.5", "SOL", "USDC", "--simulate", "tx_dropped:1", "--watch")
    frames = [json.loads(line) for line in placed.stdout.splitlines()]
    assert placed.exit_code == 0
    assert [frame["seq"] for frame in frames] == list(range(1, len(frames) + 1))
    order_id = frames[0]["orderId"]
    assert json.loads(run("get", order_id).stdout)["status"] == "confirmed"
    assert "TX_DROPPED" in run("explain", order_id, "--table").stdout
    assert run("replay", order_id).exit_code == 0
    assert run("cancel", order_id).exit_code == 5


def test_a_repeat_with_the_same_key_places_nothing(run: Run) -> None:
    words = ("sell", "1.5", "SOL", "USDC", "--idempotency-key", "k1")
    assert json.loads(run(*words).stdout)["orderId"] == json.loads(run(*words).stdout)["orderId"]
    assert len(run("ls").stdout.splitlines()) == 1


def test_a_limit_order_is_amended_and_expires(run: Run, site: Any) -> None:
    placed = json.loads(run("sell", "1", "SOL", "USDC", "--limit", "300", "--expires", "1h").stdout)
    assert run("amend", placed["orderId"], "--limit", "400").exit_code == 0
    site.advance("2h")
    assert run("watch", placed["orderId"]).exit_code == 12


def test_a_launch_that_is_told_triggers_a_snipe(run: Run) -> None:
    mint = "7xKXtg2CW87d97TXJSDpbD5jBkheTqA83TZRuJosgAsU"
    placed = json.loads(run("snipe", mint, "1", "SOL").stdout)
    assert run("tell", "pool", mint, "--venue", "raydium", "--price", "0.01", "--liquidity", "5000").exit_code == 0
    assert run("watch", placed["orderId"]).exit_code == 0
