"""Clients whose sockets are cut after every frame of every order: they come back, and lack nothing once live."""

import threading
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tests.e2e.client import Client, Json, Socket

pytestmark = pytest.mark.usefixtures("leaves_no_open_orders")

USER = "cut"


@dataclass
class Cut:
    """A client of one stream. Its socket is cut after each event that is new to it."""

    client: Client
    stream: str
    order_id: str = ""
    seqs: defaultdict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    frames: int = 0
    cuts: int = 0
    since: str = ""

    def follow(self) -> None:
        """Come back until a connection is live, brings nothing new, and every order is over."""
        while self._is_cut():
            self.cuts += 1

    def _is_cut(self) -> bool:
        with self.client.socket(f"{self.stream}{self._position()}") as socket:
            is_live = False
            while not is_live or not self._is_over():
                frame = self._next(socket)
                if frame["type"] == "live":
                    is_live, self.since = True, frame.get("at", "")
                elif frame["seq"] not in self.seqs[frame["orderId"]]:
                    self.seqs[frame["orderId"]].add(frame["seq"])
                    # Before a stream is live, a newer frame may come before an older one of another order.
                    self.since = frame["at"] if is_live else self.since
                    return True
            return False

    def _next(self, socket: Socket) -> Json:
        self.frames += 1
        frame = socket.next()
        assert frame["type"] in ("ORDER_UPDATE", "live"), frame
        return frame

    def _position(self) -> str:
        if self.order_id:
            return f"?afterSeq={max(self.seqs[self.order_id], default=0)}"
        return f"&since={self.since}" if self.since else ""

    def _is_over(self) -> bool:
        """True if every order has ended, and the client has its end: a record may be ahead of the frames."""
        orders = [self.order_id] if self.order_id else list(self.seqs)
        records = [self.client.record(order_id) for order_id in orders]
        return all(
            record["phase"] not in ("queued", "processing") and record["seq"] in self.seqs[record["orderId"]]
            for record in records
        )


def test_a_client_that_is_cut_after_every_frame_lacks_nothing_once_it_is_live(client: Client) -> None:
    of_user = Cut(client, f"/ws?userId={USER}")
    with client.socket(of_user.stream) as socket:
        of_user.since = socket.until("live", userId=USER)["at"]
    orders = _orders(client)
    of_orders = [Cut(client, f"/ws/orders/{order_id}", order_id) for order_id in orders]
    threads = [threading.Thread(target=one.follow) for one in (of_user, *of_orders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in of_orders:
        expected = {event.seq for event in client.engine.events(one.order_id)}
        assert one.seqs[one.order_id] == expected
        assert of_user.seqs[one.order_id] == expected
    everybody = [of_user, *of_orders]
    print(f"{sum(one.frames for one in everybody)} frames, {sum(one.cuts for one in everybody)} cuts")


def _orders(client: Client) -> list[str]:
    """Orders that end in every way: filled, failed, retried, filled at a limit, cancelled and expired."""
    soon = (datetime.now(UTC) + timedelta(seconds=3)).isoformat()
    never = {"type": "limit", "limitPrice": Decimal(900)}
    bodies: list[Json] = [
        {},
        {"simulate": "no_liquidity"},
        {"simulate": "network_error:1"},
        {"type": "limit", "limitPrice": 1},
    ]
    ids = [client.accept(userId=USER, **body)["orderId"] for body in (*bodies, never, {**never, "expiresAt": soon})]
    client.engine.cancel(ids[4])
    return [str(order_id) for order_id in ids]
