"""Accepting an order: one write that keeps it, then everything that may be lost and is made good.

Once the order is in the table it is accepted, whatever happens next: a failure to tell followers or to reach
the queue is logged, and the watchdog sends the order again.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

from chalicelib.codec.exact_json import dumps
from chalicelib.codec.orders import spec_to_dict
from chalicelib.codec.times import earliest_ms, from_ms, to_ms, to_text
from chalicelib.domain.errors import IdempotencyConflictError
from chalicelib.domain.orders import Meta, OrderSpec
from chalicelib.domain.status import OrderType, Status
from chalicelib.ports.orders import IdempotencyKey, KeyTakenError, OrderStore, StoredOrder
from chalicelib.ports.queues import OrderQueue
from chalicelib.ports.streams import Subscriber
from chalicelib.services.limits.rate_limiter import RateLimiter
from chalicelib.services.limits.user_limits import UserOrderLimit
from chalicelib.services.market.open_orders import OpenOrders
from chalicelib.services.orders.acceptance import PlanAcceptance, WatchList
from chalicelib.services.orders.lookup import find_order
from chalicelib.services.streams.publisher import Publisher
from chalicelib.services.streams.subscriptions import Subscriptions

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Submission:
    """``replayed``: the order was made by an earlier request with the same key.

    ``entry`` is what the order's ``open`` event tells, and ``None`` for an order that never waits.
    """

    order_id: str
    replayed: bool = False
    entry: Meta | None = None


@dataclass(frozen=True, slots=True)
class SubmitOrder:
    orders: OrderStore
    queue: OrderQueue
    publisher: Publisher
    subscriptions: Subscriptions
    enter: PlanAcceptance
    watch_list: WatchList
    open_orders: OpenOrders
    backlog: UserOrderLimit
    open_cap: UserOrderLimit
    starts: RateLimiter
    now: Callable[[], datetime]
    new_id: Callable[[], str]
    pending_deadline_seconds: int
    idempotency_seconds: int

    def __call__(
        self,
        spec: OrderSpec,
        *,
        idempotency_key: str | None = None,
        subscriber: Subscriber | None = None,
        acknowledge: Callable[[str], None] | None = None,
    ) -> Submission:
        """Accept an order, and subscribe the connection that brought it.

        ``acknowledge`` is told the order's id before its first frame is pushed.

        :raises IdempotencyConflictError: if the key came with another order before.
        :raises TooManyOrdersError: if it cannot be taken in now.
        :raises PoolAlreadyLiveError: for a sniper order on what has been launched.
        """
        order_id = self.new_id()
        keys = self._keys(spec, order_id, idempotency_key)
        # What is asked again gets its answer however much is going on, and only what is new is counted.
        earlier = self._earlier(keys)
        if earlier is None:
            try:
                stored = self._accept(order_id, spec, keys, subscriber)
            except KeyTakenError:
                earlier = self._earlier(keys)
                if earlier is None:
                    raise IdempotencyConflictError from None
        order_id = earlier or order_id
        if acknowledge:
            acknowledge(order_id)
        if earlier is None:
            self._dispatch(stored)
        elif subscriber:
            self.subscriptions.join_order(subscriber, order_id)
        if spec.type is OrderType.MARKET:
            return Submission(order_id, replayed=earlier is not None)
        order = find_order(self.orders, earlier).order if earlier else stored.order
        return Submission(order_id, earlier is not None, order.events[1].meta)

    def _accept(
        self, order_id: str, spec: OrderSpec, keys: Sequence[IdempotencyKey], subscriber: Subscriber | None
    ) -> StoredOrder:
        """Keep the order, with its turn under the rate limit.

        :raises KeyTakenError: if another request with the same key was faster.
        """
        now = self.now()
        entry = self.enter(spec, now)
        # One that waits takes no start before it triggers.
        (self.open_cap if entry.waits else self.backlog).admit(spec.user_id)
        if entry.until:
            # One that triggers at once may come to wait all the same, if its price leaves before its swap.
            self.watch_list.cover(spec, entry.until, now)
        reservation = None if entry.waits else self.starts.book(spec, now)
        starts_at_ms = reservation.at_ms if reservation else to_ms(now)
        later = {"startsAt": to_text(from_ms(starts_at_ms))} if starts_at_ms > to_ms(now) else None
        order = entry.order(order_id, spec, now, later)
        slack_ms = self.pending_deadline_seconds * 1000
        begins_ms = earliest_ms(starts_at_ms, order.expires_at)
        due_ms = self.open_orders.due_ms(order) if entry.waits else begins_ms + slack_ms
        try:
            return self.orders.create(order, due_ms, [subscriber] if subscriber else [], keys, reservation)
        except KeyTakenError:
            self.starts.give_back(reservation)
            raise

    def _dispatch(self, stored: StoredOrder) -> None:
        """Tell of the order and queue it, for when its turn comes; what fails is made good by the watchdog."""
        order = stored.order
        if order.status is Status.OPEN:
            self._wait(stored)
            return
        wait_seconds = 0
        if reservation := stored.reservation:
            # It may be over before its turn comes.
            turn = replace(reservation, at_ms=earliest_ms(reservation.at_ms, order.expires_at))
            wait_seconds = turn.seconds_from(to_ms(order.events[0].at))
        try:
            self.queue.send(self._told(stored), delay_seconds=wait_seconds)
        except Exception:
            log.exception("accepted but not sent on; left to the watchdog", extra={"orderId": order.order_id})

    def _wait(self, stored: StoredOrder) -> None:
        """Tell of an order that waits, and record it; what fails is made good by the watchdog."""
        order = stored.order
        try:
            self.open_orders.keep(self._told(stored))
        except Exception:
            log.exception("waits, and is left to the watchdog", extra={"orderId": order.order_id})

    def _told(self, stored: StoredOrder) -> StoredOrder:
        """Tell the subscribers and the user's followers where the order stands.

        The followers are read after the order was written, and a follower looks for the user's orders after it
        was noted: whoever is second sees the other. The queue comes after it, so that nobody pushes a later event
        first, and whatever became of the telling.
        """
        stored = self.publisher.publish(stored)
        try:
            self.subscriptions.tell_followers(stored)
        except Exception:
            log.exception("followers not told; left to the stream queue", extra={"orderId": stored.order.order_id})
            # If that cannot be had either, the order stays out of the queue, and the watchdog finds the followers.
            self.subscriptions.tell_followers_later(stored.order.order_id)
        return stored

    def _keys(self, spec: OrderSpec, order_id: str, idempotency_key: str | None) -> list[IdempotencyKey]:
        named = {"key": idempotency_key, "client": spec.client_order_id}
        body_hash = sha256(dumps(spec_to_dict(spec)).encode()).hexdigest()
        expires_at = to_ms(self.now()) // 1000 + self.idempotency_seconds
        return [
            IdempotencyKey(f"{spec.user_id}#{kind}#{key}", body_hash, order_id, expires_at)
            for kind, key in named.items()
            if key
        ]

    def _earlier(self, keys: Sequence[IdempotencyKey]) -> str | None:
        """The order that an earlier request with these keys made.

        :raises IdempotencyConflictError: if it was another order that it asked for.
        """
        taken = [found for key in keys if (found := self.orders.find_key(key.id))]
        # Two keys of one request that belong to two orders conflict as much as another body does.
        if len({found.order_id for found in taken}) > 1 or any(f.body_hash != keys[0].body_hash for f in taken):
            raise IdempotencyConflictError
        return taken[0].order_id if taken else None
