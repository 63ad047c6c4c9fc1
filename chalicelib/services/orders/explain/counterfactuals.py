"""What would have filled an order that did not fill, by what it was doing then."""

from collections.abc import Sequence
from datetime import datetime

from chalicelib.domain.conditions import TimeInForce
from chalicelib.domain.events import Amended
from chalicelib.domain.orders import Order
from chalicelib.domain.status import OrderType, Status
from chalicelib.ports.hindsight import Hindsight
from chalicelib.services.orders.explain.explanation import Attempt, Counterfactual
from chalicelib.services.orders.explain.refused_launches import for_refused_launches
from chalicelib.services.orders.explain.resting import for_resting_order
from chalicelib.services.orders.explain.shortfalls import shortfalls_of
from chalicelib.services.orders.explain.tried import for_tried_order, other_price
from chalicelib.services.orders.explain.windows import FillTimes

_WAITED_IN_VAIN = frozenset({Status.OPEN, Status.EXPIRED, Status.CANCELLED})


def counterfactuals_of(
    order: Order, attempts: Sequence[Attempt], hindsight: Hindsight, now: datetime, times: FillTimes
) -> list[Counterfactual]:
    """The counterfactuals of an order that failed, expired, was cancelled while open, or is open now."""
    if order.status is Status.FAILED or _is_immediate(order):
        return list(for_tried_order(order, attempts, hindsight, now)) if order.is_terminal else []
    if order.status not in _WAITED_IN_VAIN:
        return []
    until = min(order.events[-1].at if order.is_terminal else now, order.expires_at or now)
    if order.spec.type is OrderType.LIMIT:
        attempts = _by_current_limit(order, attempts)
        missed = list(other_price(order, attempts, shortfalls_of(order, attempts, hindsight)))
        return list(for_resting_order(order, missed, hindsight, until, times))
    if order.spec.type is OrderType.SNIPER:
        tried = for_tried_order(order, attempts, hindsight, now) if attempts else ()
        return [*tried, *for_refused_launches(order, hindsight)]
    return []


def _by_current_limit(order: Order, attempts: Sequence[Attempt]) -> Sequence[Attempt]:
    """The attempts since the last amendment of the limit: those before it missed another one."""
    amended = [one.seq for one in order.events if isinstance(one.data, Amended) and one.data.changes.limit_price]
    return [one for one in attempts if one.events[0].seq > max(amended, default=0)]


def _is_immediate(order: Order) -> bool:
    return order.spec.time_in_force is TimeInForce.IOC
