"""The engine under test, as a tester holds it."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

from chalicelib.api.requests.market_events import read_market_event
from chalicelib.clock import utc_now
from chalicelib.domain.conditions import Launch
from chalicelib.domain.identity import Scope, is_user_id, unrestricted
from chalicelib.domain.orders import Order
from orderengine.async_client import AsyncClient
from orderengine.client import Client
from orderengine.io.defaults import Settings as ClientSettings
from orderengine.testing.checks import share, whole
from orderengine.testing.concurrent import ConcurrentDeployment
from orderengine.testing.configuration import settings_of
from orderengine.testing.driver import Driver
from orderengine.testing.durations import Duration, seconds_of
from orderengine.testing.errors import InvariantError
from orderengine.testing.fakes.clock import FakeClock
from orderengine.testing.invariants import order_violations
from orderengine.testing.keys import add_key
from orderengine.testing.line import Line, LostAnswers
from orderengine.testing.order_faults import OrderFaults
from orderengine.testing.parts import new_parts
from orderengine.testing.sockets import Mailbox, VirtualSockets
from orderengine.testing.transport import AsyncKitTransport, KitTransport

if TYPE_CHECKING:
    from orderengine.testing.server import RunningServer

#: Where clients of the kit's transports send their requests. Nothing listens there.
BASE_URL = "http://engine.test"
#: The time in which every order that executes must end: a rate limit may delay one by a quarter of an hour.
_SETTLED_WITHIN = "3h"
#: A replay looks up a few prices around an order; with fewer told in all, it knows every one.
_FEW_PRICES = 20

Result = TypeVar("Result")
Amount = Decimal | int | str


class VirtualEngine:
    """An engine in this process. Equal seeds and equal calls make equal runs."""

    def __init__(
        self, seed: str | int = "orders", settings: Mapping[str, Any] | None = None, *, real_time: bool = False
    ) -> None:
        """``settings`` are those of the engine. In ``real_time`` the caller must ``advance`` the clock as time goes.

        :raises TypeError: for a name that is no setting.
        :raises ValueError: naming each setting whose value is not valid.
        """
        self._settings = settings_of(str(seed), {"public_ws_url": _ws_url(BASE_URL), **(settings or {})})
        random = Random(str(seed))
        clock = FakeClock(utc_now()) if real_time else FakeClock()
        self._parts = new_parts(self._settings, clock)
        self._deployment = ConcurrentDeployment(self._settings, self._parts, random, VirtualSockets(clock.now_ms))
        self._losses = LostAnswers(random)
        self._servers: list[RunningServer] = []
        self.line = Line(self._deployment, self._losses)
        self.driver = Driver(self._deployment, skips_time=not real_time)
        self.transport = KitTransport(self.driver, self.line)
        self.async_transport = AsyncKitTransport(self.driver, self.line)

    # --- clients ------------------------------------------------------------------------------------------

    def client(self, **options: Unpack[ClientSettings]) -> Client:
        """A ``Client`` of this engine; ``options`` are its own: ``user``, ``key``, ``timeout`` and so on."""
        return Client(BASE_URL, transport=self.transport, **options)

    def async_client(self, **options: Unpack[ClientSettings]) -> AsyncClient:
        """An ``AsyncClient`` of this engine."""
        return AsyncClient(BASE_URL, transport=self.async_transport, **options)

    def key(self, user: str, scopes: Iterable[str] = ("read", "trade")) -> str:
        """A new API key of a user. It counts where the engine runs with ``auth=True``.

        :raises ValueError: for text that is no user, and for a scope that there is not.
        """
        if not isinstance(user, str) or not is_user_id(user):
            raise ValueError(f"{user!r} is no user: write 1 to 64 characters of A-Z a-z 0-9 _ . : @ -")
        return self._call(partial(add_key, self._parts, self._settings, user, [Scope(scope) for scope in scopes]))

    def serve(self, port: int = 0, host: str = "127.0.0.1") -> str:
        """Serve HTTP and WebSocket on a port, until the engine is closed; returns the address.

        Time stays virtual: it moves by ``advance``, by ``POST /sim/advance`` and for requests that wait.
        """
        from orderengine.testing.server import RunningServer

        server = RunningServer(self, host, port)
        self._servers.append(server)
        self.locate(server.url)
        return server.url

    def locate(self, url: str) -> None:
        """Let answers name the sockets at this address."""
        self._call(partial(self._deployment.relocate, _ws_url(url)))

    def close(self) -> None:
        """Stop the servers, and end what still runs."""
        while self._servers:
            self._servers.pop().stop()
        self._call(self._deployment.hub.close)

    # --- time and market ----------------------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        """The time of the engine, in UTC."""
        return self._parts.clock.now()

    def advance(self, by: Duration) -> datetime:
        """Let time pass, with all that happens in it: ``"30m"``, seconds, or a timedelta. Returns the new time."""
        self.driver.advance(seconds_of(by))
        return self.now

    def settle(self, within: Duration = _SETTLED_WITHIN) -> bool:
        """Let time pass until every order has ended or rests in the market; False if one still executes."""
        return self.driver.settle(seconds_of(within))

    def price(self, pair: str, price: Amount) -> int:
        """Tell the market a price, quote per base; returns how many orders it triggered at once.

        :raises RefusedError: saying what is wrong with the pair or the price.
        """
        event = self._market_event({"type": "price", "pair": pair, "price": price})
        assert not isinstance(event, Launch)
        market = self._deployment.engine.market
        return self._done(lambda: market.push_price(unrestricted(), event.pair, event.price))

    def launch(
        self,
        mint: str,
        *,
        venue: str = "raydium",
        price: Amount = "0.001",
        liquidity: Amount = 10_000,
        quote: str | None = None,
        pool: str | None = None,
    ) -> bool:
        """Open a pool of a new mint; False if it was open before. ``liquidity`` is the quote side of the pool.

        :raises RefusedError: saying what is wrong with the pool.
        """
        terms = {"mint": mint, "venue": venue, "price": price, "liquidity": liquidity, "quote": quote, "pool": pool}
        event = self._market_event(
            {"type": "pool_created"} | {name: of for name, of in terms.items() if of is not None}
        )
        assert isinstance(event, Launch)
        return self._done(lambda: self._deployment.engine.market.announce_launch(unrestricted(), event))

    # --- what goes wrong ----------------------------------------------------------------------------------

    @property
    def faults(self) -> OrderFaults:
        """Faults of the venues for the next orders: ``e.faults.add("tx_dropped:2")``."""
        return self._deployment.faults

    def cut_sockets(self, user: str | None = None) -> None:
        """Cut every socket, or those that have asked for a user or an order, with the frames under way.

        :raises ValueError: for a user that is no text.
        """
        if not isinstance(user, str | None):
            raise ValueError(f"user is text, and not {user!r}")

        def concerned(mailbox: Mailbox) -> bool:
            return user is None or user in mailbox.judge.asked

        self._call(lambda: self._deployment.cut_sockets(concerned))

    def duplicate_frames(self, times: int = 2) -> None:
        """Let every frame from now on arrive so many times; 1 ends it.

        :raises ValueError: for less than 1.
        """
        self._deployment.sockets.copies = whole("times", times, 1)

    def lose_answers(self, count: int = 0, *, rate: float = 0.0) -> None:
        """Lose the next ``count`` answers, and of the others the share ``rate``. The engine has done its work.

        :raises ValueError: for a count below 0, and for a share that is not from 0 to 1.
        """
        self._losses.count, self._losses.rate = whole("count", count, 0), share("rate", rate)

    def restart(self) -> None:
        """Kill every process of the engine in the middle of its work. Orders, queues and sockets stay."""
        self._call(self._deployment.restart)

    # --- what must hold -----------------------------------------------------------------------------------

    @property
    def orders(self) -> Mapping[str, Order]:
        """The orders as the engine keeps them, by their ids."""
        kept = self._deployment.all_orders
        return self._call(lambda: {order_id: stored.order for order_id, stored in kept().items()})

    def check(self) -> None:
        """Check the invariants of all orders and streams, at any moment.

        :raises InvariantError: with every violation.
        """
        if violations := self._call(self._violations):
            raise InvariantError(violations)

    def finish(self) -> None:
        """Let the orders that execute end, and check the invariants.

        :raises InvariantError: with every violation.
        """
        rests = self.settle()
        violations = self._call(self._violations)
        if not rests:
            violations.append(f"an order still executes after {_SETTLED_WITHIN}")
        if violations:
            raise InvariantError(violations)

    def _violations(self) -> list[str]:
        deployment, settings, settled = self._deployment, self._settings, self._deployment.is_settled
        # The next look comes to an order some seconds after its deadline, and the watchdog later while messages wait.
        late = 2 * settings.market_tick_seconds + (0 if settled else settings.backlog_patience_seconds)
        few_prices = deployment.markets.price_count <= _FEW_PRICES
        found = order_violations(deployment, overdue_ms=late * 1000, knows_all_prices=few_prices)
        found += deployment.sockets.violations
        if settled:
            seqs = {order_id: stored.order.seq for order_id, stored in deployment.all_orders().items()}
            found += deployment.sockets.unfinished(seqs)
        return found

    def _market_event(self, body: Mapping[str, Any]) -> Any:
        return read_market_event(body, self._deployment.engine.rules, self.now)

    def _done(self, work: Callable[[], Result]) -> Result:
        """The result of an invocation, which may take some time."""
        begun = self._call(partial(self._deployment.invoke, work))
        self.driver.wait(begun.done, seconds_of("1m"))
        return begun.result(0)

    def _call(self, work: Callable[[], Result]) -> Result:
        return self.driver.call(work)


def _ws_url(url: str) -> str:
    return f"ws{url.removeprefix('http')}/ws"
