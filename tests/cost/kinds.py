"""The kinds of orders whose cost is measured, each as the story of one order."""

from collections.abc import Callable
from dataclasses import dataclass

from chalicelib.domain.base58 import base58
from tests.cost.doors import Doors
from tests.cost.site import Invocation, Site

ORDER = {"tokenIn": "SOL", "tokenOut": "USDC", "amountIn": "1.5", "slippage": "5"}
#: A limit that the simulated market is far from, until a price is pushed.
_LIMIT = {**ORDER, "type": "limit", "limitPrice": "400"}


@dataclass(frozen=True)
class Kind:
    """``play`` makes one order; ``name`` is that of the tables."""

    name: str
    play: Callable[[Doors], None]


def _market(doors: Doors) -> None:
    doors.call("POST", "/api/orders/execute", ORDER)
    doors.deliver()


def _market_with_key(doors: Doors) -> None:
    doors.call("POST", "/api/orders/execute", ORDER, idempotency_key="7f6d1a52-5a0b-4dcb-9f5e-0d4f7c1f8a11")
    doors.deliver()


def _market_with_socket(doors: Doors) -> None:
    order_id = doors.call("POST", "/api/orders/execute", ORDER)["orderId"]
    socket = doors.open(orderId=order_id)
    doors.deliver_streams()
    doors.deliver()
    doors.close(socket)


def _market_over_socket(doors: Doors) -> None:
    socket = doors.open()
    doors.write(socket, {"action": "execute_order", "requestId": "1", **ORDER})
    doors.deliver()
    doors.close(socket)


def _limit(doors: Doors) -> None:
    doors.call("POST", "/api/orders/execute", _LIMIT)
    doors.call("POST", "/api/market/events", {"type": "price", "pair": "SOL/USDC", "price": "450"})
    doors.deliver()


def _sniper(doors: Doors) -> None:
    mint = base58(bytes(range(1, 33)))
    doors.call("POST", "/api/orders/execute", {**ORDER, "type": "sniper", "tokenOut": mint})
    pool = {"type": "pool_created", "mint": mint, "venue": "raydium", "liquidity": 10_000, "quote": "SOL"}
    doors.call("POST", "/api/market/events", pool)
    doors.deliver()


def _cancelled_limit(doors: Doors) -> None:
    order_id = doors.call("POST", "/api/orders/execute", {**ORDER, "type": "limit", "limitPrice": "900"})["orderId"]
    doors.call("DELETE", f"/api/orders/{order_id}")
    doors.deliver()


MARKET = Kind("market over HTTP", _market)
MARKET_WITH_SOCKET = Kind("market over HTTP, followed on a socket", _market_with_socket)
LIMIT = Kind("limit that waits and triggers", _limit)
KINDS = (
    MARKET,
    Kind("market with `Idempotency-Key`", _market_with_key),
    MARKET_WITH_SOCKET,
    Kind("market over a socket", _market_over_socket),
    LIMIT,
    Kind("sniper that waits for its launch", _sniper),
    Kind("limit that waits and is cancelled", _cancelled_limit),
)


def measure(site: Site) -> dict[str, list[Invocation]]:
    """The invocations of one order of each kind, in environments that are warm."""
    doors, found = Doors(site), {}
    # The first order of a deployment makes items that later ones find.
    _market_over_socket(doors)
    for kind in KINDS:
        # What the environments remember of earlier orders has aged, but for the key of a user who sends requests.
        site.clock.sleep(60)
        doors.call("POST", "/api/stream-tickets")
        site.take()
        kind.play(doors)
        found[kind.name] = site.take()
    return found
