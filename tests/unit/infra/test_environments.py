"""The emulator runs functions in a bounded number of environments, and those of sockets side by side."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event, Lock
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from infra.aws.template import load_template
from infra.local.environments import MAX_ENVIRONMENTS, MAX_SOCKET_ENVIRONMENTS, Environments
from infra.project import ROOT
from tests.support.emulator import emulator_module

CONFIG = {"FunctionName": "f", "FunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:f"}


def test_the_emulator_has_the_functions_that_are_adapted() -> None:
    assert all(hasattr(lambda_svc, name) for name in Environments.NEEDED)
    assert all(hasattr(lambda_runtime, name) for name in Environments.NEEDED_OF_RUNTIME)


class Emulator:
    """The emulator's own pool of environments, whose processes start when a test lets them."""

    def __init__(self) -> None:
        self.runtime = emulator_module("core.lambda_runtime")
        self.started = Event()
        self.may_start = Event()
        self.runtime.Worker._spawn = self.spawn
        self.functions = SimpleNamespace(
            acquire_worker=self.runtime.acquire_worker,
            release_worker=self.runtime.release_worker,
            _execute_function=lambda *_: {"body": None},
        )
        self.environments = Environments(self.functions, self.runtime)
        self.environments.install()

    def spawn(self, *_: Any) -> None:
        self.started.set()
        assert self.may_start.wait(10)

    def acquire(self, name: str = "f") -> Any:
        worker, kind = self.functions.acquire_worker(name, CONFIG, b"", qualifier="$LATEST")
        if kind == "spawn":
            worker._spawn()
        return worker

    def acquire_before_the_others(self) -> Any:
        """Start the first environment, and let no other start yet."""
        self.may_start.set()
        worker = self.acquire()
        self.may_start.clear()
        self.started.clear()
        return worker

    def release(self, worker: Any) -> None:
        self.functions.release_worker(worker)


@pytest.fixture
def emulator() -> Emulator:
    return Emulator()


def test_a_function_never_has_more_environments_than_the_limit(emulator: Emulator) -> None:
    threads = 4 * MAX_ENVIRONMENTS
    together, lock = Barrier(threads), Lock()
    running = highest = 0
    emulator.may_start.set()

    def invoke(_: int) -> None:
        nonlocal running, highest
        together.wait()
        worker = emulator.acquire()
        with lock:
            running += 1
            highest = max(highest, running)
        with lock:
            running -= 1
        emulator.release(worker)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(invoke, range(threads)))
    assert 0 < highest <= MAX_ENVIRONMENTS


def test_an_invocation_takes_an_environment_that_becomes_free_while_another_starts(emulator: Emulator) -> None:
    first = emulator.acquire_before_the_others()
    with ThreadPoolExecutor(2) as pool:
        second = pool.submit(emulator.acquire)
        assert emulator.started.wait(10)
        third = pool.submit(emulator.acquire)
        emulator.release(first)
        assert third.result(10) is first
        emulator.may_start.set()
        assert second.result(10) is not first


@pytest.mark.parametrize("ends", ["starts", "fails"])
def test_the_next_environment_starts_when_the_one_before_it(ends: str, emulator: Emulator) -> None:
    emulator.acquire_before_the_others()
    with ThreadPoolExecutor(2) as pool:
        second = pool.submit(emulator.acquire)
        assert emulator.started.wait(10)
        third = pool.submit(emulator.acquire)
        if ends == "fails":
            emulator.release(None)
        emulator.may_start.set()
        assert second.result(10) is not third.result(10)


def test_the_first_environment_of_a_function_starts_while_one_of_another_starts(emulator: Emulator) -> None:
    emulator.acquire_before_the_others()
    with ThreadPoolExecutor(2) as pool:
        second = pool.submit(emulator.acquire)
        assert emulator.started.wait(10)
        emulator.started.clear()
        other = pool.submit(emulator.acquire, "g")
        assert emulator.started.wait(10)
        emulator.may_start.set()
        assert second.result(10)
        assert other.result(10).func_name == "g"


def test_the_functions_of_sockets_run_side_by_side_and_leave_room_for_others(emulator: Emulator) -> None:
    limit = MAX_SOCKET_ENVIRONMENTS["MESSAGE"]
    running = Barrier(limit + 1)
    end = Event()
    lock, started = Lock(), 0

    def execute(*_: Any) -> dict[str, Any]:
        nonlocal started
        with lock:
            started += 1
        if started <= limit:
            running.wait(10)
        assert end.wait(10)
        return {"body": {"statusCode": 200}}

    emulator.functions._execute_function = execute
    with ThreadPoolExecutor(limit + 1) as pool:
        answers = [pool.submit(_socket_event(emulator)) for _ in range(limit + 1)]
        running.wait(10)
        assert started == limit
        end.set()
        assert all(answer.result(10) == {"status": "ok", "result": {"statusCode": 200}} for answer in answers)


@pytest.mark.parametrize("failure", [{"error": True, "body": {"errorMessage": "Traceback"}}, {"throttle": True}])
def test_a_client_whose_function_fails_learns_what_it_learns_on_aws(failure: Any, emulator: Emulator) -> None:
    emulator.functions._execute_function = lambda *_: failure
    answer = _socket_event(emulator)()
    assert answer["status"] == "error"
    assert json.loads(answer["error"]) == {
        "message": "Internal server error",
        "connectionId": "c1",
        "requestId": "r1",
    }


def _socket_event(emulator: Emulator) -> Callable[[], Any]:
    def invoke() -> Any:
        function = emulator.runtime.get_or_create_worker("f", CONFIG, b"", qualifier="$LATEST")
        return function.invoke({"requestContext": {"connectionId": "c1", "eventType": "MESSAGE"}}, "r1")

    return invoke


def test_the_function_that_pushes_to_crowds_gives_way_to_all_others(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    niceness: dict[int, int] = {}
    monkeypatch.setattr("os.setpriority", lambda kind, process, value: niceness.update({process: value}))
    for number, name in enumerate(("engine-local-FanOut-1", "engine-local-ProcessOrders-1"), start=1):
        emulator.may_start.set()
        worker = Mock(func_name=name)
        worker._proc.pid = number
        emulator.environments.spawn(worker)
    assert niceness == {1: 10}


def test_the_environments_of_the_processor_start_at_once(emulator: Emulator) -> None:
    acquired = [
        emulator.functions.acquire_worker("engine-local-ProcessOrders-1", CONFIG, b"", qualifier="$LATEST")
        for _ in range(MAX_ENVIRONMENTS)
    ]
    assert [kind for _, kind in acquired] == ["spawn"] * MAX_ENVIRONMENTS


def test_the_api_knows_how_many_environments_it_has() -> None:
    api = load_template(ROOT / "infra/local/local.yaml")["Resources"]["APIHandler"]["Properties"]
    assert api["Environment"]["Variables"]["API_CONCURRENCY"] == str(MAX_ENVIRONMENTS)
