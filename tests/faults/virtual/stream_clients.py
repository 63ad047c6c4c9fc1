"""A client of a stream that is cut off after certain frames, and a client that polls the list of orders.

Both come back for what they lack, as the contract says: with the ``seq`` or the time of the last frame, or with the
newest ``updatedAt``.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from chalicelib.codec.exact_json import loads
from chalicelib.codec.times import from_text
from chalicelib.ports.history import OrderFilter
from chalicelib.ports.streams import PushFailedError
from chalicelib.streaming import connections
from tests.faults.virtual.world import World
from tests.support.callers import ANYONE

_PAGE = 200


@dataclass
class StreamClient:
    """``stream`` names an order or a user. ``harm`` happens to the connection after the frames in ``at_frames``.

    ``harms`` counts its occurrences, and ``violations`` has the events that the client lacks although it is live.
    An exact client repeats the ``since`` of a connection that was cut before it was live.
    """

    world: World
    stream: Mapping[str, str]
    at_frames: frozenset[int] = frozenset()
    harm: Callable[["StreamClient"], None] = lambda client: client.cut(0)
    is_exact: bool = True
    frames: int = 0
    harms: int = 0
    connections: int = 0
    is_live: bool = False
    violations: list[str] = field(default_factory=list)
    _seqs: defaultdict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    _last_at: str = ""
    _last_order: str = ""
    _held_back: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        sockets = self.world.sockets
        push, close = sockets.push, sockets.close

        def push_and_receive(connection_id: str, text: str) -> None:
            frame = loads(text)
            if frame.get("orderId") in self._held_back:
                raise PushFailedError(connection_id)
            push(connection_id, text)
            if connection_id == self.connection_id:
                self._receive(frame)

        def close_and_come_back(connection_id: str) -> None:
            close(connection_id)
            if connection_id == self.connection_id:
                self.come_back(0)

        setattr(sockets, "push", push_and_receive)  # noqa: B010 (mypy refuses the assignment of a method)
        setattr(sockets, "close", close_and_come_back)  # noqa: B010

    @property
    def connection_id(self) -> str:
        return f"client-{self.connections}"

    def open(self) -> None:
        """Open a connection, and go on after the last frame."""
        self.connections += 1
        self.is_live = False
        order_id = self.stream.get("orderId")
        position: dict[str, str] = {}
        if order_id is not None:
            position = {"afterSeq": str(max(self._seqs[order_id], default=0))}
        elif self._last_at:
            position = {"since": self._last_at}
        self.world.connect(self.connection_id, **self.stream, **position)

    def cut(self, away_seconds: float) -> None:
        """Lose the connection, and come back later. API Gateway announces every second loss."""
        connection_id = self.connection_id
        self.world.sockets.gone.add(connection_id)
        if self.harms % 2:
            event = {"requestContext": {"connectionId": connection_id}}
            self.world.later(0, partial(connections.disconnect, self.world.engine, event))
        self.come_back(away_seconds)

    def stall(self, seconds: float) -> None:
        """Take no frames for some time. The engine may close the connection."""
        slow, connection_id = self.world.sockets.slow, self.connection_id
        slow.add(connection_id)
        self.world.schedule(seconds, partial(slow.discard, connection_id))

    def hold_back(self, seconds: float) -> None:
        """Take no frames of the order of the last frame for some time, and those of other orders still."""
        order_id = self._last_order
        self._held_back.add(order_id)
        self.world.schedule(seconds, partial(self._held_back.discard, order_id))

    def come_back(self, after_seconds: float) -> None:
        self.is_live = False
        self.world.schedule(after_seconds, self.open)

    def lacks(self, until: datetime | None = None) -> list[str]:
        """The events up to a time that the client does not have, of the orders of its stream."""
        return [
            f"{stored.order.order_id} seq {event.seq} {event.status}, {len(self._seqs[stored.order.order_id])} held"
            for stored in self.world.all_orders().values()
            if self.stream.get("orderId", stored.order.order_id) == stored.order.order_id
            for event in stored.order.events
            if event.seq not in self._seqs[stored.order.order_id] and (until is None or event.at <= until)
        ]

    def _receive(self, frame: Mapping[str, Any]) -> None:
        self.frames += 1
        if self.is_live or frame["type"] == "live" or not self.is_exact:
            self._last_at = frame.get("at", self._last_at)
        if frame["type"] == "ORDER_UPDATE":
            self._last_order = frame["orderId"]
            self._seqs[self._last_order].add(frame["seq"])
        elif frame["type"] == "live":
            self.is_live = True
            self._check(frame)
        else:
            self.violations.append(f"an unexpected frame: {frame}")
        if self.frames in self.at_frames:
            self.harms += 1
            self.harm(self)

    def _check(self, live: Mapping[str, Any]) -> None:
        """Check that the client lacks nothing that the stream has promised."""
        if "at" in live:
            lacking = self.lacks(from_text(live["at"]))
        else:
            held = self._seqs[live["orderId"]]
            lacking = [f"seq {seq}" for seq in range(1, live["seq"] + 1) if seq not in held]
        self.violations += [f"live at frame {self.frames}, and lacks {one}" for one in lacking]


@dataclass
class Poller:
    """Polls the list by ``updatedSince`` with the newest ``updatedAt`` that it has seen."""

    world: World
    user_id: str
    polls: int = 0
    _seqs: dict[str, int] = field(default_factory=dict)
    _newest: datetime | None = None

    def poll(self) -> None:
        self.polls += 1
        wanted, cursor = OrderFilter(user_id=self.user_id, updated_since=self._newest), None
        while True:
            page = self.world.engine.list_orders(ANYONE, wanted, _PAGE, cursor)
            for order in page.orders:
                self._seqs[order.order_id] = max(order.seq, self._seqs.get(order.order_id, 0))
                self._newest = max(order.updated_at, self._newest or order.updated_at)
            cursor = page.next_cursor
            if cursor is None:
                return

    def lacks(self) -> list[str]:
        """The orders whose last event the poller has not seen."""
        return [
            f"{order_id} at seq {self._seqs.get(order_id)} of {stored.order.seq}"
            for order_id, stored in self.world.all_orders().items()
            if self._seqs.get(order_id) != stored.order.seq
        ]
