"""Part E: the time from a launch pushed over HTTP to ``submitted``, with a socket open on the user's stream.

The engine's time runs from the time stored with the launch, which the handler takes after it has read the event, to
the time of the ``submitted`` event; both come from this machine's clock. The simulated latency of the venues' quotes
is a pure function of the order and is reported separately.
"""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import boto3
import requests
from boto3.dynamodb.conditions import Key
from websockets.sync.client import ClientConnection, connect

from chalicelib.codec.times import from_text, to_ms
from chalicelib.domain.base58 import base58
from chalicelib.simulation.chance import draw
from infra.local.config import REGION
from tests.bench.errors import BenchError
from tests.bench.orders import spec_of
from tests.bench.subject import Subject
from tests.bench.venue_time import VenueTimes

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

ENVIRONMENT = {"RATE_LIMIT_PER_MINUTE": "0"}
ALONE = 30
TOGETHER = 100
_WARM_UPS = 3
_WAIT_SECONDS = 120


@dataclass(frozen=True)
class Snipe:
    """Milliseconds from the launch to ``submitted``, by the engine's events and at the client.

    ``engine`` includes ``venues``, the latency of the quotes. ``triggered`` is the time from launch to trigger.
    """

    engine: float
    triggered: float
    venues: float
    client: float


@dataclass(frozen=True)
class Snipes:
    """Orders with a launch each, and orders that share one launch, in the sequence of their submission."""

    alone: list[Snipe]
    together: list[Snipe]


def measure(subject: Subject, alone: int = ALONE) -> Snipes:
    """Measure so many launches of one order each, and one of many orders.

    :raises BenchError: if an order is not submitted.
    """
    driver = _LaunchDriver(subject)
    for number in range(_WARM_UPS):
        # Ten orders at once start all workers that the processor's concurrency allows.
        driver.launch(f"warm-up {number}", 10)
    each = [snipe for number in range(alone) for snipe in driver.launch(f"alone {number}", 1)]
    return Snipes(each, driver.launch("together", TOGETHER))


@dataclass(frozen=True)
class _Frame:
    at_ms: int
    came_ms: float


class _LaunchDriver:
    """Places sniper orders on a stack and pushes their launches."""

    def __init__(self, subject: Subject) -> None:
        self._http = subject.http
        self._ws = subject.ws
        self._session = requests.Session()
        settings = subject.settings
        self._venues = VenueTimes(settings)
        tables = boto3.Session("test", "test", region_name=REGION).resource("dynamodb", endpoint_url=subject.aws)
        self._market: Table = tables.Table(settings.market_table)

    def launch(self, what: str, number: int) -> list[Snipe]:
        """Place ``number`` orders for a new mint, launch it, and follow them until all are confirmed."""
        mint = base58(b"".join(draw("bench", "mint", what, part).to_bytes(8, "big") for part in range(4)))
        user = f"bench-{what.replace(' ', '-')}"
        body = {"type": "sniper", "tokenIn": "SOL", "tokenOut": mint, "amountIn": "0.1", "userId": user}
        ids = {self._post("/api/orders/execute", body)["orderId"] for _ in range(number)}
        # A user's stream begins with the status of each open order. An unbounded queue never blocks a push.
        with connect(f"{self._ws}/ws?userId={user}", max_queue=None) as socket, ThreadPoolExecutor(1) as other:
            _follow(socket, ids, "open")
            pushed_ms = time.time() * 1000
            event = {"type": "pool_created", "mint": mint, "venue": "raydium", "liquidity": 10_000, "quote": "SOL"}
            pushing = other.submit(self._post, "/api/market/events", event)
            frames = _follow(socket, ids, "confirmed")
            pushing.result()
        launched = self._launched_ms(mint)
        spec = spec_of(body)
        snipes = [
            Snipe(
                engine=frames[one, "submitted"].at_ms - launched,
                triggered=frames[one, "triggered"].at_ms - launched,
                venues=self._venues.quoting_seconds(spec, one) * 1000,
                client=frames[one, "submitted"].came_ms - pushed_ms,
            )
            for one in ids
        ]
        return sorted(snipes, key=lambda one: one.engine)

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        answer = self._session.post(self._http + path, json=body, timeout=_WAIT_SECONDS)
        if answer.status_code != HTTPStatus.ACCEPTED:
            raise BenchError(f"{path} was answered with {answer.status_code}: {answer.text[:500]}")
        return answer.json()

    def _launched_ms(self, mint: str) -> int:
        rows = self._market.query(KeyConditionExpression=Key("subject").eq(mint) & Key("item").begins_with("launch#"))
        return int(str(rows["Items"][0]["at"]))


def _follow(socket: ClientConnection, ids: set[str], status: str) -> dict[tuple[str, str], _Frame]:
    """Read frames until all these orders have reached this status."""
    frames: dict[tuple[str, str], _Frame] = {}
    missing = set(ids)
    while missing:
        try:
            frame = json.loads(socket.recv(timeout=_WAIT_SECONDS))
        except TimeoutError:
            raise BenchError(f"{len(missing)} of {len(ids)} orders were not {status} in time") from None
        if frame["type"] == "ORDER_UPDATE":
            came_ms, at_ms = time.time() * 1000, to_ms(from_text(frame["at"]))
            frames.setdefault((frame["orderId"], frame["status"]), _Frame(at_ms, came_ms))
            if frame["phase"] in ("failed", "expired"):
                raise BenchError(f"a sniper order is {frame['status']}: {frame['meta']}")
            if frame["status"] == status:
                missing.discard(frame["orderId"])
    return frames
