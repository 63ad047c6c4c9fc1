"""The orders table in memory, with the same write conditions as the one in DynamoDB."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from threading import Lock

from chalicelib.domain.orders import Order
from chalicelib.domain.rate_limit import SlotReservation
from chalicelib.domain.status import Status
from chalicelib.ports.orders import (
    Followers,
    HistoryLag,
    IdempotencyKey,
    KeyTakenError,
    LatePush,
    Lease,
    LostRaceError,
    StoredOrder,
)
from chalicelib.ports.streams import MAX_DIRECT_SUBSCRIBERS, Subscriber


class FakeOrderStore:
    """``OrderStore`` in memory. ``writes`` counts the successful writes of orders.

    The indexes of a user's orders lag behind the orders by ``index_lag_ms``.
    """

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._lock = Lock()
        self._kept: dict[str, StoredOrder] = {}
        self._keys: dict[str, IdempotencyKey] = {}
        self._versions: dict[str, list[tuple[int, StoredOrder]]] = {}
        self.writes = 0
        self.index_lag_ms = 0

    def create(
        self,
        order: Order,
        deadline_ms: int,
        subscribers: Collection[Subscriber] = (),
        keys: Sequence[IdempotencyKey] = (),
        reservation: SlotReservation | None = None,
    ) -> StoredOrder:
        with self._lock:
            now = self._now_ms() // 1000
            kept = [self._keys[key.id] for key in keys if key.id in self._keys]
            if taken := [key for key in kept if key.expires_at >= now]:
                raise KeyTakenError(taken)
            self._keys.update({key.id: key for key in keys})
            self._kept[order.order_id] = StoredOrder(
                order, frozenset(subscribers), deadline_ms=deadline_ms, reservation=reservation
            )
            self._count_write(order.order_id)
            return self._kept[order.order_id]

    def ping(self) -> None:
        pass

    def find_key(self, key_id: str) -> IdempotencyKey | None:
        key = self._keys.get(key_id)
        return key if key and key.expires_at >= self._now_ms() // 1000 else None

    def get(self, order_id: str, of_user: str | None = None) -> StoredOrder | None:
        kept = self._kept.get(order_id)
        return kept if kept and of_user in (None, kept.order.spec.user_id) else None

    def write(
        self,
        before: StoredOrder,
        after: Order,
        *,
        lease: Lease | None,
        deadline_ms: int | None,
        over_lease: bool = False,
    ) -> StoredOrder:
        with self._lock:
            kept = self._kept.get(after.order_id)
            holder = lease or before.lease
            if kept is None or kept.order.seq != before.order.seq:
                raise LostRaceError(after.order_id, kept)
            if (
                not over_lease
                and kept.lease
                and kept.lease.until_ms >= self._now_ms()
                and kept.lease.owner != (holder.owner if holder else None)
            ):
                raise LostRaceError(after.order_id, kept)
            # The stored item keeps its specification; the write only appends the caller's new events.
            order = Order.replayed(
                after.order_id, kept.order.placed_spec, (*kept.order.events, *after.events[before.order.seq :])
            )
            self._kept[after.order_id] = replace(
                kept,
                order=order,
                published=before.published,
                lease=lease,
                deadline_ms=deadline_ms,
                reservation=before.reservation or kept.reservation,
            )
            self._count_write(after.order_id)
            followers = before.followers if kept.followers is Followers.NONE else kept.followers
            return replace(self._kept[after.order_id], order=after, followers=followers)

    def set_deadline(self, stored: StoredOrder, deadline_ms: int | None) -> None:
        with self._lock:
            order_id = stored.order.order_id
            kept = self._kept.get(order_id)
            if kept and kept.order.seq == stored.order.seq:
                self._kept[order_id] = replace(kept, deadline_ms=deadline_ms, published=stored.published)
                self._note_version(order_id)

    def note_late_push(self, stored: StoredOrder, at: datetime) -> None:
        with self._lock:
            order_id = stored.order.order_id
            if kept := self._kept.get(order_id):
                after_seq = kept.late_push.after_seq if kept.late_push else stored.published
                self._kept[order_id] = replace(kept, late_push=LatePush(after_seq, at))
                self._note_version(order_id)

    def join(self, order_id: str, subscribers: Collection[Subscriber], seq: int) -> bool:
        with self._lock:
            kept = self._kept.get(order_id)
            if kept is None or kept.order.seq != seq:
                return False
            if len(kept.subscribers) >= 2 * MAX_DIRECT_SUBSCRIBERS:
                return False
            self._kept[order_id] = replace(kept, subscribers=kept.subscribers | frozenset(subscribers))
            return True

    def add_groups(self, order_id: str, numbers: Collection[int]) -> None:
        assert numbers, "DynamoDB refuses an empty set"
        with self._lock:
            if kept := self._kept.get(order_id):
                self._kept[order_id] = replace(kept, groups=kept.groups | frozenset(numbers))

    def remove_group(self, order_id: str, number: int) -> None:
        with self._lock:
            if kept := self._kept.get(order_id):
                self._kept[order_id] = replace(kept, groups=kept.groups - {number})

    def mark_followers_subscribed(self, order_id: str) -> None:
        with self._lock:
            if kept := self._kept.get(order_id):
                self._kept[order_id] = replace(kept, followers=Followers.SUBSCRIBED)

    def leave(self, order_id: str, subscribers: Collection[Subscriber]) -> None:
        assert subscribers, "DynamoDB refuses an empty set"
        with self._lock:
            if kept := self._kept.get(order_id):
                self._kept[order_id] = replace(kept, subscribers=kept.subscribers - frozenset(subscribers))

    def due(self, now_ms: int, limit: int, patience_ms: int = 0) -> list[str]:
        due = sorted(
            (stored.deadline_ms, order_id, stored.order)
            for order_id, stored in self._kept.items()
            if stored.deadline_ms is not None and stored.deadline_ms <= now_ms
        )
        kinds: list[list[str]] = [[], [], []]
        for deadline_ms, order_id, order in due:
            is_active = order.status is not Status.OPEN and not order.is_terminal
            if is_active and deadline_ms > now_ms - patience_ms:
                continue
            kinds[2 if order.is_terminal else order.status is Status.OPEN].append(order_id)
        return [order_id for kind in kinds for order_id in kind[:limit]]

    def unfinished_of(
        self,
        user_id: str,
        before: datetime | None = None,
        since: datetime | None = None,
        *,
        with_unrecorded: bool = False,
    ) -> list[str]:
        found = [
            stored.order
            for stored in self._indexed()
            if stored.order.spec.user_id == user_id
            if not stored.order.is_terminal or (with_unrecorded and stored.deadline_ms is not None)
            if before is None or stored.order.events[0].at < before
            if since is None or stored.order.events[0].at >= since
        ]
        return [order.order_id for order in sorted(found, key=lambda order: order.events[0].at)]

    def ended_of(self, user_id: str, since: datetime) -> Iterator[str]:
        found = [
            stored
            for stored in self._indexed()
            if stored.order.spec.user_id == user_id and stored.order.is_terminal
            if stored.end_pushed_at >= since
        ]
        return iter([one.order.order_id for one in sorted(found, key=lambda stored: stored.end_pushed_at)])

    def _count_write(self, order_id: str) -> None:
        self.writes += 1
        self._note_version(order_id)

    def _note_version(self, order_id: str) -> None:
        self._versions.setdefault(order_id, []).append((self._now_ms(), self._kept[order_id]))

    def _indexed(self) -> list[StoredOrder]:
        """The orders as the indexes show them: without the writes of the last ``index_lag_ms``."""
        until_ms = self._now_ms() - self.index_lag_ms
        shown = ([one for at_ms, one in versions if at_ms <= until_ms] for versions in self._versions.values())
        return [versions[-1] for versions in shown if versions]

    def count_active(self, user_id: str, limit: int) -> int:
        return self._count(user_id, limit, waiting=False)

    def count_open(self, user_id: str, limit: int) -> int:
        return self._count(user_id, limit, waiting=True)

    def _count(self, user_id: str, limit: int, *, waiting: bool) -> int:
        statuses = [self._kept[order_id].order.status for order_id in self.unfinished_of(user_id)]
        return min(len([one for one in statuses if (one is Status.OPEN) == waiting]), limit)

    def due_open(self, now_ms: int, limit: int) -> list[str]:
        due = self.due(now_ms, len(self._kept))
        return [one for one in due if self._kept[one].order.status is Status.OPEN][:limit]

    def has_deadlines(self) -> bool:
        return any(stored.deadline_ms is not None for stored in self._indexed())

    def history_lag(self, limit: int) -> HistoryLag:
        waiting = [
            stored.order.events[0].at
            for stored in self._kept.values()
            if stored.order.is_terminal and stored.deadline_ms is not None
        ]
        return HistoryLag(min(len(waiting), limit), min(waiting, default=None))
