"""What an engine takes from its process: the clocks, pauses, threads, ids and chance."""

import random
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from uuid import uuid4

from chalicelib.clock import Clock, utc_now
from chalicelib.threads import threads


def _new_id() -> str:
    return str(uuid4())


@dataclass(frozen=True, slots=True)
class Runtime:
    """The process itself. Tests bring virtual time, threads that run inline, and chance of a seed.

    ``sleep`` and ``monotonic`` are in seconds. ``threads`` makes a pool of a size and a name, ``new_id`` an order id,
    and ``uniform`` a number between two bounds.
    """

    now: Clock = utc_now
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    threads: Callable[[int, str], Executor] = threads
    new_id: Callable[[], str] = _new_id
    uniform: Callable[[float, float], float] = random.uniform


#: The runtime of a deployed function.
PROCESS = Runtime()
