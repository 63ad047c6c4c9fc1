"""The orders queue in memory, through the real message format."""

from chalicelib.messaging.messages import order_message, read_order_message
from chalicelib.ports import Tracked


class FakeOrderQueue:
    """``OrderQueue`` that keeps messages as text. ``down`` makes it refuse them."""

    def __init__(self) -> None:
        self.bodies: list[str] = []
        self.held: list[tuple[str, int]] = []
        self.down = False

    def send(self, tracked: Tracked) -> None:
        self.ping()
        self.bodies.append(order_message(tracked))

    def ping(self) -> None:
        if self.down:
            raise ConnectionError("the queue is down")

    def hold(self, receipt: str, seconds: int) -> None:
        self.held.append((receipt, seconds))

    def take(self) -> Tracked:
        """The oldest message, read as the processor would."""
        return read_order_message(self.bodies.pop(0))
