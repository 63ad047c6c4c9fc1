"""SIGKILL for Lambda workers at random moments."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from tests.faults.processes import Process, process, process_ids, processes

#: A cold start takes about as long; nearly every worker dies before its first line.
_COLD_SECONDS = 0.6
#: The functions that serve clients, and the share of their new workers that survive.
_SERVING, _SURVIVAL = ("APIHandler", "Websocket"), 0.7
_RUNNING_PAUSE_SECONDS = 0.25
#: Interval at which new processes are looked for.
_POLL_SECONDS = 0.005
#: Maximum time of a storm: a stack in which no worker starts any more ends it.
_STORM_SECONDS = 45


@dataclass(frozen=True)
class Kill:
    """The end of a worker. ``function`` is None if it had not loaded its program yet."""

    at_ms: int
    function: str | None
    cold: bool


@dataclass
class Killer:
    """Kills the workers of one emulator."""

    emulator: Process
    random: Random
    kills: list[Kill] = field(default_factory=list)

    def kill_cold(self, number: int) -> None:
        """Kill every worker, and then this many new ones, each within 600 ms of its start.

        Most new workers that serve clients survive: otherwise no order would be accepted meanwhile, and hardly any
        other worker would start.
        """
        known, due = process_ids(), list[tuple[float, Process]]()
        for worker in self._workers():
            self._kill(worker, cold=False)

        def kill_due() -> int:
            nonlocal known, due
            now, ids = time.monotonic(), process_ids()
            born = [one for one in map(process, ids - known) if one and one.parent == self.emulator.pid]
            known = ids
            due += [(now + self.random.uniform(0, _COLD_SECONDS), one) for one in born]
            killed = sum(self._kill_new(one) for at, one in due if at <= now)
            due = [(at, one) for at, one in due if at > now]
            return killed

        _storm(number, kill_due)

    def kill_running(self, number: int) -> None:
        """Kill this many workers that have started, each of a random function."""
        at = time.monotonic()

        def kill_one() -> int:
            nonlocal at
            if time.monotonic() < at:
                return 0
            at = time.monotonic() + self.random.expovariate(1 / _RUNNING_PAUSE_SECONDS)
            started = [one for one in self._workers() if one.age_seconds > 2 * _COLD_SECONDS and one.function]
            if not started:
                return 0
            function = self.random.choice(sorted({str(one.function) for one in started}))
            return self._kill(self.random.choice([one for one in started if one.function == function]), cold=False)

        _storm(number, kill_one)

    def _workers(self) -> list[Process]:
        return [one for one in processes() if one.parent == self.emulator.pid]

    def _kill_new(self, worker: Process) -> bool:
        survives = (worker.function or "").startswith(_SERVING) and self.random.random() < _SURVIVAL
        return not survives and self._kill(worker, cold=True)

    def _kill(self, worker: Process, *, cold: bool) -> bool:
        function = worker.function
        if killed := worker.kill():
            self.kills.append(Kill(time.time_ns() // 1_000_000, function, cold))
        return killed


def _storm(number: int, kill: Callable[[], int]) -> None:
    """Poll ``kill``, which returns its number of kills, until it has killed this many."""
    deadline = time.monotonic() + _STORM_SECONDS
    while number > 0 and time.monotonic() < deadline:
        number -= kill()
        time.sleep(_POLL_SECONDS)
