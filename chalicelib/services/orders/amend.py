"""Amendment of an open order: its price, tolerance and expiry, guarded by its event number."""

import logging
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.domain.conditions import (
    MAX_AMENDMENTS,
    MAX_ORDER_LIFETIME,
    Amendment,
    TimeInForce,
    rule_of_min_output,
)
from chalicelib.domain.errors import (
    AmendedTooOftenError,
    BrokenRule,
    BrokenRulesError,
    ContendedError,
    NotAmendableError,
    OrderMovedOnError,
    Rule,
)
from chalicelib.domain.events import Amended
from chalicelib.domain.identity import Caller, Scope
from chalicelib.domain.orders import Order
from chalicelib.domain.spec import OrderSpec
from chalicelib.domain.status import OrderType, Status
from chalicelib.observability import orders as observe
from chalicelib.ports.orders import LostRaceError, OrderStore, StoredOrder
from chalicelib.services.market.open_orders import OpenOrders
from chalicelib.services.market.trigger import TriggerOrders
from chalicelib.services.operations.wake_looks import WakeLooks
from chalicelib.services.orders.acceptance import WatchList, open_terms
from chalicelib.services.orders.lookup import find_order

log = logging.getLogger(__name__)

#: Writes that may lose a race before the amendment gives up.
MAX_AMEND_TRIES = 30


@dataclass(frozen=True, slots=True)
class AmendOrder:
    orders: OrderStore
    open_orders: OpenOrders
    triggers: TriggerOrders
    watch_list: WatchList
    wake_looks: WakeLooks
    now: Callable[[], datetime]

    def __call__(
        self, caller: Caller, order_id: str, amendment: Amendment, seqs: Collection[int] | None = None
    ) -> Order:
        """The amended order, which the amendment may have triggered. ``seqs``: amend only if it is at one of these.

        An amendment that changes nothing adds no event.

        :raises OrderNotFoundError: if the caller has no such order.
        :raises OrderMovedOnError: if it is at another event.
        :raises NotAmendableError: if it is not open.
        :raises AmendedTooOftenError: if it has been amended as often as an order may be.
        :raises BrokenRulesError: for terms that it cannot have.
        :raises ContendedError: if other writers won every race.
        """
        with self.wake_looks.beside() as looks_are_awake:
            return self._amend(caller, order_id, amendment, seqs, looks_are_awake)

    def _amend(
        self,
        caller: Caller,
        order_id: str,
        amendment: Amendment,
        seqs: Collection[int] | None,
        looks_are_awake: Callable[[], None],
    ) -> Order:
        for _ in range(MAX_AMEND_TRIES):
            stored = find_order(caller, self.orders, order_id, Scope.TRADE)
            order, now = stored.order, self.now()
            self._check(order, now, seqs)
            amended = order.after(_amended_event(order, amendment), now)
            if (amended.spec, amended.expires_at) == (order.spec, order.expires_at):
                return order
            if order.amendments >= MAX_AMENDMENTS:
                raise AmendedTooOftenError(order.order_id, order.current_status, order.seq)
            if amended.expires_at:
                self.watch_list.cover(amended.spec, amended.expires_at, now)
            looks_are_awake()
            try:
                return self._follow_up(self.open_orders.renew(stored, amended))
            except LostRaceError:
                continue
        raise ContendedError(order_id)

    def _check(self, order: Order, now: datetime, seqs: Collection[int] | None) -> None:
        """:raises OrderStateError: if the order cannot be amended."""
        if seqs is not None and order.seq not in seqs:
            raise OrderMovedOnError(order.order_id, order.current_status, order.seq)
        if order.status is not Status.OPEN:
            raise NotAmendableError(order.order_id, order.current_status, order.seq)
        if order.is_expired(now):
            raise NotAmendableError(order.order_id, Status.EXPIRED, order.seq)

    def _follow_up(self, stored: StoredOrder) -> Order:
        observe.amended(stored.order)
        try:
            self.triggers.consider(self.open_orders.keep(stored))
        except Exception:
            # The amendment is written; the watchdog and the market watcher make up for the rest.
            log.exception("amended; the watchdog will follow up", extra={"orderId": stored.order.order_id})
        return stored.order


def _amended_event(order: Order, amendment: Amendment) -> Amended:
    """The event of an amendment: the terms as they now are, and the changes.

    :raises BrokenRulesError: for terms that the order cannot have.
    """
    if broken := [*_price_rules(order.spec, amendment), *_expiry_rules(order, amendment)]:
        raise BrokenRulesError(broken)
    terms = open_terms(_with(order.spec, amendment), amendment.expires_at or order.expires_at)
    return Amended(terms, amendment)


def _price_rules(spec: OrderSpec, amendment: Amendment) -> Iterator[BrokenRule]:
    if amendment.limit_price is None:
        return
    if spec.type is not OrderType.LIMIT:
        yield BrokenRule("limit_price", Rule.PRICE_FOR_LIMIT_ORDERS_ONLY)
    elif broken := rule_of_min_output(_with(spec, amendment).limit_min_out or 0):
        yield BrokenRule("limit_price", broken)


def _expiry_rules(order: Order, amendment: Amendment) -> Iterator[BrokenRule]:
    """The lifetime counts from the acceptance of the order, not from the amendment."""
    accepted_at, expires_at = order.events[0].at, amendment.expires_at
    if expires_at and expires_at > accepted_at + MAX_ORDER_LIFETIME:
        yield BrokenRule("expires_at", Rule.EXPIRES_WITHIN_THE_MAX_LIFETIME)


def _with(spec: OrderSpec, amendment: Amendment) -> OrderSpec:
    return replace(
        spec,
        limit_price=amendment.limit_price or spec.limit_price,
        time_in_force=TimeInForce.GTD if amendment.expires_at else spec.time_in_force,
    )
