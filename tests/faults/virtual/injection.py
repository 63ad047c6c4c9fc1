"""Faults at calls to the adapters: each call is counted, and the planned ones go wrong."""

from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from chalicelib.ports.history import HistoryUnavailableError
from chalicelib.ports.streams import PushFailedError


class Crash(BaseException):
    """The process is gone. No ``except`` clause of the engine handles it, as none handles SIGKILL."""


class OutageError(Exception):
    """AWS did not answer."""


class Fault(StrEnum):
    """What goes wrong with a call, before its effect or after it (then only the answer is lost)."""

    CRASH_BEFORE = "crash before"
    CRASH_AFTER = "crash after"
    FAIL_BEFORE = "fail before"
    FAIL_AFTER = "fail after"
    #: The process is frozen for longer than its lease, while the world goes on, and then wakes up.
    STALL_BEFORE = "stall before"
    STALL_AFTER = "stall after"


#: As the ports promise them; everything else raises what the SDK raises.
_OUTAGES: Mapping[str, type[Exception]] = {"history": HistoryUnavailableError, "sockets": PushFailedError}


@dataclass
class Injector:
    """Counts the calls of all ports; ``plan`` says which of them go wrong, by number from 1 on, and how."""

    plan: dict[int, Fault] = field(default_factory=dict)
    stall: Callable[[], None] = lambda: None
    now_ms: Callable[[], int] = lambda: 0
    calls: int = 0
    #: What else happens when a call is made, by its number.
    at_call: dict[int, Callable[[], None]] = field(default_factory=dict)
    #: What went wrong, and when.
    fired: list[tuple[int, str]] = field(default_factory=list)
    #: One entry for each process that is running, the innermost last: whether it has crashed.
    _crashed: list[bool] = field(default_factory=list)

    def run(self, process: Callable[[], Any]) -> Any:
        """Run something as a process of its own. :raises Crash: if it did."""
        self._crashed.append(False)
        try:
            result = process()
            if self._crashed[-1]:
                raise Crash
            return result
        finally:
            self._crashed.pop()

    def call(self, port: str, name: str, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if not self._crashed:
            return function(*args, **kwargs)
        if self._crashed[-1]:
            raise Crash
        self.calls += 1
        self.at_call.get(self.calls, lambda: None)()
        fault = self.plan.get(self.calls)
        if fault is None:
            return function(*args, **kwargs)
        kind, moment = fault.split()
        self.fired.append((self.now_ms(), f"{fault} call {self.calls}, {port}.{name}"))
        if moment == "before":
            self._go_wrong(kind, port)
        result = function(*args, **kwargs)
        if moment == "after":
            self._go_wrong(kind, port)
        return result

    def _go_wrong(self, kind: str, port: str) -> None:
        if kind == "crash":
            self._crashed[-1] = True
            raise Crash
        if kind == "fail":
            raise _OUTAGES.get(port, OutageError)("injected")
        self.stall()


class Faulty:
    """Any port, with the injector before each of its methods."""

    def __init__(self, port: Any, name: str, injector: Injector) -> None:
        self._port = port
        self._name = name
        self._injector = injector

    def __getattr__(self, name: str) -> Any:
        function = getattr(self._port, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            return self._injector.call(self._name, name, function, *args, **kwargs)

        return call


class InlineExecutor(Executor):
    """Runs each task on the spot, so that calls come in one order and a crash ends all of its process."""

    def __init__(self, *_: Any, **__: Any) -> None:
        """Takes what a thread pool takes."""

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        try:
            future.set_result(function(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future
