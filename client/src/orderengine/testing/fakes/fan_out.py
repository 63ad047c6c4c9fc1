"""Groups of subscribers in memory, and a queue that records the groups to serve."""

from collections.abc import Callable, Collection
from dataclasses import replace
from threading import Lock

from chalicelib.domain.orders import Order
from chalicelib.ports.fan_out import GroupLeasedError, GroupMessage, SubscriberGroup
from chalicelib.ports.queues import QueueDepth
from chalicelib.ports.streams import Subscriber


class FakeSubscriberGroups:
    """``SubscriberGroups`` in memory."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._lock = Lock()
        self._kept: dict[tuple[str, int], SubscriberGroup] = {}
        self._leases: dict[tuple[str, int], tuple[str, int]] = {}

    def get(self, order_id: str, number: int) -> SubscriberGroup | None:
        return self._kept.get((order_id, number))

    def add(
        self,
        order_id: str,
        number: int,
        joining: Collection[Subscriber],
        expires_at: int,
        full_at: int | None = None,
    ) -> bool:
        assert joining, "DynamoDB refuses an empty set"
        with self._lock:
            key = (order_id, number)
            kept = self._kept.get(key, SubscriberGroup(*key))
            if full_at is not None and full_at <= max(len(kept.members), len(kept.joining)):
                return False
            self._kept[key] = replace(kept, joining=kept.joining | frozenset(joining), version=kept.version + 1)
            return True

    def remove(self, order_id: str, number: int, subscribers: Collection[Subscriber]) -> None:
        assert subscribers, "DynamoDB refuses an empty set"
        with self._lock:
            if kept := self._kept.get((order_id, number)):
                left = frozenset(subscribers)
                self._kept[order_id, number] = replace(
                    kept, members=kept.members - left, joining=kept.joining - left, version=kept.version + 1
                )

    def lease(self, order_id: str, number: int, owner: str, until_ms: int) -> SubscriberGroup | None:
        key = (order_id, number)
        with self._lock:
            kept = self._kept.get(key)
            if kept is None:
                return None
            holder, ends_ms = self._leases.get(key, (owner, 0))
            if holder != owner and ends_ms >= self._now_ms():
                self._kept[key] = replace(kept, version=kept.version + 1)
                raise GroupLeasedError(key)
            self._leases[key] = (owner, until_ms)
            return kept

    def renew(self, order_id: str, number: int, owner: str, until_ms: int) -> SubscriberGroup | None:
        key = (order_id, number)
        with self._lock:
            if key not in self._kept or self._leases.get(key, ("", 0))[0] != owner:
                return None
            self._leases[key] = (owner, until_ms)
            return self._kept[key]

    def replace(self, found: SubscriberGroup, left: SubscriberGroup, owner: str) -> bool:
        key = (found.order_id, found.number)
        with self._lock:
            kept = self._kept.get(key)
            if kept is None or kept.version != found.version or self._leases.get(key, ("", 0))[0] != owner:
                return False
            del self._leases[key]
            if left.is_empty:
                del self._kept[key]
            else:
                self._kept[key] = replace(left, version=found.version)
            return True


class FakeFanOutQueue:
    """``FanOutQueue`` that records the groups to serve. While ``down`` is set, every send fails."""

    def __init__(self) -> None:
        self.down = False
        self.sent: list[GroupMessage] = []
        self.held: list[tuple[str, int]] = []

    def send(self, order: Order, numbers: Collection[int]) -> None:
        if self.down:
            raise ConnectionError("the fake fan-out queue is down")
        self.sent += [GroupMessage(order.order_id, number) for number in numbers]

    def depth(self) -> QueueDepth:
        if self.down:
            raise ConnectionError("the fake fan-out queue is down")
        return QueueDepth(waiting=len(self.sent))

    def hold(self, receipt: str, seconds: int) -> None:
        self.held.append((receipt, seconds))
