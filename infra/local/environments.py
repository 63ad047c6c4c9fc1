"""Runs functions in a bounded number of environments, those of sockets in the same ones as all others.

The emulator's process imports this file, which must therefore not import this package.
"""

import json
import os
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from subprocess import Popen
from threading import Condition, Lock, Semaphore
from typing import Any

#: Equal to the reserved concurrency of the processor in ``local.yaml``, which this limit must not undercut.
MAX_ENVIRONMENTS = 10
#: The same for the functions of sockets, by event. They are short and come in crowds: more environments would take
#: the share of the API and the processor on a small machine. No client waits for a ``$disconnect``.
MAX_SOCKET_ENVIRONMENTS = {"CONNECT": 2, "MESSAGE": 2, "DISCONNECT": 1}
#: The function whose environments start at once, by a part of its name: an order takes seconds, so ten are of use.
AT_ONCE = "ProcessOrders"
#: Functions that give way to all others, by a part of their name. On AWS every function has its own processors; here
#: the frames of a crowd would slow the orders down.
BACKGROUND = "FanOut"
_NICENESS = 10


class Environments:
    """Runs a function in at most ``MAX_ENVIRONMENTS`` environments, which start in turn; invocations wait.

    AWS has a thousand environments. Here each is a process that takes half a second of a core to start. A burst of
    short invocations would start one for each, though those that run serve them sooner. The limits only delay
    invocations and refuse none. The first environment of a function starts at once.

    ``functions`` is the emulator's Lambda service, ``runtime`` its module of workers.
    """

    NEEDED = ("acquire_worker", "release_worker", "_execute_function")
    NEEDED_OF_RUNTIME = ("Worker", "get_or_create_worker")

    def __init__(self, functions: Any, runtime: Any) -> None:
        self._functions = functions
        self._runtime = runtime
        self._acquire = functions.acquire_worker
        self._release = functions.release_worker
        self._spawn = runtime.Worker._spawn
        self._starting: set[Any] = set()
        self._lock = Lock()
        self._changed: defaultdict[str, Condition] = defaultdict(partial(Condition, self._lock))
        self._sockets = {event: Semaphore(limit) for event, limit in MAX_SOCKET_ENVIRONMENTS.items()}

    def install(self) -> None:
        self._functions.acquire_worker = self.acquire
        self._functions.release_worker = self.release
        # A function, unlike a bound method, becomes a method of the class.
        self._runtime.Worker._spawn = lambda worker: self.spawn(worker)
        self._runtime.get_or_create_worker = self.socket_function

    def acquire(self, name: str, *arguments: Any, **options: Any) -> tuple[Any, str]:
        """Lease a free environment; wait for one if no other may start."""
        with self._lock:
            while True:
                limit = 1 if self._starting and AT_ONCE not in name else MAX_ENVIRONMENTS
                worker, kind = self._acquire(name, *arguments, **options, max_concurrency=limit)
                if worker is not None:
                    break
                self._changed[name].wait()
            if kind == "spawn" and AT_ONCE not in name:
                self._starting.add(worker)
        return worker, kind

    def release(self, worker: Any) -> None:
        """Return an environment, or ``None`` if the emulator has ended all of the function."""
        with self._lock:
            self._release(worker)
            for changed in self._changed.values() if worker is None else [self._changed[worker.func_name]]:
                changed.notify()

    def spawn(self, worker: Any) -> None:
        """Start the process of an environment. The next may start after it."""
        try:
            self._spawn(worker)
            if BACKGROUND in worker.func_name:
                _give_way(worker._proc)
        finally:
            with self._lock:
                self._starting.discard(worker)
                for changed in self._changed.values():
                    changed.notify()

    def socket_function(self, _name: str, config: dict[str, Any], code: bytes, **_: Any) -> "SocketFunction":
        """Return a substitute for the one worker in which the emulator runs the events of all sockets in turn."""
        return SocketFunction(self._functions, {"config": config, "code_zip": code}, self._sockets)


def _give_way(process: "Popen[str]") -> None:
    os.setpriority(os.PRIO_PROCESS, process.pid, _NICENESS)


@dataclass(frozen=True)
class SocketFunction:
    """Invokes the function of a socket's route in the way of all other invocations."""

    functions: Any
    function: dict[str, Any]
    free: Mapping[str, Semaphore]

    def invoke(self, event: dict[str, Any], request_id: str) -> dict[str, Any]:
        with self.free[event["requestContext"]["eventType"]]:
            answer = self.functions._execute_function(self.function, event)
        if not answer.get("error") and not answer.get("throttle"):
            return {"status": "ok", "result": answer["body"]}
        connection_id = event["requestContext"]["connectionId"]
        body = {"message": "Internal server error", "connectionId": connection_id, "requestId": request_id}
        return {"status": "error", "error": json.dumps(body)}
