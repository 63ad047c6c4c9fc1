"""Virtual time: who moves it, and what happens in it."""

import subprocess
import sys
from collections import Counter
from datetime import timedelta
from time import process_time

import pytest

from chalicelib.domain.status import Status
from infra.project import ROOT
from orderengine.testing import engine as an_engine
from orderengine.testing.durations import seconds_of
from orderengine.testing.handle import VirtualEngine
from tests.support.kit import asked, body_of, get, opened, place, seqs_of

#: Prints the seconds until an engine is ready, and which heavy packages it has loaded.
_READY = """
import sys, time
began = time.perf_counter()
from orderengine.testing import engine
with engine(seed="x") as e:
    print(f"ready within {time.perf_counter() - began:.3f} s", file=sys.stderr)
print(*sorted({"boto3", "botocore.session", "psycopg", "pynamodb.models", "uvicorn"} & set(sys.modules)))
"""


def test_an_engine_is_ready_without_aws_and_postgres() -> None:
    command = [sys.executable, "-c", _READY]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    print(done.stderr)
    assert (done.returncode, done.stdout.split()) == (0, []), done.stderr


def test_the_import_of_the_kit_leaves_the_logging_of_the_tester_alone() -> None:
    script = (
        "import logging\nbefore = list(logging.getLogger().handlers)\nfrom orderengine.testing import engine\n"
        "with engine(): pass\nassert logging.getLogger().handlers == before\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True)


def test_waiting_for_an_order_takes_no_real_time(engine: VirtualEngine) -> None:
    began = engine.now
    order_id = place(engine)
    assert seqs_of(opened(engine, f"/ws/orders/{order_id}")) == [1, 2, 3, 4, 5, 6]
    assert engine.orders[order_id].status is Status.CONFIRMED
    assert engine.now - began > timedelta(seconds=60)


def test_ten_orders_take_about_as_long_as_one(engine: VirtualEngine) -> None:
    began = engine.now
    place(engine)
    assert engine.settle()
    one, began = engine.now - began, engine.now
    for _ in range(10):
        place(engine)
    assert engine.settle()
    assert engine.now - began < 1.5 * one
    assert Counter(order.status for order in engine.orders.values()) == {Status.CONFIRMED: 11}


def test_an_eleventh_order_waits_for_a_free_processor(engine: VirtualEngine) -> None:
    for _ in range(11):
        place(engine)
    engine.advance(1)
    assert Counter(order.status for order in engine.orders.values()) == {Status.SUBMITTED: 10, Status.PENDING: 1}


def test_advancing_lets_an_order_expire(engine: VirtualEngine) -> None:
    expires = (engine.now + timedelta(minutes=20)).isoformat()
    order_id = place(engine, type="limit", limitPrice="900", expiresAt=expires)
    engine.advance("19m")
    assert engine.orders[order_id].status is Status.OPEN
    began = engine.now
    assert engine.advance("2m") == began + timedelta(minutes=2)
    assert engine.orders[order_id].status is Status.EXPIRED


def test_a_long_poll_waits_while_the_order_moves_on(engine: VirtualEngine) -> None:
    order_id = place(engine)
    waited = asked(engine, get(f"/api/orders/{order_id}/events", afterSeq="5", wait="20"))
    assert [event["status"] for event in body_of(waited)["events"]] == ["confirmed"]


def test_a_long_poll_of_a_resting_order_lasts_its_time(engine: VirtualEngine) -> None:
    order_id, began = place(engine, type="limit", limitPrice="900"), engine.now
    waited = asked(engine, get(f"/api/orders/{order_id}/events", afterSeq="2", wait="20"))
    assert (body_of(waited)["events"], engine.now - began) == ([], timedelta(seconds=20))


def test_a_thousand_orders_live_and_die() -> None:
    began = process_time()
    with an_engine(seed="crowd") as engine:
        for number in range(1000):
            place(engine, userId=f"bot-{number % 50}", amountIn=f"0.{number + 1}")
        assert engine.settle()
        ended = Counter(order.status for order in engine.orders.values())
    print(f"1,000 orders' lives: {process_time() - began:.1f} s of CPU")
    assert ended == {Status.CONFIRMED: 1000}


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("90s", 90),
        ("30m", 1800),
        ("1h30m", 5400),
        ("2d", 172_800),
        (1.5, 1.5),
        (timedelta(hours=1), 3600),
        ("0.5s", 0.5),
    ],
)
def test_a_duration_is_a_text_a_number_or_a_timedelta(written: str | float | timedelta, seconds: float) -> None:
    assert seconds_of(written) == seconds


@pytest.mark.parametrize("written", ["", "30", "m", "1 week", "-5s", -5, float("nan"), timedelta(seconds=-1)])
def test_other_durations_are_refused(written: str | float | timedelta) -> None:
    with pytest.raises(ValueError, match=r"duration|backwards"):
        seconds_of(written)
