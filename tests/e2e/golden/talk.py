"""A conversation on a socket, as a scene of the session notes it."""

from typing import Any

from tests.e2e.client import Json, Socket


class Talk:
    """A conversation on a socket: what was said and heard, in order."""

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
        """Listens until such a frame comes."""
        return self.socket.until(kind, **fields)

    def ask(self, kind: str = "ack", **fields: Any) -> Json:
        """Says something and listens until it is answered."""
        self.say(**fields)
        return self.socket.until(kind)

    def told(self, by_order: list[str] | None = None) -> Json:
        """The conversation, without the frames that came twice."""
        if by_order is not None:
            return self._told_by_order(by_order)
        exchange: list[Json] = []
        said = list(self._said)
        for number, frame in enumerate([*self.socket.frames, None]):
            while said and said[0][0] <= number:
                exchange.append({"said": said.pop(0)[1]})
            if frame is not None and not (frame["type"] == "ORDER_UPDATE" and {"heard": frame} in exchange):
                exchange.append({"heard": frame})
        return {"exchange": exchange}

    def _told_by_order(self, order_ids: list[str]) -> Json:
        """The updates of each order by ``seq``: a user's stream may bring the latest one first."""
        updates: dict[str, dict[int, Json]] = {order_id: {} for order_id in order_ids}
        others = []
        for frame in self.socket.frames:
            if frame["type"] == "ORDER_UPDATE":
                known = updates.setdefault(frame["orderId"], {})
                assert known.setdefault(frame["seq"], frame) == frame, (known, frame)
            else:
                others.append(frame)
        told = [[frames[seq] for seq in sorted(frames)] for frames in updates.values()]
        return {"said": [said for _, said in self._said], "heard": others, "orders": told}
