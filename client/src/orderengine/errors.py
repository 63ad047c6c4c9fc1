"""The exceptions of the client.

::

    OrderEngineError
     ├─ UsageError                     raised before anything is sent
     │   ├─ FloatAmount                a float where an exact amount is needed
     │   └─ InvalidArgument            an argument that no request can have
     ├─ ProblemError                   the engine refuses: status, code, detail, fields, request_id
     │   ├─ Invalid                    400, 413, 415, 422: fields names every bad field
     │   │   └─ KeyReused              the idempotency key belongs to another order
     │   ├─ Unauthenticated            401
     │   ├─ Forbidden                  403
     │   ├─ NotFound                   404
     │   ├─ Conflict                   409
     │   │   ├─ TooLate                the order is submitted or terminal: verdict
     │   │   ├─ NotAmendable           the order is not open
     │   │   └─ PoolAlreadyLive        the mint is traded already
     │   ├─ MovedOn                    412, the order has changed since: verdict
     │   ├─ RateLimited                429: retry_after
     │   ├─ Unavailable                502, 503, 504: retry_after
     │   └─ ServerFault                500
     ├─ NotTheEngine                   an answer that is not the engine's: HTML, half an answer
     ├─ Unreachable                    no answer: sent tells whether the request may have arrived
     ├─ DeadlineExceeded               the time given has passed; the order goes on
     ├─ OutcomeUnknown                 no answer, and an order may exist: key, terms, valid_until, resolve()
     ├─ StreamRefused                  the engine ends a stream for good: code, detail
     ├─ EventMissing                   the engine lacks an event between others of an order: order_id, seq
     └─ OutcomeError                   raise_for_outcome() of an order that was not filled
         ├─ OrderFailed
         ├─ OrderCancelled
         └─ OrderExpired
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from orderengine.models.problems import FieldProblem as FieldProblem
from orderengine.models.problems import Verdict as Verdict
from orderengine.models.problems import fields_of, text_of, verdict_of

if TYPE_CHECKING:
    from orderengine.models.orders import Cancellations, Order


class OrderEngineError(Exception):
    """Any error of the client. It survives ``pickle``, so that a worker process can hand it on."""

    #: What ``cancel_all`` had done before it failed; ``None`` for every other call.
    cancelled: "Cancellations | None" = None

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self), self.args, self._state())

    def _state(self) -> dict[str, Any]:
        return self.__dict__


def _restored(kind: type[OrderEngineError], arguments: tuple[Any, ...], state: dict[str, Any]) -> OrderEngineError:
    error = kind.__new__(kind, *arguments)
    error.__dict__.update(state)
    return error


class UsageError(OrderEngineError, ValueError):
    """The call or its settings allow no request. Nothing was sent."""


class FloatAmount(UsageError, TypeError):
    """An amount or price is a float, which cannot hold most decimal numbers exactly."""

    def __init__(self, name: str, value: float) -> None:
        super().__init__(
            f"{name} is the float {value!r}, which is not exact: write {str(value)!r} or Decimal({str(value)!r})"
        )


class InvalidArgument(UsageError):
    """An argument has a value that no request can have."""


class ProblemError(OrderEngineError):
    """The engine refuses a request. ``body`` is the whole problem document (RFC 9457)."""

    def __init__(
        self, status: int, body: Mapping[str, Any], headers: Mapping[str, str], retry_after: float | None
    ) -> None:
        self.status = status
        self.body = body
        self.headers = headers
        self.code = text_of(body, "code")
        self.title = text_of(body, "title")
        self.detail = text_of(body, "detail")
        self.request_id = text_of(body, "requestId") or headers.get("x-request-id", "")
        #: Seconds after which the engine suggests another attempt; ``None`` if it does not say.
        self.retry_after = retry_after
        self.fields = fields_of(body)
        self.verdict = verdict_of(body)
        super().__init__(self._text())

    def _text(self) -> str:
        fields = [f"{name}: {problem.message}" for name, problems in self.fields.items() for problem in problems]
        return " ".join([f"{self.status} {self.code}: {self.detail or self.title}", *fields])


class Invalid(ProblemError):
    """The request is not valid. ``fields`` maps each bad field to its problems."""


class KeyReused(Invalid):
    """The idempotency key belongs to an order with other terms, which is untouched."""


class Unauthenticated(ProblemError):
    """The credential is missing, wrong or expired."""


class Forbidden(ProblemError):
    """The credential lacks a scope, or belongs to another user."""


class NotFound(ProblemError):
    """There is no such order, or it is somebody else's."""


class Conflict(ProblemError):
    """The state of the order or the market does not allow the request."""


class TooLate(Conflict):
    """The order is submitted or terminal, and cannot be cancelled. ``verdict`` has its status."""


class NotAmendable(Conflict):
    """The order is not open, or was amended too often."""


class PoolAlreadyLive(Conflict):
    """A sniper order waits for the first pool of a mint, and this mint has one."""


class MovedOn(ProblemError):
    """The order has changed since the ``seq`` that the request names. ``verdict`` has the present one."""


class RateLimited(ProblemError):
    """There were too many requests, orders or sockets, by ``code``; ``retry_after`` says when there may be more."""


class Unavailable(ProblemError):
    """The engine, or a gateway before it, cannot serve the request now."""


class ServerFault(ProblemError):
    """The engine failed. ``request_id`` names the request in its logs."""


class NotTheEngine(OrderEngineError):
    """An answer that the engine does not give: HTML, half an answer, another service. ``text`` is its beginning."""

    def __init__(self, detail: str, status: int, content_type: str, text: str) -> None:
        super().__init__(f"{detail} (HTTP {status}, {content_type or 'no content type'}): {text[:200]!r}")
        self.status = status
        self.content_type = content_type
        self.text = text


class Unreachable(OrderEngineError):
    """The engine gives no answer. ``sent`` is False if it cannot have received the request.

    Most calls that raise it can be made again: they read, or a repeat has no second effect. After ``amend``,
    ``tell_price`` and a ``request`` of your own with ``sent``, look at what the engine has first.
    """

    def __init__(self, detail: str, *, sent: bool = False) -> None:
        super().__init__(detail)
        self.sent = sent


class DeadlineExceeded(OrderEngineError):
    """The time given for a call has passed. ``last_seq`` is the last event seen of the order that was awaited."""

    def __init__(self, detail: str, last_seq: int | None = None, status: str | None = None) -> None:
        super().__init__(detail)
        self.last_seq = last_seq
        self.status = status


class OutcomeUnknown(OrderEngineError):
    """The engine gave no answer to an order, and may have accepted it. ``resolve()`` asks again with the same key.

    ``key`` is the idempotency key: until ``valid_until``, by this machine's clock, the engine answers a repeat with
    the first order. ``terms`` are the arguments of ``submit`` that repeat the order: its user, this key, and a fixed
    expiry. They are JSON, so that another process can settle the order by ``client.submit(**terms)``.
    """

    def __init__(
        self,
        detail: str,
        terms: Mapping[str, Any],
        valid_until: datetime,
        resolver: "Callable[[OutcomeUnknown], Any] | None",
    ) -> None:
        self.key: str = terms["idempotency_key"]
        self.terms = terms
        self.valid_until = valid_until
        self._resolver = resolver
        super().__init__(f"{detail}. The order may exist; resolve() asks again with the key {self.key}")

    def resolve(self) -> Any:
        """As ``client.resolve(error)`` of the client that raised the error, which is also typed.

        :raises UsageError: if the error comes from another process, where ``client.resolve(error)`` settles it.
        """
        if self._resolver is None:
            raise UsageError("this error comes from another process: settle the order by client.resolve(error)")
        return self._resolver(self)

    def _state(self) -> dict[str, Any]:
        return {**self.__dict__, "_resolver": None}


class StreamRefused(OrderEngineError):
    """The engine ends a stream for good, for instance because the credential has ended."""

    def __init__(self, code: str, detail: str, last_seq: int | None = None) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.last_seq = last_seq


class EventMissing(OrderEngineError):
    """The engine has later events of an order, but not the one that is next: ``seq``.

    ``watch(after=seq)`` goes on with the later ones.
    """

    def __init__(self, order_id: str, seq: int) -> None:
        super().__init__(f"the engine lacks event {seq} of order {order_id}, and has later ones")
        self.order_id = order_id
        self.seq = seq


class OutcomeError(OrderEngineError):
    """An order was not filled. ``order`` is its final record."""

    def __init__(self, order: "Order", detail: str) -> None:
        super().__init__(f"order {order.id} {detail}")
        self.order = order


class OrderFailed(OutcomeError):
    """The order failed; ``order.fail_code`` says why."""


class OrderCancelled(OutcomeError):
    """The order was cancelled."""


class OrderExpired(OutcomeError):
    """The order expired."""
