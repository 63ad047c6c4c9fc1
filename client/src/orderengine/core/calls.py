"""The calls of the contract as flows: those that read, and those that a market feed makes."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Unpack

from orderengine import errors
from orderengine.amounts import Amount, exact
from orderengine.core.answers import problem_of, read
from orderengine.core.commands import Flow, Now, Request, Response
from orderengine.core.requests import OrderRef, json_request, order_id, order_path, query
from orderengine.core.retry import call_safely
from orderengine.core.session import Session
from orderengine.core.terms import ListFilters, list_filters, pool_terms, wire
from orderengine.models import orders, quotes
from orderengine.times import Time, time_text

# A bot that places orders does without these, and its start is faster for it.
if TYPE_CHECKING:
    from orderengine.models import engine, explanations


def server_now(session: Session) -> Flow[datetime]:
    """The server's time, to the second; this machine's clock may be wrong.

    :raises ProblemError, NotTheEngine, Unreachable: if the server has to be asked and does not answer.
    """
    if session.clock.offset is None:
        yield from health(session)
    here: datetime = yield Now()
    return here + (session.clock.offset or timedelta())


def order(session: Session, order: OrderRef, at_seq: int | None = None) -> Flow[orders.Order]:
    request = Request("GET", order_path(order), query(atSeq=at_seq))
    return (yield from call_safely(session, request, partial(read, orders.Order)))


def status(session: Session, order: OrderRef) -> Flow[orders.OrderStatus]:
    request = Request("GET", f"/api/orders/status/{order_id(order)}")
    return (yield from call_safely(session, request, partial(read, orders.OrderStatus)))


def quote_tokens(session: Session, token_in: str, token_out: str, amount: Amount) -> Flow[quotes.Quotes]:
    fields = query(tokenIn=token_in, tokenOut=token_out, amountIn=exact("amount", amount))
    return (yield from call_safely(session, Request("GET", "/api/quotes", fields), partial(read, quotes.Quotes)))


def preview(session: Session, body: Mapping[str, Any]) -> Flow[quotes.Preview]:
    request = json_request("POST", "/api/orders/preview", body)
    return (yield from call_safely(session, request, partial(read, quotes.Preview)))


def explain(session: Session, order: OrderRef) -> "Flow[explanations.Explanation]":
    from orderengine.models.explanations import Explanation

    request = Request("GET", order_path(order, "/explain"))
    return (yield from call_safely(session, request, partial(read, Explanation)))


def page(
    session: Session, *, limit: int | None = None, cursor: str | None = None, **filters: Unpack[ListFilters]
) -> Flow[orders.Page]:
    """One page of the orders that pass the filters, newest first."""
    fields = list_query(session, filters) + query(limit=limit, cursor=cursor)
    return (yield from call_safely(session, Request("GET", "/api/orders", fields), partial(read, orders.Page)))


def list_query(session: Session, filters: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """:raises InvalidArgument: for a filter that no list can have."""
    return query(**wire(list_filters({**filters, "user": filters.get("user") or session.options.user})))


def stats(
    session: Session, user: str | None = None, since: Time | None = None, until: Time | None = None
) -> "Flow[engine.Stats]":
    from orderengine.models.engine import Stats

    times = {"from": since, "to": until}
    written = {name: time_text(name, value) for name, value in times.items() if value is not None}
    request = Request("GET", "/api/stats", query(userId=user or session.options.user, **written))
    return (yield from call_safely(session, request, partial(read, Stats)))


def engine_state(session: Session) -> "Flow[engine.EngineState]":
    from orderengine.models.engine import EngineState

    return (yield from call_safely(session, Request("GET", "/api/engine"), partial(read, EngineState)))


def health(session: Session) -> "Flow[engine.Health]":
    """The health. An engine that is not well answers 503 with the same body, which is no failure of this call."""
    return (yield from call_safely(session, Request("GET", "/health"), _read_health))


def _read_health(response: Response) -> "engine.Health":
    from orderengine.models.engine import Health

    if response.status != 503:
        return read(Health, response)
    try:
        return read(Health, Response(200, response.headers, response.body))
    except errors.NotTheEngine:
        raise problem_of(response) from None


def tokens(session: Session) -> "Flow[tuple[engine.Token, ...]]":
    from orderengine.models.engine import Tokens

    found = yield from call_safely(session, Request("GET", "/api/tokens"), partial(read, Tokens))
    return found.tokens


def ticket(session: Session) -> "Flow[engine.Ticket]":
    from orderengine.models.engine import Ticket

    request = json_request("POST", "/api/stream-tickets", {})
    return (yield from call_safely(session, request, partial(read, Ticket)))


def tell_price(session: Session, pair: str, price: Amount) -> "Flow[engine.PriceAccepted]":
    """Push a price. An attempt that may have worked is not repeated: a newer price may have come in between.

    :raises Unreachable, Unavailable, ServerFault: if the engine may have the price or not.
    """
    from orderengine.models.engine import PriceAccepted

    body = {"type": "price", "pair": pair, "price": exact("price", price)}
    request = json_request("POST", "/api/market/events", body)
    return (yield from call_safely(session, request, partial(read, PriceAccepted), repeats_sent=False))


def tell_pool(session: Session, mint: str, terms: Mapping[str, Any]) -> "Flow[engine.LaunchAccepted]":
    from orderengine.models.engine import LaunchAccepted

    body = {"type": "pool_created", "mint": mint, **wire(pool_terms(terms))}
    request = json_request("POST", "/api/market/events", body)
    return (yield from call_safely(session, request, partial(read, LaunchAccepted)))
