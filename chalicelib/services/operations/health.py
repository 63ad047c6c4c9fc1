"""How the engine's dependencies are."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.ports.history import History
from chalicelib.ports.orders import OrderStore
from chalicelib.ports.queues import OrderQueue
from chalicelib.services.operations.stats import lag_of

log = logging.getLogger(__name__)

_NO_ORDER = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class Health:
    """Each dependency by name, and whether it answers; ``lag`` of the history where it is known."""

    dependencies: Mapping[str, bool]
    lag: Mapping[str, Any] | None

    @property
    def can_trade(self) -> bool:
        """Orders go on while Postgres is away; history catches up."""
        return self.dependencies["dynamodb"] and self.dependencies["sqs"]

    def as_body(self) -> dict[str, Any]:
        return {
            "status": "ok" if all(self.dependencies.values()) else "degraded" if self.can_trade else "down",
            "dependencies": {name: "ok" if well else "down" for name, well in self.dependencies.items()},
            "history": self.lag,
        }


@dataclass(frozen=True, slots=True)
class CheckHealth:
    orders: OrderStore
    queue: OrderQueue
    history: History

    def __call__(self) -> Health:
        dependencies = {
            "dynamodb": _answers("dynamodb", lambda: self.orders.get(_NO_ORDER)),
            "sqs": _answers("sqs", self.queue.ping),
            "postgres": _answers("postgres", self.history.ping),
        }
        return Health(dependencies, lag_of(self.orders) if dependencies["dynamodb"] else None)


def _answers(name: str, ask: Callable[[], object]) -> bool:
    try:
        ask()
    except Exception:
        # Whatever is wrong with it, it does not answer.
        log.exception("%s does not answer", name)
        return False
    return True
