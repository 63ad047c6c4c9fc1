"""A replay of an order: compute the values that its events keep once more, and report where the results differ."""

from dataclasses import dataclass

from chalicelib.domain.orders import Order
from chalicelib.ports.hindsight import Hindsight
from chalicelib.services.orders.replayed_life import ReplayedLife


@dataclass(frozen=True, slots=True)
class Difference:
    """A value that the order keeps and that the engine now computes differently."""

    seq: int
    field: str
    kept: str
    computed: str


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """``checked`` counts the values compared; ``unknown`` the quotes, failures and fills whose pushed price or launch
    is not kept any more, or is beyond the prices that the replay looks up.
    """

    order_id: str
    checked: int
    differences: tuple[Difference, ...]
    unknown: int

    @property
    def matches(self) -> bool:
        return not self.differences


@dataclass(frozen=True, slots=True)
class ReplayOrder:
    """``max_prices`` is how many pushed prices a replay looks up singly; ``None`` means all that the order knew."""

    hindsight: Hindsight
    max_prices: int | None = None

    def __call__(self, order: Order) -> ReplayReport:
        """Replay an order, also one that is not over yet. The caller has read it and may see it."""
        life = ReplayedLife(self.hindsight, order, self.max_prices)
        compared = [(event.seq, value) for event in order.events for value in life.after(event)]
        differences = tuple(
            Difference(seq, value.field, value.kept, value.computed)
            for seq, value in compared
            if value.kept != value.computed
        )
        return ReplayReport(order.order_id, len(compared), differences, life.unknown)
