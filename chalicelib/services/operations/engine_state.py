"""What the engine does at this moment, for operators."""

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chalicelib.codec.times import to_ms, to_seconds
from chalicelib.domain.identity import Caller, Scope
from chalicelib.domain.rate_limit import SlotUse
from chalicelib.domain.status import OrderType
from chalicelib.ports.history import History, HistoryTooSlowError
from chalicelib.ports.orders import HistoryLag, OrderStore
from chalicelib.ports.queues import DeadLetterQueue, MessageQueue, QueueDepth
from chalicelib.ports.rate_limit import RateLimitSlots
from chalicelib.ports.streams import OpenSockets, StreamStore
from chalicelib.ports.verdicts import DoctorVerdict, Verdicts
from chalicelib.services.operations.recent import Recent
from chalicelib.services.operations.stats import MAX_COUNTED_LAG, Outage
from chalicelib.services.operations.work import FindWork, Work

log = logging.getLogger(__name__)

#: Open orders of each type are counted up to this number.
MAX_COUNTED_OPEN = 10_000
#: The entries of the streams table among which the open sockets are counted.
MAX_COUNTED_SOCKETS = 1000
#: Slots of the rate limit that are read: about a megabyte. A limit may be a hundred times as high.
MAX_READ_SLOTS = 10_000


class TooManySlotsError(Exception):
    """The rate limit has more slots than a look at the state reads."""


@dataclass(frozen=True, slots=True)
class EngineState:
    """The parts of the engine's state, each from a source of its own. A part whose source fails is ``None``.

    ``normal`` and ``high`` are the queues of the two lanes. ``starts`` is empty without a rate limit. ``verdict`` is
    ``None`` too if the doctor has never stored one. ``outages`` names each part that is missing, with the reason.
    """

    at: datetime
    per_minute: int
    work: Work | None = None
    normal: QueueDepth | None = None
    high: QueueDepth | None = None
    starts: SlotUse | None = None
    open: Mapping[OrderType, int] | None = None
    dead_letters: QueueDepth | None = None
    unprocessable: QueueDepth | None = None
    replay: QueueDepth | None = None
    fan_out: QueueDepth | None = None
    lag: HistoryLag | None = None
    sockets: OpenSockets | None = None
    verdict: DoctorVerdict | None = None
    outages: Mapping[str, Outage] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EngineSources:
    """What knows the parts of the engine's state. ``per_minute`` 0 is no rate limit, which then has no slots."""

    find_work: FindWork
    orders: OrderStore
    order_queue: MessageQueue
    high_priority_queue: MessageQueue
    dead_letter_queue: DeadLetterQueue
    replay_queue: MessageQueue
    fan_out_queue: MessageQueue
    rate_limit_slots: RateLimitSlots
    history: History
    streams: StreamStore
    verdicts: Verdicts
    per_minute: int

    def parts(self, at: datetime) -> dict[str, Callable[[], object]]:
        """The call that reads each part, by its name in ``EngineState``."""
        return {
            "work": lambda: self.find_work(at),
            "normal": self.order_queue.depth,
            "high": self.high_priority_queue.depth,
            "starts": lambda: self._starts(at),
            "open": lambda: self.history.count_open(MAX_COUNTED_OPEN),
            "dead_letters": self.dead_letter_queue.depth,
            "unprocessable": self.dead_letter_queue.unprocessable_depth,
            "replay": self.replay_queue.depth,
            "fan_out": self.fan_out_queue.depth,
            "lag": lambda: self.orders.history_lag(MAX_COUNTED_LAG),
            "sockets": lambda: self.streams.count_open(to_seconds(at), MAX_COUNTED_SOCKETS),
            "verdict": self.verdicts.last,
        }

    def _starts(self, at: datetime) -> SlotUse:
        """:raises TooManySlotsError: for a rate limit over ``MAX_READ_SLOTS``."""
        if self.per_minute > MAX_READ_SLOTS:
            raise TooManySlotsError(self.per_minute)
        return self.rate_limit_slots.use(to_ms(at)) if self.per_minute else SlotUse()


class ShowEngine:
    """Reads the engine's state. Pages poll it, so a process reads it once a second at most. One per process."""

    def __init__(self, sources: EngineSources, executor: Executor, now: Callable[[], datetime]) -> None:
        self._sources = sources
        self._executor = executor
        self._now = now
        self._recent = Recent(self._read, now)

    def __call__(self, caller: Caller) -> EngineState:
        """:raises MissingScopeError: if the caller lacks ``operate``."""
        caller.require(Scope.OPERATE)
        return self._recent()

    def _read(self) -> EngineState:
        at = self._now()
        asked = {name: self._executor.submit(read) for name, read in self._sources.parts(at).items()}
        found: dict[str, Any] = {}
        outages: dict[str, Outage] = {}
        for name, answer in asked.items():
            try:
                found[name] = answer.result()
            except Exception as error:
                # The other parts are known.
                log.exception("a part of the engine's state is not known", extra={"part": name})
                too_slow = isinstance(error, HistoryTooSlowError | TooManySlotsError)
                outages[name] = Outage.TOO_SLOW if too_slow else Outage.UNAVAILABLE
        return EngineState(at, self._sources.per_minute, **found, outages=outages)
