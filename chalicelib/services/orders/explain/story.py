"""The story of an order: each event in a sentence or two."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chalicelib.codec.times import milliseconds
from chalicelib.domain import events
from chalicelib.domain.events import Event
from chalicelib.domain.failures import Failure, FailureCode
from chalicelib.domain.money import percent
from chalicelib.domain.orders import Order
from chalicelib.domain.spec import OrderSpec
from chalicelib.domain.status import OrderType, Status
from chalicelib.services.orders.explain import waiting, wording
from chalicelib.services.orders.explain.attempts import is_end_of_round
from chalicelib.services.orders.explain.explanation import Decision, Step

#: Characters of a transaction's signature that identify it for a reader.
_SIGNATURE_LENGTH = 8


def story_of(order: Order, before: Sequence[Order], decisions: Sequence[Decision], max_attempts: int) -> list[Step]:
    """A step for each event. ``before``: the order before each event; ``decisions``: its routing decisions."""
    narrator = _Narrator(order, {decision.event.seq: decision for decision in decisions}, max_attempts)
    accepted_at = order.events[0].at
    following = [*(event.at for event in order.events[1:]), None]
    return [
        Step(
            event=event,
            since_accepted_ms=milliseconds(event.at - accepted_at),
            duration_ms=None if until is None else milliseconds(until - event.at),
            text=narrator.sentence(event, past),
        )
        for event, past, until in zip(order.events, before, following, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class _Narrator:
    order: Order
    decisions: Mapping[int, Decision]
    max_attempts: int

    def sentence(self, event: Event, past: Order) -> str:  # noqa: C901 - one case per kind of event
        """The event in words. ``past`` is the order before it."""
        spec, data = past.spec, event.data
        match data:
            case events.Accepted():
                return self._accepted(event, data, spec)
            case events.Opened():
                return waiting.opened(spec, data)
            case events.Amended():
                return waiting.amended(spec, data)
            case events.LaunchRefused(launch=launch, reason=reason):
                return f"{waiting.pool_opened(spec, launch)} The order refuses it: {reason}."
            case events.PriceMovedAway():
                return self._missed(data)
            case events.TriggeredAtEntry():
                return waiting.triggered_at_entry(past)
            case events.PriceTriggered():
                return waiting.triggered_by_price(spec, data)
            case events.LaunchTriggered(launch=launch):
                return f"{waiting.pool_opened(spec, launch)} It meets the order's conditions and triggers it."
            case events.AttemptStarted(last_failure=failure):
                return self._started(event, past, failure)
            case events.QuotesReceived():
                return f"Quotes received. {self.decisions[event.seq].reason}{_degraded(data)}"
            case events.Building():
                return _building(past, data)
            case events.Submitted(venue=venue, tx_hash=tx_hash):
                signature = f"{tx_hash[:_SIGNATURE_LENGTH]}…" if len(tx_hash) > _SIGNATURE_LENGTH else tx_hash
                return f"The transaction {signature} goes to {wording.name_of(venue)}."
            case events.Confirmed():
                return _confirmed(event, past, data)
            case events.Failed(failure=failure):
                return self._failed(event, past, failure)
            case events.Cancelled():
                return "Cancelled on request. Nothing was traded."
            case events.Expired():
                return self._expired(event, data, past)

    def _accepted(self, event: Event, data: events.Accepted, spec: OrderSpec) -> str:
        text = f"Accepted: {wording.kind(spec)} to {wording.swap(spec)}"
        if spec.type is OrderType.MARKET:
            text += f", with a slippage tolerance of {wording.slippage(spec.slippage_bps)}"
        elif spec.limit_price is not None:
            text += f", at {wording.limit(spec, spec.limit_price)}"
        if spec.simulate is not None:
            text += f". It asks for the simulated fault {spec.simulate}"
        if data.starts_at is not None:
            delay = wording.duration(milliseconds(data.starts_at - event.at))
            text += f". The rate limit lets it start {delay} later"
        return f"{text}."

    def _missed(self, data: events.PriceMovedAway) -> str:
        times = "" if data.count == 1 else f", for the {wording.ordinal(data.count)} time"
        return f"The order misses its price: {data.reason}. It is open again{times}; no attempt is used up."

    def _started(self, event: Event, past: Order, failure: Failure | None) -> str:
        if is_end_of_round(self.order.events, event.seq - 1):
            return f"The attempt ends: {_error(past, failure)}" if failure else "The attempt ends: its time was up."
        number = f"Attempt {event.attempt} of {self.max_attempts}"
        if failure:
            return f"Attempt {past.attempts} fails: {_error(past, failure)} {number} follows with fresh quotes."
        again = " once more" if past.attempts == event.attempt else ""
        asked = wording.name_of(past.launched_in.venue) if past.launched_in else "every venue"
        return f"{number} begins{again}: the engine asks {asked} for a quote."

    def _failed(self, event: Event, past: Order, failure: Failure) -> str:
        after = "without an attempt" if not event.attempt else f"in attempt {event.attempt} of {self.max_attempts}"
        return f"Failed {after}: {_error(past, failure)} Nothing was traded."

    def _expired(self, event: Event, data: events.Expired, past: Order) -> str:
        if data.reason:
            code = f" ({data.code.value})" if data.code else ""
            return f"Expired: {data.reason}{code}. Nothing was traded."
        age = wording.duration(milliseconds(event.at - self.order.events[0].at))
        waited = "its launch" if past.spec.launch else "its price"
        open_until = f"; it waited for {waited}" if past.status is Status.OPEN else ""
        return f"Expired {age} after acceptance{open_until}. Nothing was traded."


def _error(past: Order, failure: Failure) -> str:
    """An error, and what a swap that was sent would have returned."""
    text = f"{wording.error(failure)}."
    if failure.code is not FailureCode.SLIPPAGE_EXCEEDED or failure.amount_out is None or not past.min_amount_out:
        return text
    returned, least = (wording.received(units, past.spec) for units in (failure.amount_out, past.min_amount_out))
    return f"{text} It would have returned {returned}, and the minimum is {least}."


def _degraded(data: events.QuotesReceived) -> str:
    failed = "; ".join(wording.error(answer.failure) for answer in data.answers if answer.failure)
    return f" Without a usable quote: {failed}." if failed else ""


def _building(past: Order, data: events.Building) -> str:
    spec, quote = past.spec, past.quotes.quote_of(data.venue) if past.quotes else None
    least = wording.received(data.min_amount_out, spec)
    text = f"The transaction for {wording.name_of(data.venue)} is built. It fails unless it returns at least {least}"
    if past.min_amount_out is not None:
        source = "that the limit price sets" if spec.type is OrderType.LIMIT else "of the first attempt"
        return f"{text}, the minimum {source}."
    if quote is None or data.min_amount_out == spec.limit_min_out:
        return f"{text}, by the maximum price."
    quoted = wording.received(quote.amount_out, spec)
    return f"{text}: the quote of {quoted} less {wording.slippage(spec.slippage_bps)} slippage."


def _confirmed(event: Event, past: Order, data: events.Confirmed) -> str:
    spec, quote = past.spec, past.quotes.quote_of(data.venue) if past.quotes else None
    took = wording.duration(milliseconds(event.at - past.events[-1].at))
    text = f"Confirmed {took} after sending: {wording.name_of(data.venue)} swapped {wording.paid(spec)} for"
    text += f" {wording.received(data.amount_out, spec)}, at {wording.computed_price(data.executed_price, spec.pair)}"
    if quote:
        text += f", {_against_quote(data.amount_out, quote.amount_out)}"
    if past.min_amount_out:
        above = percent(data.amount_out - past.min_amount_out, past.min_amount_out)
        text += f" and {wording.percentage(above)} above the minimum"
    return f"{text}."


def _against_quote(amount_out: int, quoted: int) -> str:
    if amount_out == quoted:
        return "exactly as quoted"
    share = wording.percentage(percent(abs(quoted - amount_out), quoted))
    return f"{share} {'less' if amount_out < quoted else 'more'} than quoted"
