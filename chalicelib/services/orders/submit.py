"""Submission of an order: one write accepts it, and the watchdog makes good all that a failure loses later.

An order in the table is accepted. If the API handler then fails to notify
followers or to reach the queue, it logs the failure and the watchdog sends the order again.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from hashlib import sha256

from chalicelib.codec.exact_json import dumps
from chalicelib.codec.orders import spec_to_dict
from chalicelib.codec.times import earliest_ms, from_ms, to_ms, to_seconds
from chalicelib.domain.errors import IdempotencyConflictError
from chalicelib.domain.events import Opened
from chalicelib.domain.identity import Caller, Scope
from chalicelib.domain.rate_limit import SlotReservation
from chalicelib.domain.spec import OrderSpec
from chalicelib.domain.status import OrderType, Status
from chalicelib.observability import orders as observe
from chalicelib.observability.context import concerns, trace_id
from chalicelib.ports.orders import Followers, IdempotencyKey, KeyTakenError, OrderStore, StoredOrder
from chalicelib.ports.queues import OrderQueue
from chalicelib.ports.streams import Subscriber
from chalicelib.services.limits.rate_limiter import RateLimiter
from chalicelib.services.limits.user_limits import UserOrderLimit
from chalicelib.services.market.open_orders import OpenOrders
from chalicelib.services.operations.wake_looks import WakeLooks
from chalicelib.services.orders.acceptance import InitialState, PlanAcceptance, WatchList
from chalicelib.services.orders.lookup import find_order, user_for
from chalicelib.services.streams.order_stream import MAX_FIRST_FRAMES_SECONDS, OrderStream
from chalicelib.services.streams.publisher import Publisher
from chalicelib.services.streams.subscriptions import Subscriptions

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Submission:
    """An accepted order. ``replayed``: an earlier request with the same key made it.

    ``opened`` is the event with which a limit or sniper order began to wait; ``None`` for a market order.
    """

    order_id: str
    replayed: bool = False
    opened: Opened | None = None


@dataclass(frozen=True, slots=True)
class SubmitOrder:
    orders: OrderStore
    queue: OrderQueue
    publisher: Publisher
    subscriptions: Subscriptions
    plan: PlanAcceptance
    watch_list: WatchList
    wake_looks: WakeLooks
    open_orders: OpenOrders
    active_limit: UserOrderLimit
    open_limit: UserOrderLimit
    rate_limiter: RateLimiter
    executor: Executor
    now: Callable[[], datetime]
    new_id: Callable[[], str]
    pending_deadline_seconds: int
    idempotency_seconds: int

    def __call__(
        self,
        caller: Caller,
        spec: OrderSpec,
        *,
        idempotency_key: str | None = None,
        subscriber: Subscriber | None = None,
        acknowledge: Callable[[str, bool], None] | None = None,
    ) -> Submission:
        """Accept an order of the caller's, and subscribe the connection that sent it.

        ``acknowledge`` receives the order's id, and whether an earlier request made the order, before the first frame
        is pushed.

        :raises MissingScopeError: if the caller may not trade, or not for this user.
        :raises IdempotencyConflictError: if the key came with another order before.
        :raises TooManyOrdersError: if a limit leaves no room for the order now.
        :raises PoolAlreadyLiveError: if the mint of a sniper order already has a pool.
        :raises BrokenRulesError: if the order's expiry has passed.
        """
        user_for(caller, spec.user_id, Scope.TRADE)
        order_id = self.new_id()
        earlier: str | None = None
        keys = self._keys(spec, order_id, idempotency_key)
        try:
            with self.wake_looks.beside() as looks_are_awake:
                stored = self._accept(order_id, spec, keys, subscriber, looks_are_awake)
        except KeyTakenError as error:
            order_id = earlier = _earlier_order(keys, error.taken)
        greet = partial(acknowledge, order_id, earlier is not None) if acknowledge else None
        if earlier is None:
            self._dispatch(stored, greet)
        else:
            self._repeat(caller, order_id, subscriber, greet)
        if spec.type is OrderType.MARKET:
            return Submission(order_id, replayed=earlier is not None)
        order = find_order(caller, self.orders, earlier).order if earlier else stored.order
        opened = next(event.data for event in order.events if isinstance(event.data, Opened))
        return Submission(order_id, earlier is not None, opened)

    def _accept(
        self,
        order_id: str,
        spec: OrderSpec,
        keys: Sequence[IdempotencyKey],
        subscriber: Subscriber | None,
        looks_are_awake: Callable[[], None],
    ) -> StoredOrder:
        """Write the order, with a reservation under the rate limit.

        :raises KeyTakenError: if an earlier request has one of the keys.
        """
        now = self.now()
        try:
            state = self._admit(spec, now)
        except Exception:
            # An idempotent repeat bypasses all limits; only new orders count.
            self._check_unused(keys)
            raise
        reservation = None
        # An open order needs no rate-limit slot before it triggers.
        if not state.is_open and self.rate_limiter.reserves(spec):
            # A slot that another order has reserved since cannot be given back, so no repeat may reserve one.
            self._check_unused(keys)
            reservation = self.rate_limiter.reserve(spec, now)
        starts_at_ms = reservation.at_ms if reservation else to_ms(now)
        starts_at = from_ms(starts_at_ms) if starts_at_ms > to_ms(now) else None
        order = state.order(order_id, spec, now, starts_at, trace_id())
        grace_ms = self.pending_deadline_seconds * 1000
        begins_ms = earliest_ms(starts_at_ms, order.expires_at)
        deadline_ms = self.open_orders.due_ms(order) if state.is_open else begins_ms + grace_ms
        looks_are_awake()
        try:
            stored = self.orders.create(order, deadline_ms, [subscriber] if subscriber else [], keys, reservation)
        except Exception:
            self._give_back(reservation)
            raise
        concerns(order)
        observe.accepted(order)
        return stored

    def _give_back(self, reservation: SlotReservation | None) -> None:
        """Release the reservation of an order that was not written, as far as possible.

        If the write took effect and only its answer was lost, another order may reserve the same start. Both orders
        check the slot when they start.
        """
        try:
            self.rate_limiter.release(reservation)
        except Exception:
            log.exception("reservation not released")

    def _admit(self, spec: OrderSpec, now: datetime) -> InitialState:
        """How an order begins that is accepted now, within the limits of its user."""
        state = self.plan(spec, now)
        (self.open_limit if state.is_open else self.active_limit).admit(spec.user_id)
        if state.expires_at:
            # An order that triggers at once may still reopen, if its price moves away before the swap.
            self.watch_list.cover(spec, state.expires_at, now)
        return state

    def _check_unused(self, keys: Sequence[IdempotencyKey]) -> None:
        """:raises KeyTakenError: if an earlier request has one of the keys."""
        if taken := [found for key in keys if (found := self.orders.find_key(key.id))]:
            raise KeyTakenError(taken)

    def _repeat(
        self, caller: Caller, order_id: str, subscriber: Subscriber | None, greet: Callable[[], None] | None
    ) -> None:
        """Subscribe the connection that sent an order again."""
        if greet:
            greet()
        if subscriber:
            self.subscriptions.join_order(caller, subscriber, order_id)

    def _dispatch(self, stored: StoredOrder, greet: Callable[[], None] | None) -> None:
        """Publish the order and queue it for the time of its reservation; the watchdog makes good what fails."""
        order = stored.order
        if order.status is Status.OPEN:
            if greet:
                greet()
            self._keep_open(stored)
            return
        delay_seconds = 0
        if reservation := stored.reservation:
            # The order may expire before its reservation.
            start = replace(reservation, at_ms=earliest_ms(reservation.at_ms, order.expires_at))
            delay_seconds = start.seconds_from(to_ms(order.events[0].at))
        stream = OrderStream(self.publisher, self.executor, greet)
        try:
            stream.publish(stored)
            # This reads the followers after the order was written, and a new follower looks for the user's orders
            # after its follow was written: at least one of the two sees the other.
            stored = stream.flush(self.subscriptions.with_followers(stored), MAX_FIRST_FRAMES_SECONDS)
            with self._notifying_followers(stored):
                self.queue.send(stored, delay_seconds=delay_seconds)
        except Exception:
            log.exception("accepted but not queued; the watchdog will retry", extra={"orderId": order.order_id})
        finally:
            stream.wait()

    def _keep_open(self, stored: StoredOrder) -> None:
        """Publish and record an open order; the watchdog makes good what fails."""
        try:
            self.open_orders.keep(self.subscriptions.with_followers(stored))
        except Exception:
            order_id = stored.order.order_id
            log.exception("open but not recorded; the watchdog will retry", extra={"orderId": order_id})

    @contextmanager
    def _notifying_followers(self, stored: StoredOrder) -> Iterator[None]:
        """Notify the followers, if there are any, while the order is queued.

        The order's message says that the order awaits them, so its last event repeats a notification that fails.
        """
        if stored.followers is not Followers.AWAITED:
            yield
            return
        notified = self.executor.submit(self._notify, stored.order.order_id)
        try:
            yield
        finally:
            wait([notified])

    def _notify(self, order_id: str) -> None:
        try:
            self.subscriptions.fan_out.notify_followers(order_id)
        except Exception:
            log.exception("followers not notified; the order's end will retry", extra={"orderId": order_id})

    def _keys(self, spec: OrderSpec, order_id: str, idempotency_key: str | None) -> list[IdempotencyKey]:
        named = {"key": idempotency_key, "client": spec.client_order_id}
        body_hash = sha256(dumps(spec_to_dict(spec)).encode()).hexdigest()
        expires_at = to_seconds(self.now()) + self.idempotency_seconds
        return [
            IdempotencyKey(f"{spec.user_id}#{kind}#{key}", body_hash, order_id, expires_at)
            for kind, key in named.items()
            if key
        ]


def _earlier_order(keys: Sequence[IdempotencyKey], taken: Sequence[IdempotencyKey]) -> str:
    """The order that an earlier request with these keys made.

    :raises IdempotencyConflictError: if that request asked for another order.
    """
    # Two keys of one request that belong to two orders conflict as much as another body does.
    orders = {found.order_id for found in taken}
    if len(orders) != 1 or any(found.body_hash != keys[0].body_hash for found in taken):
        raise IdempotencyConflictError
    return orders.pop()
