"""The trials kill no process outside their own stack, and their checks detect a slow recovery."""

import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from chalicelib.codec.times import to_ms
from chalicelib.domain.events import Accepted, Confirmed, Event, EventData, Expired, Failed
from chalicelib.domain.failures import Failure, FailureCode
from tests.faults.durations import distribution
from tests.faults.killing import Kill
from tests.faults.processes import UNAVAILABLE, kill_tree, process, tree_of
from tests.faults.recovery import Life, judge_recovery
from tests.faults.result import Result

_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
_CONFIRMED = Confirmed("raydium", "hash", 1, Decimal(1), Decimal(0))
_PATIENCE_SECONDS = 30


@pytest.fixture
def family() -> Iterator["subprocess.Popen[bytes]"]:
    """A process with a child, and a grandchild in a session of its own."""
    grandchild = "import subprocess; subprocess.run(['sleep', '30'], start_new_session=True)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {grandchild!r}])"
    root = subprocess.Popen([sys.executable, "-c", parent])
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not any(one.command.startswith("sleep") for one in tree_of(root.pid)):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    yield root
    kill_tree(root.pid)
    root.wait()


@pytest.mark.skipif(bool(UNAVAILABLE), reason=UNAVAILABLE)
def test_a_killed_tree_leaves_no_descendant_and_spares_other_processes(family: "subprocess.Popen[bytes]") -> None:
    tree = tree_of(family.pid)
    bystander = subprocess.Popen(["sleep", "30"])
    try:
        assert len(tree) == 3
        # A parent may end by itself once its child is dead.
        assert 0 < kill_tree(family.pid) <= len(tree)
        family.wait(_PATIENCE_SECONDS)
        assert [one for one in tree if process(one.pid) == one] == []
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


@pytest.mark.skipif(bool(UNAVAILABLE), reason=UNAVAILABLE)
def test_an_ended_process_is_not_killed(family: "subprocess.Popen[bytes]") -> None:
    [root, *_] = tree_of(family.pid)
    assert root.kill()
    family.wait()
    assert not root.kill()


def test_a_distribution_names_its_percentiles() -> None:
    assert distribution([]) == "none"
    assert distribution([float(one) for one in range(100)]) == "100: p50 49.0 s, p90 89.0 s, p99 98.0 s, max 99.0 s"


def test_only_the_last_kill_in_the_life_of_an_order_counts() -> None:
    kills = [_kill(-1, cold=True), _kill(2, cold=True), _kill(5, cold=False), _kill(41, cold=True)]
    result = _judged(_life(40, _CONFIRMED), kills)
    assert result.slowest_recovery_seconds == 35
    assert result.violations == ["order: over 35.0 s after the last kill (40.0 s from pending to confirmed)"]


@pytest.mark.parametrize(("seconds", "found"), [(9, 0), (11, 1)])
def test_an_expiry_is_late_after_the_expiry_or_the_last_kill(seconds: int, found: int) -> None:
    life = _life(20 + seconds, Expired(), expires_after=3)
    assert len(_judged(life, [_kill(20, cold=False)]).violations) == found


def test_a_dead_letter_is_detected() -> None:
    exhausted = Failed(Failure(FailureCode.QUEUE_EXHAUSTED, "given up"))
    assert _judged(_life(1, exhausted), []).violations == ["order: became a dead letter"]


def _judged(life: Life, kills: list[Kill]) -> Result:
    result = Result("kills")
    judge_recovery([life], kills, 1, result)
    return result


def _life(seconds: int, end: EventData, expires_after: int | None = None) -> Life:
    events = [Event(1, 0, _BEGAN, Accepted()), Event(2, 1, _BEGAN + timedelta(seconds=seconds), end)]
    return Life("order", events, expires_after and to_ms(_BEGAN) + 1000 * expires_after)


def _kill(seconds: int, *, cold: bool) -> Kill:
    return Kill(to_ms(_BEGAN) + 1000 * seconds, None, cold)
