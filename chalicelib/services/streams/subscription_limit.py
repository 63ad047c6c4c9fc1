"""The limit on the subscriptions that the messages on one socket make.

The write that counts a subscription takes the place of the read that every message needs. A terminal order leaves its
subscribers without a message, so the count is corrected when it reaches the limit.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from chalicelib.codec.times import to_seconds
from chalicelib.ports.orders import OrderStore, UnreadableOrderError
from chalicelib.ports.socket_limits import SocketUse
from chalicelib.ports.streams import Connection, StreamStore

#: Pause between two searches for the terminal orders of one socket, each of which reads all its orders.
PRUNE_SECONDS = 5
_ORDER, _USER = "order#", "user#"


def subscription_of(order_id: str | None, user_id: str | None) -> str:
    """The subscription to an order, or to all orders of a user."""
    return f"{_USER}{user_id}" if order_id is None else f"{_ORDER}{order_id}"


@dataclass(frozen=True, slots=True)
class LimitSubscriptions:
    """``limit`` 0 is no limit."""

    use: SocketUse
    streams: StreamStore
    orders: OrderStore
    now: Callable[[], datetime]
    limit: int

    def add(self, connection_id: str, subscription: str) -> Connection | None:
        """Count a subscription, and read the connection. ``None`` if it is closed.

        The subscriptions of a connection that has no room lack this one; see ``has_room``.
        """
        if not self.limit:
            return self.streams.connection(connection_id)
        if found := self.use.subscribe(connection_id, subscription, self.limit):
            return found
        connection = self.streams.connection(connection_id)
        if connection and self._prune(connection):
            return self.use.subscribe(connection_id, subscription, self.limit) or connection
        return connection

    def remove(self, connection_id: str, subscription: str) -> Connection | None:
        """Count a subscription no longer, and read the connection. ``None`` if it is closed."""
        if not self.limit:
            return self.streams.connection(connection_id)
        return self.use.unsubscribe(connection_id, [subscription])

    def has_room(self, connection: Connection, subscription: str) -> bool:
        """True for a connection as ``add`` returned it, unless it has as many other subscriptions as it may have."""
        return not self.limit or subscription in connection.subscriptions

    def _prune(self, connection: Connection) -> bool:
        """Forget subscriptions to terminal orders; returns whether there were some."""
        now = to_seconds(self.now())
        if not self.use.begin_pruning(connection.connection_id, now, PRUNE_SECONDS):
            return False
        ended = [one for one in connection.subscriptions if self._has_ended(one)]
        return bool(ended and self.use.unsubscribe(connection.connection_id, ended))

    def _has_ended(self, subscription: str) -> bool:
        if not subscription.startswith(_ORDER):
            return False
        try:
            stored = self.orders.get(subscription.removeprefix(_ORDER))
        except UnreadableOrderError:
            return False
        return stored is None or stored.order.is_terminal
