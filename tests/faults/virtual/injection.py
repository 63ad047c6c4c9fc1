"""Fault injection into calls to the adapters: the injector counts each call, and the planned ones fail."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from chalicelib.ports.history import HistoryUnavailableError
from chalicelib.ports.streams import PushFailedError


class Crash(BaseException):
    """The end of the process. No ``except`` clause of the engine catches it, as none catches SIGKILL."""


class OutageError(Exception):
    """AWS did not answer."""


class Fault(StrEnum):
    """A fault in a call, before its effect or after it. A fault after the effect loses only the answer."""

    CRASH_BEFORE = "crash before"
    CRASH_AFTER = "crash after"
    FAIL_BEFORE = "fail before"
    FAIL_AFTER = "fail after"
    #: The process freezes for longer than its lease while other processes run, and then continues.
    STALL_BEFORE = "stall before"
    STALL_AFTER = "stall after"


#: Exceptions that these ports declare. All other ports raise the SDK's own errors.
_OUTAGES: Mapping[str, type[Exception]] = {"history": HistoryUnavailableError, "sockets": PushFailedError}


@dataclass
class Injector:
    """Counts the calls of all ports. ``plan`` maps the number of a call, from 1, to its fault."""

    plan: dict[int, Fault] = field(default_factory=dict)
    stall: Callable[[], None] = lambda: None
    now_ms: Callable[[], int] = lambda: 0
    calls: int = 0
    #: Functions to run at a call, by the number of the call.
    at_call: dict[int, Callable[[], None]] = field(default_factory=dict)
    #: The faults injected so far, each with its time in milliseconds.
    fired: list[tuple[int, str]] = field(default_factory=list)
    #: An entry per running process, the innermost last: True if the process has crashed.
    _crashed: list[bool] = field(default_factory=list)

    def run(self, process: Callable[[], Any]) -> Any:
        """Run ``process`` as a process of its own.

        :raises Crash: if a fault kills the process.
        """
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

    def crash(self) -> None:
        """End the current process.

        :raises Crash: always.
        """
        self._crashed[-1] = True
        raise Crash

    def _go_wrong(self, kind: str, port: str) -> None:
        if kind == "crash":
            self.crash()
        if kind == "fail":
            raise _OUTAGES.get(port, OutageError)("injected")
        self.stall()


class Faulty:
    """A port whose method calls pass through the injector."""

    def __init__(self, port: Any, name: str, injector: Injector) -> None:
        self._port = port
        self._name = name
        self._injector = injector

    def __getattr__(self, name: str) -> Any:
        function = getattr(self._port, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            return self._injector.call(self._name, name, function, *args, **kwargs)

        return call
