"""The client, blocking."""

from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Unpack

from orderengine.amounts import Amount
from orderengine.connection import Connection
from orderengine.core import calls, orders, submission
from orderengine.core.listing import listing
from orderengine.core.requests import OrderRef, order_id
from orderengine.core.streams import results
from orderengine.core.streams.follow import Following
from orderengine.core.streams.watch import watch
from orderengine.core.terms import AmendTerms, ListFilters, OrderTerms, PoolTerms
from orderengine.errors import OutcomeUnknown
from orderengine.feed import Feed
from orderengine.io.drivers import iterate
from orderengine.models.orders import Cancellation, Cancellations, Order, OrderStatus, Page, Update
from orderengine.models.quotes import Preview, Quotes
from orderengine.placed import PlacedOrder
from orderengine.times import Time

if TYPE_CHECKING:
    from orderengine.models.engine import EngineState, Health, LaunchAccepted, PriceAccepted, Stats, Ticket, Token
    from orderengine.models.explanations import Explanation


class Client(Connection):
    """A connection to an order execution engine.

    Amounts and prices are ``Decimal``, ``int`` or decimal text, and a float is refused. An order is named by its id,
    or by any object that has one. Every call retries what a retry can mend, within ``timeout`` seconds in total; only
    ``cancel_all`` and what waits for orders take longer. A client may be used by several threads, and after a fork by
    both processes; an iterator or feed is for one thread.
    """

    def submit(
        self,
        token_in: str,
        token_out: str,
        amount: Amount,
        *,
        idempotency_key: str | None = None,
        timeout: float | None = None,
        **terms: Unpack[OrderTerms],
    ) -> PlacedOrder:
        """Place an order that pays ``amount`` of ``token_in``. Retries place it once, by an idempotency key.

        With ``limit_price`` it is a limit order, with ``launch`` a sniper order, else a market order. Give an
        ``idempotency_key`` of your own, and keep it before the call, to find the order again after a crash: the same
        terms with the same key and user give the same order for 24 hours. ``timeout`` seconds bound the call; those
        of the client do if none are given.

        :raises UsageError: for a float, and other arguments that no order can have.
        :raises Invalid: if the engine refuses terms; ``fields`` names every bad one.
        :raises RateLimited: if it takes no more orders now.
        :raises OutcomeUnknown: if no answer came and the order may exist. ``resolve()`` settles it.
        """
        flow = submission.place(
            self._session, token_in, token_out, amount, idempotency_key, terms, timeout, self.resolve
        )
        return PlacedOrder(self, self._run(flow))

    def resolve(self, error: OutcomeUnknown, *, timeout: float | None = None) -> PlacedOrder:
        """Send the order of an ``OutcomeUnknown`` again, with the same key. The result is the one order.

        The error may come from another client or process, if its credential is of the same user.

        :raises Invalid, Conflict: if there is no such order, and the engine refuses its terms.
        :raises OutcomeUnknown: if the engine does not say.
        :raises UsageError: after ``error.valid_until``, when a repeat could be a second order.
        """
        return PlacedOrder(self, self._run(submission.resolve(self._session, error, timeout, self.resolve)))

    def preview(self, token_in: str, token_out: str, amount: Amount, **terms: Unpack[OrderTerms]) -> Preview:
        """What ``submit`` with the same arguments would do now. Nothing is placed."""
        return self._run(submission.preview(self._session, token_in, token_out, amount, terms))

    def quote(self, token_in: str, token_out: str, amount: Amount) -> Quotes:
        """The quotes of both venues now, and the router's choice."""
        return self._run(calls.quote_tokens(self._session, token_in, token_out, amount))

    def order(self, order: OrderRef, *, at_seq: int | None = None) -> Order:
        """The record of an order, now or as it stood at an event.

        :raises NotFound: if there is none, or it is somebody else's.
        """
        return self._run(calls.order(self._session, order, at_seq))

    def status(self, order: OrderRef) -> OrderStatus:
        """The short status of an order."""
        return self._run(calls.status(self._session, order))

    def events(self, order: OrderRef, *, after: int = 0, wait: int = 0) -> list[Update]:
        """The events of an order after a ``seq``; with ``wait`` (0 to 20) as soon as there is one."""
        return self._run(orders.events_after(self._session, order, after, wait))

    def orders(self, *, limit: int | None = None, **filters: Unpack[ListFilters]) -> Generator[Order, None, None]:
        """The orders that all filters let through, newest first, page by page. ``limit`` bounds their number.

        :raises InvalidArgument: at the call, for a filter that no list can have.
        """
        return iterate(listing(self._session, limit, **filters), self._transport)

    def page(self, *, limit: int | None = None, cursor: str | None = None, **filters: Unpack[ListFilters]) -> Page:
        """One page of ``orders``. ``next_cursor`` continues it, also in another process."""
        return self._run(calls.page(self._session, limit=limit, cursor=cursor, **filters))

    def amend(
        self,
        order: OrderRef,
        *,
        if_seq: int | None = None,
        timeout: float | None = None,
        **changes: Unpack[AmendTerms],
    ) -> Order:
        """Amend an open order if it is still as you saw it; by its id, as it is now.

        An ``Order`` is the record that you saw, and a ``PlacedOrder`` knows its last ``seq``; ``if_seq`` names
        another one.

        :raises MovedOn: if it has changed since.
        :raises NotAmendable: if it is not open.
        :raises Unreachable: if no answer came; with ``sent``, it may be amended.
        """
        if isinstance(order, PlacedOrder):
            return order.amend(if_seq=if_seq, timeout=timeout, **changes)
        known = order.seq if if_seq is None and isinstance(order, Order) else if_seq
        return self._run(orders.amend(self._session, order, known, changes, timeout))

    def cancel(self, order: OrderRef, *, timeout: float | None = None) -> Cancellation:
        """Cancel an order.

        :raises TooLate: if it is submitted or terminal; ``verdict`` says which, and at which event.
        """
        return self._run(orders.cancel(self._session, order, timeout))

    def cancel_all(self, user: str | None = None, *, timeout: float | None = None) -> Cancellations:
        """Cancel all open orders of a user. ``more`` is true if some cannot be cancelled now.

        It takes five minutes at most, or ``timeout`` seconds.

        :raises OrderEngineError: if it fails on the way; ``cancelled`` has what it did before.
        """
        return self._run(orders.cancel_all(self._session, user, timeout))

    def explain(self, order: OrderRef) -> "Explanation":
        """Why an order went as it did, and what would have filled it."""
        return self._run(calls.explain(self._session, order))

    def watch(
        self, order: OrderRef, *, after: int = 0, coarse: bool = False, timeout: float | None = None
    ) -> Generator[Update, None, None]:
        """Each event of an order after ``after``, once and in order, to its last one, through any reconnects.

        With ``coarse`` only the events that change its phase.

        :raises DeadlineExceeded: after ``timeout`` seconds; the order goes on.
        :raises StreamRefused: if the engine ends the stream for good.
        """
        return iterate(watch(self._session, order_id(order), after, coarse, timeout), self._transport)

    def follow(
        self,
        user: str | None = None,
        *,
        since: Time | None = None,
        cursor: str | None = None,
        timeout: float | None = None,
    ) -> Feed:
        """The updates of all orders of a user from now on, each once, through any reconnects.

        It begins with the latest update of each order that is not over. With ``since`` it begins with every update
        since then, and some of the minute and a half before; with the ``cursor`` of an earlier feed, after that one.

        :raises InvalidArgument: for a cursor that is none, or of another user.
        """
        return Feed(Following(self._session, user, since, cursor, timeout), self._transport)

    def result(self, order: OrderRef, *, timeout: float | None = None) -> Order:
        """The record of an order once it is terminal.

        :raises DeadlineExceeded: after ``timeout`` seconds; the order goes on.
        """
        return self._run(results.result(self._session, order_id(order), timeout))

    def gather(self, orders: Sequence[OrderRef], *, timeout: float | None = None) -> list[Order]:
        """The records of several orders once all are terminal, by one socket.

        :raises DeadlineExceeded: after ``timeout`` seconds; the orders go on.
        """
        return self._run(results.gather(self._session, [order_id(one) for one in orders], timeout))

    def stats(self, *, user: str | None = None, since: Time | None = None, until: Time | None = None) -> "Stats":
        """The scorecard of a user, or of everybody, for a window of time (the last day)."""
        return self._run(calls.stats(self._session, user, since, until))

    def engine(self) -> "EngineState":
        """What the engine does now, for its operators.

        :raises Forbidden: without the scope ``operate``.
        """
        return self._run(calls.engine_state(self._session))

    def health(self) -> "Health":
        """The state of the engine and of each dependency."""
        return self._run(calls.health(self._session))

    def tokens(self) -> "tuple[Token, ...]":
        """The tokens that can be traded."""
        return self._run(calls.tokens(self._session))

    def ticket(self) -> "Ticket":
        """A ticket that opens one socket within a minute, for a browser."""
        return self._run(calls.ticket(self._session))

    def tell_price(self, pair: str, price: Amount) -> "PriceAccepted":
        """Push a price of a pair such as ``SOL/USDC``, as a market feed does.

        An attempt without an answer is not repeated, as it could undo a newer price: push the next one.
        """
        return self._run(calls.tell_price(self._session, pair, price))

    def tell_pool(self, mint: str, **terms: Unpack[PoolTerms]) -> "LaunchAccepted":
        """Announce the first pool of a mint, which triggers the sniper orders that wait for it."""
        return self._run(calls.tell_pool(self._session, mint, terms))
