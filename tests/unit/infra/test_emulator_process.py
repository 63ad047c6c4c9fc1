"""The emulator's process bounds its workers, holds messages back until the deployment, and survives a full disk."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Lock

import pytest

from infra.local.emulator_process import MAX_ENVIRONMENTS, Deliveries, LimitedEnvironments, append


def test_a_function_never_has_more_environments_than_the_limit() -> None:
    threads = 4 * MAX_ENVIRONMENTS
    together, lock = Barrier(threads), Lock()
    running = highest = 0

    def execute(*_: object) -> None:
        nonlocal running, highest
        with lock:
            running += 1
            highest = max(highest, running)
        time.sleep(0)
        with lock:
            running -= 1

    limited = LimitedEnvironments(execute)

    def invoke(number: int) -> None:
        together.wait()
        limited({"FunctionName": "ProcessOrders"}, {}, str(number))

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(invoke, range(threads)))
    assert 0 < highest <= MAX_ENVIRONMENTS


def test_no_message_is_delivered_before_the_deployment() -> None:
    polls: list[bool] = []

    def poll() -> bool:
        polls.append(True)
        return True

    deliveries = Deliveries(poll)
    assert not deliveries()
    assert not polls
    deliveries.start()
    assert deliveries()
    assert polls


def test_a_function_goes_on_when_its_log_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE_LOGS", str(tmp_path / "missing"))
    append("engine-local-APIHandler-1", "a line")
