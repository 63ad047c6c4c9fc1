"""Changing what an open order accepts: price, tolerance and expiry, guarded by its event number."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from chalicelib.codec.times import to_text
from chalicelib.domain.conditions import MAX_EVENTS_WHILE_OPEN, MAX_ORDER_LIFETIME, Amendment, TimeInForce
from chalicelib.domain.errors import (
    AmendedTooOftenError,
    FieldError,
    InvalidOrderError,
    MovedOnError,
    NotAmendableError,
)
from chalicelib.domain.orders import Order, OrderSpec
from chalicelib.domain.status import OrderType, Status
from chalicelib.ports.orders import LostRaceError, OrderStore, StoredOrder
from chalicelib.services.market.open_orders import OpenOrders
from chalicelib.services.market.trigger import TriggerOrders
from chalicelib.services.orders.acceptance import WatchList, terms_meta
from chalicelib.services.orders.lookup import find_order

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AmendOrder:
    orders: OrderStore
    open_orders: OpenOrders
    triggers: TriggerOrders
    watch_list: WatchList
    now: Callable[[], datetime]

    def __call__(self, order_id: str, amendment: Amendment, seq: int | None = None) -> Order:
        """The amended order, which may have triggered by it. ``seq``: only if it stands at this event.

        :raises OrderNotFoundError: if there is no such order.
        :raises MovedOnError: if it stands at another event.
        :raises NotAmendableError: if it is not open.
        :raises AmendedTooOftenError: if it was changed so often that it has to be replaced.
        :raises InvalidOrderError: for terms that it cannot have.
        """
        while True:
            stored = find_order(self.orders, order_id)
            order, now = stored.order, self.now()
            if seq is not None and order.seq != seq:
                raise MovedOnError(order_id, order.current_status.value, order.seq)
            if order.status is not Status.OPEN:
                raise NotAmendableError(order_id, order.current_status.value, order.seq)
            if order.is_expired(now):
                raise NotAmendableError(order_id, Status.EXPIRED.value, order.seq)
            if order.seq >= MAX_EVENTS_WHILE_OPEN:
                raise AmendedTooOftenError(order_id, order.current_status.value, order.seq)
            amended = order.moved(Status.OPEN, now, _meta(order, amendment))
            if amended.expires_at:
                self.watch_list.cover(amended.spec, amended.expires_at, now)
            try:
                return self._after(self.open_orders.renew(stored, amended))
            except LostRaceError:
                # Somebody moved it meanwhile; the next look says what became of it.
                continue

    def _after(self, stored: StoredOrder) -> Order:
        log.info("amended", extra={"orderId": stored.order.order_id})
        try:
            self.triggers.consider(self.open_orders.keep(stored))
        except Exception:
            # It is amended; the watchdog and the next look at the market see to the rest.
            log.exception("amended and not followed up", extra={"orderId": stored.order.order_id})
        return stored.order


def _meta(order: Order, amendment: Amendment) -> dict[str, Any]:
    """What the ``open`` of an amendment tells: the terms as they now are, and which of them are new.

    :raises InvalidOrderError: for terms that the order cannot have.
    """
    if errors := [*_bad_price(order.spec, amendment), *_bad_date(order, amendment)]:
        raise InvalidOrderError(errors)
    changes = {
        "limitPrice": amendment.limit_price,
        "slippageBps": amendment.slippage_bps,
        "expiresAt": amendment.expires_at and to_text(amendment.expires_at),
    }
    return {
        **terms_meta(_amended(order.spec, amendment), amendment.expires_at or order.expires_at),
        "amended": {name: value for name, value in changes.items() if value is not None},
    }


def _bad_price(spec: OrderSpec, amendment: Amendment) -> Iterator[FieldError]:
    if amendment.limit_price is None:
        return
    if spec.type is not OrderType.LIMIT:
        yield FieldError("limitPrice", "NOT_FOR_TYPE", "is for type limit")
    elif not _amended(spec, amendment).limit_min_out:
        yield FieldError("limitPrice", "PRICE_OUT_OF_REACH", "leaves nothing to get for this amount")


def _bad_date(order: Order, amendment: Amendment) -> Iterator[FieldError]:
    """One by which the order would wait too long in all."""
    accepted_at, until = order.events[0].at, amendment.expires_at
    if until and until > accepted_at + MAX_ORDER_LIFETIME:
        reason = f"may be {MAX_ORDER_LIFETIME.days} days after the order was placed at most"
        yield FieldError("expiresAt", "EXPIRY_TOO_FAR", reason)


def _amended(spec: OrderSpec, amendment: Amendment) -> OrderSpec:
    return replace(
        spec,
        limit_price=amendment.limit_price or spec.limit_price,
        time_in_force=TimeInForce.GTD if amendment.expires_at else spec.time_in_force,
    )
