"""What every measurement of the streams needs, and its sizes."""

from dataclasses import dataclass
from typing import Any

from tests.bench.api import Api
from tests.bench.sockets import Sockets
from tests.bench.subject import Subject

MARKET_ORDER: dict[str, Any] = {"tokenIn": "SOL", "tokenOut": "USDC", "amountIn": "1.5", "slippage": "10"}
#: A limit order far from the market.
LIMIT_ORDER: dict[str, Any] = {**MARKET_ORDER, "type": "limit", "limitPrice": "100000", "slippage": "1"}


@dataclass(frozen=True)
class Stage:
    """A running stack with an HTTP client and the process that holds the sockets."""

    subject: Subject
    sockets: Sockets
    api: Api

    def order_url(self, order_id: str) -> str:
        return f"{self.subject.ws}/ws?orderId={order_id}"

    def follow(self, group: str, user: str, followers: int) -> None:
        """Open sockets that follow a user, and wait until they do: each begins with the user's open order."""
        self.api.post({**LIMIT_ORDER, "userId": user})
        self.sockets.open(group, [f"{self.subject.ws}/ws?userId={user}"] * followers)
        self.sockets.firsts(group)


@dataclass(frozen=True)
class Sizes:
    """How much of each kind a run has."""

    tries: int
    at_once: tuple[int, ...]
    joined: tuple[int, ...]
    #: Followers of a user, and the orders that the user posts.
    followed: tuple[tuple[int, int], ...]
    vanishing: int
    events: int
    joined_long: int
    left: int


QUICK = Sizes(
    tries=60,
    at_once=(50, 200),
    joined=(1, 10, 100, 1000),
    followed=((1, 20), (10, 20), (300, 20)),
    vanishing=1000,
    events=100,
    joined_long=100,
    left=500,
)
FULL = Sizes(
    tries=60,
    at_once=(50, 200),
    joined=(1, 10, 100, 1000),
    followed=((1, 100), (10, 100), (300, 100), (1000, 20)),
    vanishing=1000,
    events=300,
    joined_long=300,
    left=2000,
)
