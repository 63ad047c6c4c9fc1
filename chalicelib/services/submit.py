"""Accepting an order: one write that keeps it, then everything that may be lost and is made good.

Once the order is in the table it is accepted, whatever happens next: a failure to tell followers or to reach
the queue is logged, and the watchdog sends the order again.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from chalicelib.domain.errors import IdempotencyConflictError
from chalicelib.domain.orders import Order, OrderSpec
from chalicelib.encoding.exact_json import dumps
from chalicelib.encoding.snapshots import spec_to_dict
from chalicelib.encoding.times import to_ms
from chalicelib.ports import (
    IdempotencyKey,
    KeyTakenError,
    OrderQueue,
    OrderStore,
    Subscriber,
    Tracked,
)
from chalicelib.services.publish import Publisher
from chalicelib.services.subscribe import Subscriptions

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Submission:
    """``replayed``: the order was made by an earlier request with the same key."""

    order_id: str
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class SubmitOrder:
    orders: OrderStore
    queue: OrderQueue
    publisher: Publisher
    subscriptions: Subscriptions
    now: Callable[[], datetime]
    new_id: Callable[[], str]
    pending_attention_seconds: int
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
        """
        order = Order.accepted(self.new_id(), spec, self.now())
        keys = self._keys(order, idempotency_key)
        try:
            tracked = self.orders.create(
                order,
                to_ms(self.now()) + self.pending_attention_seconds * 1000,
                [subscriber] if subscriber else [],
                keys,
            )
        except KeyTakenError:
            return self._replay(keys, subscriber, acknowledge)
        if acknowledge:
            acknowledge(order.order_id)
        try:
            self._dispatch(tracked)
        except Exception:
            log.exception("accepted but not sent on; left to the watchdog", extra={"orderId": order.order_id})
        return Submission(order.order_id)

    def _dispatch(self, tracked: Tracked) -> None:
        """Tell the subscribers and the user's followers where the order stands, then queue it.

        The followers are read after the order was written, and a follower looks for the user's orders after it
        was noted: whoever is second sees the other. The queue comes last, so that nobody pushes a later event
        first, and whatever became of the telling.
        """
        tracked = self.publisher.publish(tracked)
        try:
            self.subscriptions.tell_followers(tracked)
        except Exception:
            log.exception("followers not told; left to the stream queue", extra={"orderId": tracked.order.order_id})
            # If that cannot be had either, the order stays out of the queue, and the watchdog finds the followers.
            self.subscriptions.tell_followers_later(tracked.order.order_id)
        self.queue.send(tracked)

    def _keys(self, order: Order, idempotency_key: str | None) -> list[IdempotencyKey]:
        spec = order.spec
        named = {"key": idempotency_key, "client": spec.client_order_id}
        body_hash = sha256(dumps(spec_to_dict(spec)).encode()).hexdigest()
        expires_at = to_ms(self.now()) // 1000 + self.idempotency_seconds
        return [
            IdempotencyKey(f"{spec.user_id}#{kind}#{key}", body_hash, order.order_id, expires_at)
            for kind, key in named.items()
            if key
        ]

    def _replay(
        self,
        keys: Sequence[IdempotencyKey],
        subscriber: Subscriber | None,
        acknowledge: Callable[[str], None] | None,
    ) -> Submission:
        taken = [found for key in keys if (found := self.orders.find_key(key.id))]
        same = {(found.order_id, found.body_hash) for found in taken}
        # Two keys of one request that belong to two orders conflict as much as another body does.
        if len(same) != 1 or taken[0].body_hash != keys[0].body_hash:
            raise IdempotencyConflictError
        order_id = taken[0].order_id
        if acknowledge:
            acknowledge(order_id)
        if subscriber:
            self.subscriptions.join_order(subscriber, order_id)
        return Submission(order_id, replayed=True)
