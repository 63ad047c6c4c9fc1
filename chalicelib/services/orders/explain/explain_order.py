"""The explanation of an order, from its events, the market as it was, and the replay."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.identity import Caller
from chalicelib.ports.hindsight import Hindsight
from chalicelib.ports.orders import OrderStore
from chalicelib.services.orders.explain.attempts import attempts_of
from chalicelib.services.orders.explain.counterfactuals import counterfactuals_of
from chalicelib.services.orders.explain.decisions import decisions_of
from chalicelib.services.orders.explain.explanation import Explanation
from chalicelib.services.orders.explain.past_orders import orders_before
from chalicelib.services.orders.explain.story import story_of
from chalicelib.services.orders.explain.summary import summary_of
from chalicelib.services.orders.explain.windows import FillTimes
from chalicelib.services.orders.lookup import find_order
from chalicelib.services.orders.replay import ReplayOrder

#: Pushed prices that the replay of an explanation looks up singly, where one history of the order's execution lacks
#: them: those of an order that missed its price many times over weeks.
_MAX_REPLAYED_PRICES = 12


@dataclass(frozen=True, slots=True)
class ExplainOrder:
    """``max_attempts`` is how many attempts an order has, ``fill_times`` how long the fill of an open order takes."""

    orders: OrderStore
    hindsight: Hindsight
    now: Callable[[], datetime]
    max_attempts: int
    fill_times: FillTimes

    def __call__(self, caller: Caller, order_id: str) -> Explanation:
        """:raises OrderNotFoundError: if the caller has no such order."""
        order, now = find_order(caller, self.orders, order_id).order, self.now()
        before = orders_before(order)
        decisions = decisions_of(order, before)
        attempts = attempts_of(order, self.max_attempts)
        counterfactuals = counterfactuals_of(order, attempts, self.hindsight, now, self.fill_times)
        return Explanation(
            order=order,
            summary=summary_of(order, attempts, decisions[-1] if decisions else None, counterfactuals, now),
            story=story_of(order, before, decisions, self.max_attempts),
            attempts=attempts,
            decisions=decisions,
            counterfactuals=counterfactuals,
            replay=ReplayOrder(self.hindsight, _MAX_REPLAYED_PRICES)(order),
        )
