"""The attempts of an order: what ended each of them, and what the engine did about it."""

from collections.abc import Iterator, Sequence

from chalicelib.domain.conditions import TimeInForce
from chalicelib.domain.events import (
    AttemptStarted,
    Building,
    Cancelled,
    Confirmed,
    Event,
    EventData,
    Expired,
    Failed,
    PriceMovedAway,
    QuotesReceived,
)
from chalicelib.domain.failures import FATAL, Failure, FailureCode
from chalicelib.domain.orders import Order
from chalicelib.domain.status import Status
from chalicelib.services.orders.explain import wording
from chalicelib.services.orders.explain.explanation import Attempt, Outcome

#: Status from which an attempt ends by way of ``routing``: the status table has no direct step.
_BY_WAY_OF_ROUTING = frozenset({Status.BUILDING, Status.SUBMITTED})
_ENDS: dict[type[EventData], Outcome] = {
    Confirmed: Outcome.CONFIRMED,
    Failed: Outcome.FAILED,
    PriceMovedAway: Outcome.REOPENED,
    Cancelled: Outcome.CANCELLED,
    Expired: Outcome.EXPIRED,
}


def attempts_of(order: Order, max_attempts: int) -> list[Attempt]:
    return [_attempt(order, events, max_attempts) for events in _rounds(order.events)]


def is_end_of_round(events: Sequence[Event], index: int) -> bool:
    """True for a ``routing`` event that begins no attempt, but states why a limit or sniper order misses."""
    event, following = events[index], events[index + 1] if index + 1 < len(events) else None
    before = events[index - 1] if index else None
    return (
        isinstance(event.data, AttemptStarted)
        and before is not None
        and before.status in _BY_WAY_OF_ROUTING
        and before.attempt == event.attempt
        and following is not None
        and isinstance(following.data, PriceMovedAway | Expired)
    )


def _rounds(events: Sequence[Event]) -> Iterator[list[Event]]:
    """The events of each attempt. The ``routing`` event that begins the next attempt also ends the one before."""
    current: list[Event] = []
    for index, event in enumerate(events):
        begins = isinstance(event.data, AttemptStarted) and not is_end_of_round(events, index)
        if current and begins:
            yield [*current, event]
            current = []
        if current or event.status is Status.ROUTING:
            current.append(event)
        if current and type(event.data) in _ENDS:
            yield current
            current = []
    if current:
        yield current


def _attempt(order: Order, events: Sequence[Event], max_attempts: int) -> Attempt:
    number, last = events[0].attempt, events[-1]
    if isinstance(last.data, AttemptStarted) and len(events) > 1 and last.attempt > number:
        failure = last.data.last_failure
        return Attempt(number, events, Outcome.RETRIED, failure, _retried(order, events, last.attempt, max_attempts))
    outcome = _ENDS.get(type(last.data), Outcome.RUNNING)
    return Attempt(number, events, outcome, _error(events), _handling(order, last, max_attempts))


def _error(events: Sequence[Event]) -> Failure | None:
    """The failure that ended an attempt; ``None`` if it was cancelled, or its time was up."""
    match events[-1].data:
        case Failed(failure=failure):
            return failure
        case PriceMovedAway(reason=reason) | Expired(reason=reason) as ended:
            stated = _stated(events)
            if stated:
                return stated
            code = ended.code or (_code_of_miss(events) if isinstance(ended, PriceMovedAway) else None)
            return Failure(code, reason) if code and reason else None
    return None


def _stated(events: Sequence[Event]) -> Failure | None:
    """The failure that the ``routing`` event before the last one states."""
    before = events[-2].data if len(events) > 2 else None
    return before.last_failure if isinstance(before, AttemptStarted) else None


def _code_of_miss(events: Sequence[Event]) -> FailureCode | None:
    """The code of a miss whose event has none: of earlier versions where no quote reached the minimum."""
    kinds = [type(event.data) for event in events]
    return FailureCode.SLIPPAGE_EXCEEDED if QuotesReceived in kinds and Building not in kinds else None


def _retried(order: Order, events: Sequence[Event], following: int, max_attempts: int) -> str:
    keeps = ""
    built = next((event.data for event in order.events if isinstance(event.data, Building)), None)
    if built and any(isinstance(event.data, Building) for event in events):
        keeps = f", and keeps the minimum output of {wording.received(built.min_amount_out, order.spec)}"
    return f"The engine tries again with fresh quotes, as attempt {following} of {max_attempts}{keeps}."


def _handling(order: Order, last: Event, max_attempts: int) -> str | None:
    match last.data:
        case Failed(failure=failure) if failure.code is FailureCode.QUEUE_EXHAUSTED:
            return "The engine closes the order, because no worker could complete it. No swap landed."
        case Failed(failure=failure) if failure.code in FATAL:
            return "Another attempt could not mend this, so the order fails at once. No swap landed."
        case Failed():
            return f"It was attempt {last.attempt} of {max_attempts}, so the order fails. No swap landed."
        case PriceMovedAway():
            return "The order is open again and waits for its price. A miss uses up no attempt. No swap landed."
        case Expired() if order.spec.time_in_force is TimeInForce.IOC:
            return "An immediate-or-cancel order does not wait, so it expires. No swap landed."
        case Expired():
            return "The order expires, because its time was up. No swap landed."
        case Cancelled():
            return "The cancel request came before a transaction was sent, so the order never trades."
    return None
