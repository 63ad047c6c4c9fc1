"""The client, awaited: the methods and arguments of ``Client``, whose docstrings say what each does."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, Unpack

from orderengine.amounts import Amount
from orderengine.async_placed import AsyncPlacedOrder
from orderengine.core import calls, orders, submission
from orderengine.core.commands import Flow, Response
from orderengine.core.listing import listing
from orderengine.core.raw import raw
from orderengine.core.requests import OrderRef, order_id
from orderengine.core.session import Counters
from orderengine.core.streams import results
from orderengine.core.streams.follow import Following
from orderengine.core.streams.watch import watch
from orderengine.core.terms import AmendTerms, ListFilters, OrderTerms, PoolTerms
from orderengine.errors import OutcomeUnknown
from orderengine.feed import AsyncFeed
from orderengine.io.async_network import AsyncNetworkTransport
from orderengine.io.defaults import Settings, addresses_of, session_of
from orderengine.io.drivers import iterate_async, run_async
from orderengine.io.transport import AsyncTransport
from orderengine.models.orders import Cancellation, Cancellations, Order, OrderStatus, Page, Update
from orderengine.models.quotes import Preview, Quotes
from orderengine.times import Time

if TYPE_CHECKING:
    from orderengine.models.engine import EngineState, Health, LaunchAccepted, PriceAccepted, Stats, Ticket, Token
    from orderengine.models.explanations import Explanation

T = TypeVar("T")


class AsyncClient:
    """A connection to an order execution engine, for asyncio. It may be used by one event loop after another.

    To bound a call, give it a ``timeout``: after ``asyncio.wait_for``, an order whose answer is lost is told only by
    a note on the ``CancelledError``.
    """

    def __init__(
        self,
        base_url: str | None = None,
        *,
        ws_url: str | None = None,
        transport: AsyncTransport | None = None,
        **settings: Unpack[Settings],
    ) -> None:
        self._session = session_of(settings)
        self._transport = transport or AsyncNetworkTransport(addresses_of(base_url, ws_url))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self._transport.close()

    @property
    def counters(self) -> Counters:
        return self._session.counters

    async def submit(
        self,
        token_in: str,
        token_out: str,
        amount: Amount,
        *,
        idempotency_key: str | None = None,
        timeout: float | None = None,
        **terms: Unpack[OrderTerms],
    ) -> AsyncPlacedOrder:
        flow = submission.place(
            self._session, token_in, token_out, amount, idempotency_key, terms, timeout, self.resolve
        )
        return AsyncPlacedOrder(self, await self._run(flow))

    async def resolve(self, error: OutcomeUnknown, *, timeout: float | None = None) -> AsyncPlacedOrder:
        flow = submission.resolve(self._session, error, timeout, self.resolve)
        return AsyncPlacedOrder(self, await self._run(flow))

    async def preview(self, token_in: str, token_out: str, amount: Amount, **terms: Unpack[OrderTerms]) -> Preview:
        return await self._run(submission.preview(self._session, token_in, token_out, amount, terms))

    async def quote(self, token_in: str, token_out: str, amount: Amount) -> Quotes:
        return await self._run(calls.quote_tokens(self._session, token_in, token_out, amount))

    async def order(self, order: OrderRef, *, at_seq: int | None = None) -> Order:
        return await self._run(calls.order(self._session, order, at_seq))

    async def status(self, order: OrderRef) -> OrderStatus:
        return await self._run(calls.status(self._session, order))

    async def events(self, order: OrderRef, *, after: int = 0, wait: int = 0) -> list[Update]:
        return await self._run(orders.events_after(self._session, order, after, wait))

    def orders(self, *, limit: int | None = None, **filters: Unpack[ListFilters]) -> AsyncGenerator[Order, None]:
        return iterate_async(listing(self._session, limit, **filters), self._transport)

    async def page(
        self, *, limit: int | None = None, cursor: str | None = None, **filters: Unpack[ListFilters]
    ) -> Page:
        return await self._run(calls.page(self._session, limit=limit, cursor=cursor, **filters))

    async def amend(
        self,
        order: OrderRef,
        *,
        if_seq: int | None = None,
        timeout: float | None = None,
        **changes: Unpack[AmendTerms],
    ) -> Order:
        if isinstance(order, AsyncPlacedOrder):
            return await order.amend(if_seq=if_seq, timeout=timeout, **changes)
        known = order.seq if if_seq is None and isinstance(order, Order) else if_seq
        return await self._run(orders.amend(self._session, order, known, changes, timeout))

    async def cancel(self, order: OrderRef, *, timeout: float | None = None) -> Cancellation:
        return await self._run(orders.cancel(self._session, order, timeout))

    async def cancel_all(self, user: str | None = None, *, timeout: float | None = None) -> Cancellations:
        return await self._run(orders.cancel_all(self._session, user, timeout))

    async def explain(self, order: OrderRef) -> "Explanation":
        return await self._run(calls.explain(self._session, order))

    def watch(
        self, order: OrderRef, *, after: int = 0, coarse: bool = False, timeout: float | None = None
    ) -> AsyncGenerator[Update, None]:
        return iterate_async(watch(self._session, order_id(order), after, coarse, timeout), self._transport)

    def follow(
        self,
        user: str | None = None,
        *,
        since: Time | None = None,
        cursor: str | None = None,
        timeout: float | None = None,
    ) -> AsyncFeed:
        return AsyncFeed(Following(self._session, user, since, cursor, timeout), self._transport)

    async def result(self, order: OrderRef, *, timeout: float | None = None) -> Order:
        return await self._run(results.result(self._session, order_id(order), timeout))

    async def gather(self, orders: Sequence[OrderRef], *, timeout: float | None = None) -> list[Order]:
        return await self._run(results.gather(self._session, [order_id(one) for one in orders], timeout))

    async def stats(
        self, *, user: str | None = None, since: Time | None = None, until: Time | None = None
    ) -> "Stats":
        return await self._run(calls.stats(self._session, user, since, until))

    async def engine(self) -> "EngineState":
        """What the engine does now, for its operators.

        :raises Forbidden: without the scope ``operate``.
        """
        return await self._run(calls.engine_state(self._session))

    async def health(self) -> "Health":
        return await self._run(calls.health(self._session))

    async def tokens(self) -> "tuple[Token, ...]":
        return await self._run(calls.tokens(self._session))

    async def ticket(self) -> "Ticket":
        return await self._run(calls.ticket(self._session))

    async def tell_price(self, pair: str, price: Amount) -> "PriceAccepted":
        return await self._run(calls.tell_price(self._session, pair, price))

    async def tell_pool(self, mint: str, **terms: Unpack[PoolTerms]) -> "LaunchAccepted":
        return await self._run(calls.tell_pool(self._session, mint, terms))

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        return await self._run(raw(self._session, method, path, query, body, headers))

    async def _run(self, flow: Flow[T]) -> T:
        return await run_async(flow, self._transport)
