"""All orders of a user as one stream.

``UserSource`` remembers the last seq of each order, so that it can drop duplicates. It forgets an order 300 s after
the order ended.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from orderengine.core import calls
from orderengine.core.commands import Flow
from orderengine.core.listing import MAX_PAGE
from orderengine.core.orders import events_after
from orderengine.core.session import Session
from orderengine.core.streams.cursors import Position
from orderengine.core.streams.deadlines import Deadline
from orderengine.core.streams.frames import Live
from orderengine.core.streams.memory import OrderMemory
from orderengine.core.streams.resume import UNKNOWN
from orderengine.core.streams.source import Source
from orderengine.errors import NotFound
from orderengine.models.orders import Order, Update
from orderengine.models.words import Status
from orderengine.times import time_text

#: The engine begins so much earlier than ``since``, because a socket may lag so far behind.
MARGIN = timedelta(seconds=90)
#: The engine sends no update of an order that ended so long before ``since``.
MEMORY = timedelta(seconds=300)
_UNFINISHED = (Status.PENDING, Status.OPEN, Status.TRIGGERED, Status.ROUTING, Status.BUILDING, Status.SUBMITTED)


class UserSource(Source):
    """The events of all orders of a user from ``start`` on, each once and in order for its order.

    The position is a time: that of the live frame, then of the newest frame after it. A socket that is cut before its
    live frame leaves the position as it was: the engine may push new events before older ones of other orders.
    """

    can_wait = False

    def __init__(self, session: Session, deadline: Deadline, position: Position, start: datetime) -> None:
        super().__init__(session, deadline, f"user {position.user}")
        self._user = position.user
        self._is_new = position.since is None
        self._start = start if position.since is None else position.since - MARGIN
        #: ``None`` for a stream that begins now; then the engine adds the latest frame of each unfinished order.
        self._position = position.since
        #: The time up to which every update is handed out.
        self._settled = position.since
        #: The time up to which the list of orders has been checked.
        self._listed = self._start
        self._orders = OrderMemory(session.counters, position)
        self._has_begun = False
        self._unlisted = list(_UNFINISHED)

    @property
    def has_gap(self) -> bool:
        return bool(self._orders.gaps)

    @property
    def position(self) -> Position:
        """The place after every update that is handed out."""
        settled = self._settled or self._start
        return self._orders.position(self._user, settled, settled - MEMORY, self.ready)

    def query(self) -> tuple[tuple[str, str], ...]:
        since = self._position
        # A first socket that fails, or is cut before it is live, leaves no position: the next begins at the start.
        self._position = since or self._start
        user = ("userId", self._user)
        return (user,) if since is None else (user, ("since", time_text("since", since)))

    def take(self, update: Update, is_live: bool) -> None:
        if is_live:
            self._move(update.at)
        if update.order_id not in self._orders:
            self._orders.add(update.order_id, self._last_before(update))
        self._deliver(update.order_id, self._orders.take(update))

    def _last_before(self, update: Update) -> int:
        """The last seq before the first frame of an order, ``UNKNOWN`` if only the order's events can tell.

        The frame is the first to hand out if it is the order's first, or from before the start of the stream: the
        engine begins with the latest frame of each unfinished order.
        """
        is_first = update.seq == 1 or (update.at < self._start and not self._has_begun)
        return update.seq - 1 if is_first else UNKNOWN

    def live(self, frame: Live) -> Flow[bool]:
        if frame.at is None:
            return False
        if self._is_new and not self._has_begun:
            # The socket begins at its handshake. The list has what came between the start and the handshake.
            yield from self._poll_changed()
        self._move(frame.at)
        self._has_begun = True
        self._settle()
        return True

    def fill(self) -> Flow[None]:
        for order_id in self._orders.gaps:
            yield from self._ask(order_id)

    def poll(self, wait: int) -> Flow[None]:
        """Ask the list for orders that have changed, and each of them for its events.

        A poll that fails keeps what it has done, and the next one goes on.
        """
        yield from self.fill()
        while self._unlisted:
            unfinished = yield from self._list(status=self._unlisted[-1])
            yield from self._ask_changed(unfinished)
            self._unlisted.pop()
        yield from self._poll_changed()
        self._has_begun = True
        self._move(self._listed)

    def _poll_changed(self) -> Flow[None]:
        changed = yield from self._list(updated_since=self._listed)
        yield from self._ask_changed(changed)
        self._listed = max([self._listed, *(one.updated_at for one in changed)])

    def _ask_changed(self, orders: list[Order]) -> Flow[None]:
        for order in orders:
            if self._orders.last(order.id) < order.seq:
                yield from self._ask(order.id)

    def _list(self, **filters: Any) -> Flow[list[Order]]:
        found: list[Order] = []
        cursor: str | None = None
        while True:
            session = yield from self._attempt()
            page = yield from calls.page(session, user=self._user, limit=MAX_PAGE, cursor=cursor, **filters)
            found += page.orders
            cursor = page.next_cursor
            if cursor is None:
                return found

    def _ask(self, order_id: str) -> Flow[None]:
        """Ask an order for its events after the last one known."""
        known = self._orders.last(order_id)
        try:
            events = yield from events_after((yield from self._attempt()), order_id, max(known, 0))
        except NotFound:
            self._give_up(order_id)
            return
        updates = [replace(one, user_id=self._user) for one in events]
        if order_id not in self._orders:
            self._orders.add(order_id, UNKNOWN)
        if known == UNKNOWN:
            self._orders.begin(order_id, self._first_seq(updates) - 1)
            updates = [one for one in updates if one.seq > self._orders.last(order_id)]
        self._deliver(order_id, self._orders.fill(order_id, updates))

    def _first_seq(self, updates: list[Update]) -> int:
        """The first event since the start of the stream; of an unfinished order the latest at least."""
        latest = updates[-1].seq + updates[-1].is_terminal if updates else 1
        return min([latest, *(one.seq for one in updates if one.at >= self._start)])

    def _give_up(self, order_id: str) -> None:
        """Forget an order that the engine does not have any more. Its gap counts as one that is not filled."""
        if order_id in self._orders:
            self._deliver(order_id, self._orders.skip(order_id))
            self._orders.end(order_id, self._position or self._start)

    def _deliver(self, order_id: str, due: list[Update]) -> None:
        if due and due[-1].is_terminal:
            self._orders.end(order_id, max(self._position or self._start, due[-1].at))
        self._queue(due)

    def acknowledge(self, update: Update) -> None:
        super().acknowledge(update)
        self._settle()

    def _move(self, at: datetime) -> None:
        self._position = max(self._position or at, at)

    def _settle(self) -> None:
        """Move the cursor to the position, unless an update from before it is not handed out."""
        if self.ready or self.has_gap:
            return
        self._settled = self._position
        # The next socket begins at the position, and the next audit where the last one stopped.
        self._orders.prune(min(self._settled or self._start, self._listed) - MEMORY)
