"""The priority lane: high-priority orders go before the orders that a worker receives in turn.

Every high-priority order has a second message in a queue of its own. A worker looks there before it executes an order
that waited in the queue, so a high-priority order starts as soon as any worker is free.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.domain.spec import OrderSpec, Priority
from chalicelib.ports.queues import HighPriorityQueue

log = logging.getLogger(__name__)

#: An order that waited this long in its queue was behind others, so high-priority orders may be waiting too.
_BACKLOG_MS = 1000

#: An order gives way on its first receives alone, because giving way uses up a receive. As many as the order has
#: attempts are left before its message is a dead letter.
_MAX_YIELDING_RECEIVES = 2


@dataclass(frozen=True, slots=True)
class PriorityLane:
    queue: HighPriorityQueue

    def take_before(self, spec: OrderSpec, waited_ms: int, receives: int) -> Mapping[str, Any] | None:
        """The high-priority message to process before an order that waited in its queue; ``None`` without one.

        ``receives`` counts the deliveries of the order's own message. The message has the form of a record in a
        Lambda event.
        """
        if receives > _MAX_YIELDING_RECEIVES:
            return None
        if spec.priority is not Priority.HIGH and waited_ms <= _BACKLOG_MS:
            return None
        try:
            return self.queue.take()
        except Exception:
            # The order has a message in the orders queue too, and the order in turn need not wait for this.
            log.exception("high-priority queue not read")
            return None

    def hold(self, receipt: str, seconds: int) -> None:
        """Keep the queue from delivering a message again for this long."""
        self.queue.hold(receipt, seconds)

    def delete(self, record: Mapping[str, Any]) -> None:
        """Delete a processed message, as far as possible: a second delivery finds the order terminal."""
        try:
            self.queue.delete(record["receiptHandle"])
        except Exception:
            log.exception("high-priority message not deleted", extra={"messageId": record["messageId"]})
