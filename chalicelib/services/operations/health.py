"""Health of the engine's dependencies."""

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime

from chalicelib.ports.history import History
from chalicelib.ports.orders import HistoryLag, OrderStore
from chalicelib.ports.queues import OrderQueue
from chalicelib.services.operations.recent import Recent
from chalicelib.services.operations.stats import MAX_COUNTED_LAG

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Health:
    """The state of each dependency by name (True if it does its work), and the history lag if it is known."""

    dependencies: Mapping[str, bool]
    lag: HistoryLag | None

    @property
    def can_trade(self) -> bool:
        """True if the engine executes orders: it needs no Postgres for that, and the history catches up."""
        return self.dependencies["dynamodb"] and self.dependencies["sqs"]

    @property
    def is_complete(self) -> bool:
        return all(self.dependencies.values())


class CheckHealth:
    """Probes the dependencies. Everybody may ask, so a process probes once a second at most. One per process."""

    def __init__(
        self, orders: OrderStore, queue: OrderQueue, history: History, executor: Executor, now: Callable[[], datetime]
    ) -> None:
        self._orders = orders
        self._queue = queue
        self._history = history
        self._executor = executor
        self._recent = Recent(self._probe, now)

    def __call__(self) -> Health:
        return self._recent()

    def _probe(self) -> Health:
        probes = {"dynamodb": self._orders.ping, "sqs": self._queue.ping, "postgres": self._history.ping}
        lag = self._executor.submit(self._lag)
        answers = self._executor.map(_answers, probes, probes.values())
        return Health(dict(zip(probes, answers, strict=True)), lag.result())

    def _lag(self) -> HistoryLag | None:
        try:
            return self._orders.history_lag(MAX_COUNTED_LAG)
        except Exception:
            # The answer must not fail because a part of it is not known.
            log.exception("the history lag is not known")
            return None


def _answers(name: str, probe: Callable[[], object]) -> bool:
    try:
        probe()
    except Exception:
        # Any error means that the dependency does not answer.
        log.exception("%s does not answer", name)
        return False
    return True
