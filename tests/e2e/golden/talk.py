"""The exchange on a socket, as a scene of the session records it."""

from typing import Any

from tests.e2e.client import Json, Socket


class Talk:
    """The exchange on a socket: the sent messages and the received frames, in sequence."""

    def __init__(self, socket: Socket) -> None:
        self.socket = socket
        self._said: list[tuple[int, Any]] = []

    def say(self, **fields: Any) -> None:
        self._said.append((len(self.socket.frames), fields))
        self.socket.say(**fields)

    def say_raw(self, text: str) -> None:
        self._said.append((len(self.socket.frames), text))
        self.socket.say_raw(text)

    def hear(self, kind: str, **fields: Any) -> Json:
        """Read frames until one of type ``kind`` has these field values, and return it."""
        return self.socket.until(kind, **fields)

    def ask(self, kind: str = "ack", **fields: Any) -> Json:
        """Send a message and read frames until the answer of type ``kind`` arrives; return the answer."""
        self.say(**fields)
        return self.socket.until(kind)

    def transcript(self, by_order: list[str] | None = None) -> Json:
        """Return the exchange without duplicate frames, and without live frames, whose place among others varies."""
        if by_order is not None:
            return self._transcript_by_order(by_order)
        exchange: list[Json] = []
        said = list(self._said)
        for number, frame in enumerate([*self.socket.frames, None]):
            while said and said[0][0] <= number:
                exchange.append({"said": said.pop(0)[1]})
            is_double = frame is not None and frame["type"] == "ORDER_UPDATE" and {"heard": frame} in exchange
            if frame is not None and frame["type"] != "live" and not is_double:
                exchange.append({"heard": frame})
        return {"exchange": exchange}

    def _transcript_by_order(self, order_ids: list[str]) -> Json:
        """Return the updates of each order by ``seq``: a user's stream may deliver the latest one first."""
        updates: dict[str, dict[int, Json]] = {order_id: {} for order_id in order_ids}
        others = []
        for frame in self.socket.frames:
            if frame["type"] == "ORDER_UPDATE":
                known = updates.setdefault(frame["orderId"], {})
                assert known.setdefault(frame["seq"], frame) == frame, (known, frame)
            elif frame["type"] != "live":
                others.append(frame)
        orders = [[frames[seq] for seq in sorted(frames)] for frames in updates.values()]
        return {"said": [said for _, said in self._said], "heard": others, "orders": orders}
