"""Amending and cancelling orders, and reading their events."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from orderengine import errors
from orderengine.core.amendments import amends_to
from orderengine.core.answers import read
from orderengine.core.calls import order, server_now
from orderengine.core.commands import Flow, Monotonic, Now, Request, Sleep
from orderengine.core.requests import OrderRef, json_request, order_path, query
from orderengine.core.retry import FAILURES, Failure, Unanswered, call, call_safely, within
from orderengine.core.session import Session
from orderengine.core.terms import amendment_terms, wire
from orderengine.models.orders import Cancellation, Cancellations, Events, Order, Update

#: The engine takes up to 29 s to cancel 200 orders.
ROUND_SECONDS = 30.0
#: What all rounds of ``cancel_all`` get, unless the call says otherwise: several hundred orders at that pace.
CANCEL_ALL_SECONDS = 300.0
#: Rounds of ``cancel_all`` in a row that cancel nothing, after which it says that there is more.
MAX_IDLE_ROUNDS = 3
#: The part of an amendment's time in which it is sent. The rest is for finding out what became of it.
_SENDING_SHARE = 0.75


def amend(
    session: Session,
    order_ref: OrderRef,
    if_seq: int | None,
    changes: Mapping[str, Any],
    timeout: float | None = None,
) -> Flow[Order]:
    """Amend an open order as it is at ``if_seq``; without one, as it is now. No attempt is applied twice.

    :raises MovedOn: if the order has changed since, by somebody else.
    :raises NotAmendable: if it is not open.
    :raises Unreachable: if no answer came; with ``sent``, it may be amended.
    """
    terms = amendment_terms(changes, (yield Now()))
    path = order_path(order_ref)
    session = yield from within(session, timeout)
    if changes.get("expires_in") is not None:
        terms = amendment_terms(changes, (yield from server_now(session)))
    if if_seq is None:
        if_seq = (yield from order(session, order_ref)).seq
    body = wire(terms)
    request = json_request("PATCH", path, body, {"if-match": f'"{if_seq}"'})
    left = session.ends_at - (yield Monotonic())
    try:
        return (yield from call(session, request, partial(read, Order), timeout=left * _SENDING_SHARE))
    except Unanswered as error:
        if not isinstance(error.failure, FAILURES):
            raise error.failure from None
        # If-Match lets at most one attempt through: the events tell whether one of ours did.
        return (yield from _settle_amendment(session, order_ref, if_seq, body, error.failure))


def _settle_amendment(
    session: Session, order_ref: OrderRef, if_seq: int, body: Mapping[str, Any], failure: Failure
) -> Flow[Order]:
    try:
        events = yield from events_after(session, order_ref, if_seq)
        if events and amends_to(events[0], body):
            return (yield from order(session, order_ref))
    except FAILURES as error:
        detail = f"the order may be amended: {failure}; the look at its events failed: {error}"
        raise errors.Unreachable(detail, sent=True) from error
    raise failure from None


def cancel(session: Session, order_ref: OrderRef, timeout: float | None = None) -> Flow[Cancellation]:
    """Cancel an order. A repeat gives the same answer, so a lost one does no harm.

    :raises TooLate: if it is submitted or terminal.
    """
    request = Request("DELETE", order_path(order_ref))
    session = yield from within(session, timeout)
    return (yield from call_safely(session, request, partial(read, Cancellation)))


def cancel_all(session: Session, user: str | None, timeout: float | None = None) -> Flow[Cancellations]:
    """Cancel all open orders of a user, however many there are: the engine takes 200 at a time.

    ``more`` stays true if the orders that are left cannot be cancelled now. After a lost answer, the orders that it
    named are cancelled but not listed.

    :raises OrderEngineError: if a round fails; ``cancelled`` has what the rounds before it did.
    """
    request = Request("DELETE", "/api/orders", query(userId=user or session.options.user))
    seconds = max(ROUND_SECONDS, session.options.timeout)
    session = yield from within(session, max(CANCEL_ALL_SECONDS, seconds) if timeout is None else timeout)
    done: Cancellations | None = None
    idle = 0
    while True:
        try:
            found = yield from call_safely(
                session, request, partial(read, Cancellations), timeout=seconds, try_timeout=ROUND_SECONDS
            )
        except errors.OrderEngineError as error:
            error.cancelled = done
            raise
        done = _merged(done, found)
        idle = 0 if found.cancelled else idle + 1
        if not found.more or idle == MAX_IDLE_ROUNDS:
            return done
        if idle:
            yield Sleep(float(idle))


def _merged(done: Cancellations | None, found: Cancellations) -> Cancellations:
    if done is None:
        return found
    cancelled = done.cancelled + found.cancelled
    ids = {one.id for one in cancelled}
    too_late = {one.id: one for one in done.too_late + found.too_late if one.id not in ids}
    return replace(found, cancelled=cancelled, too_late=tuple(too_late.values()))


def events_after(session: Session, order_ref: OrderRef, after: int, wait: int = 0) -> Flow[list[Update]]:
    """The events after a ``seq``; with ``wait``, as soon as there is one or after so many seconds."""
    request = Request("GET", order_path(order_ref, "/events"), query(afterSeq=after, wait=wait or None))
    try_timeout = max(0, wait) + session.options.try_timeout
    found = yield from call_safely(
        session,
        request,
        partial(read, Events),
        timeout=try_timeout + session.options.timeout,
        try_timeout=try_timeout,
    )
    return [replace(one, order_id=found.order_id) for one in found.events]
