"""Clients that follow one order each on a socket, and come back with ``afterSeq`` whenever it is cut."""

import threading
import time
from dataclasses import dataclass, field

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from tests.e2e.client import Json, parse

_TERMINAL = {"completed", "failed", "cancelled", "expired"}
_OPENED_WITHIN_SECONDS = 60
#: A socket without a frame for this long is given up. An order may wait for minutes, and a cut shows at once.
_SILENCE_SECONDS = 240
_AGAIN_SECONDS = 0.3


@dataclass
class Follower:
    """The events of one order, as its sockets bring them. ``violations`` are frames that come before their turn."""

    ws: str
    order_id: str
    deadline: float
    events: list[Json] = field(default_factory=list)
    cuts: int = 0
    violations: list[str] = field(default_factory=list)

    @property
    def is_over(self) -> bool:
        return bool(self.events) and self.events[-1]["phase"] in _TERMINAL

    def follow(self) -> None:
        """Follow the order to its end, or until the deadline (``time.monotonic``)."""
        while not self.is_over and time.monotonic() < self.deadline:
            try:
                self._read()
            except (OSError, TimeoutError, WebSocketException):
                self.cuts += 1
                time.sleep(_AGAIN_SECONDS)

    def _read(self) -> None:
        address = f"{self.ws}/ws/orders/{self.order_id}?afterSeq={len(self.events)}"
        with connect(address, open_timeout=_OPENED_WITHIN_SECONDS, max_size=2**20) as socket:
            while not self.is_over:
                self._take(parse(socket.recv(timeout=_SILENCE_SECONDS)))

    def _take(self, frame: Json) -> None:
        if frame["type"] != "ORDER_UPDATE" or frame["seq"] <= len(self.events):
            return
        if frame["seq"] > len(self.events) + 1:
            self.violations.append(f"{self.order_id}: seq {frame['seq']} follows {len(self.events)}")
        self.events.append({name: of for name, of in frame.items() if name not in ("type", "orderId", "userId")})


class Followers:
    """A follower in a thread of its own for each order."""

    def __init__(self, ws: str, patience_seconds: float) -> None:
        self._ws, self._patience = ws, patience_seconds
        self._all: list[tuple[Follower, threading.Thread]] = []

    def follow(self, order_id: str) -> None:
        follower = Follower(self._ws, order_id, time.monotonic() + self._patience)
        thread = threading.Thread(target=follower.follow, daemon=True)
        self._all.append((follower, thread))
        thread.start()

    def finished(self) -> list[Follower]:
        """Wait for the end of all, and return them."""
        for _, thread in self._all:
            thread.join()
        return [follower for follower, _ in self._all]
