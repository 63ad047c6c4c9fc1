"""Placing an order: the same bytes with each attempt, and a way to settle an order whose fate is unknown."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeAlias

from orderengine import errors
from orderengine.amounts import Amount
from orderengine.core import calls
from orderengine.core.answers import read
from orderengine.core.commands import Flow, Now, Response
from orderengine.core.requests import checked_key, json_request
from orderengine.core.retry import Unanswered, call, within
from orderengine.core.session import Session
from orderengine.core.terms import order_terms, wire
from orderengine.models.orders import Accepted
from orderengine.models.quotes import Preview

#: The engine knows a key for 24 hours; some minutes are left for the way there, and for a clock that drifts.
KEY_LIFETIME = timedelta(hours=23, minutes=50)
#: What ``OutcomeUnknown.resolve`` calls with the error: the ``resolve`` of the client.
Resolver: TypeAlias = Callable[[errors.OutcomeUnknown], Any]


@dataclass(frozen=True, slots=True)
class Placed:
    """An accepted order, its idempotency key, and whether the engine had accepted it before."""

    accepted: Accepted
    key: str
    replayed: bool


@dataclass(frozen=True, slots=True)
class _Submission:
    """An order with its key, ready to be sent any number of times: the engine accepts it once."""

    #: The arguments of ``submit`` that make the same order, as JSON.
    terms: Mapping[str, Any]
    valid_until: datetime
    resolver: Resolver

    def send(self, session: Session) -> Flow[Placed]:
        """Send the order.

        :raises UsageError, ProblemError, NotTheEngine, Unreachable: if the order does not exist.
        :raises OutcomeUnknown: if it may exist.
        """
        fields = dict(self.terms)
        key = fields.pop("idempotency_key")
        request = json_request("POST", "/api/orders/execute", wire(fields), {"idempotency-key": key})
        try:
            return (yield from call(session, request, partial(_placed, key)))
        except Unanswered as error:
            raise self.unknown(session, error.failure) from error.failure
        except Exception:
            raise
        except BaseException as interruption:
            # An interrupt or a cancellation goes on as it is, and says what became of the order.
            session.counters.unknown_outcomes += 1
            interruption.add_note(f"an order may exist: submit it again with idempotency_key={key!r}")
            raise

    def unknown(self, session: Session, failure: Exception) -> errors.OutcomeUnknown:
        session.counters.unknown_outcomes += 1
        detail = str(failure) or type(failure).__name__
        return errors.OutcomeUnknown(detail, self.terms, self.valid_until, self.resolver)


def place(
    session: Session,
    token_in: str,
    token_out: str,
    amount: Amount,
    key: str | None,
    terms: Mapping[str, Any],
    timeout: float | None,
    resolver: Resolver,
) -> Flow[Placed]:
    """Place an order, with an expiry by the server's clock and a key of its own if none is given.

    :raises UsageError: for an argument that no order can have.
    :raises ProblemError, NotTheEngine, Unreachable: if the order does not exist.
    :raises OutcomeUnknown: if it may exist.
    """
    key = _new_key() if key is None else checked_key(key)
    session = yield from within(session, timeout)
    fixed = yield from _fixed_terms(session, token_in, token_out, amount, terms)
    valid_until = (yield Now()) + KEY_LIFETIME
    order = _Submission({**fixed, "idempotency_key": key}, valid_until, resolver)
    return (yield from order.send(session))


def resolve(
    session: Session, error: errors.OutcomeUnknown, timeout: float | None, resolver: Resolver
) -> Flow[Placed]:
    """Send an order again whose fate is unknown. Only an answer about its terms or its key settles it.

    :raises Invalid, Conflict: if the order does not exist.
    :raises OutcomeUnknown: if it may exist.
    :raises UsageError: if the engine may have forgotten the key.
    """
    if (yield Now()) > error.valid_until:
        raise errors.UsageError(f"the key {error.key} is too old to ask again: look for the order by orders()")
    order = _Submission(error.terms, error.valid_until, resolver)
    session = yield from within(session, timeout)
    try:
        return (yield from order.send(session))
    except (errors.OutcomeUnknown, errors.Invalid, errors.Conflict):
        raise
    except errors.OrderEngineError as failure:
        raise order.unknown(session, failure) from failure


def preview(
    session: Session, token_in: str, token_out: str, amount: Amount, terms: Mapping[str, Any]
) -> Flow[Preview]:
    """What ``place`` with the same arguments would do now.

    :raises UsageError: for an argument that no order can have.
    """
    session = yield from within(session, None)
    fixed = yield from _fixed_terms(session, token_in, token_out, amount, terms)
    return (yield from calls.preview(session, wire(fixed)))


def _placed(key: str, response: Response) -> Placed:
    return Placed(read(Accepted, response), key, response.headers.get("idempotent-replayed") == "true")


def _fixed_terms(
    session: Session, token_in: str, token_out: str, amount: Amount, terms: Mapping[str, Any]
) -> Flow[dict[str, Any]]:
    """The terms of an order as JSON, with the user that it belongs to: the key counts for this user alone.

    :raises UsageError: for an argument that no order can have.
    """
    terms = {**terms, "user": terms.get("user") or session.options.user}
    fixed = order_terms(token_in, token_out, amount, terms, (yield Now()))
    if terms.get("expires_in") is None:
        return fixed
    # The terms are good, so it is worth a request to learn the server's clock.
    return order_terms(token_in, token_out, amount, terms, (yield from calls.server_now(session)))


def _new_key() -> str:
    from uuid import uuid4

    return str(uuid4())
