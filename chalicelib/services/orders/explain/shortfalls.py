"""The outputs of the attempts that ended below the order's minimum."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from chalicelib.codec.times import to_ms
from chalicelib.domain.events import QuotesReceived, Submitted
from chalicelib.domain.failures import Failure, FailureCode
from chalicelib.domain.orders import Order
from chalicelib.domain.spec import OrderSpec
from chalicelib.ports.hindsight import Hindsight
from chalicelib.routing.choice import choose
from chalicelib.services.orders.explain import wording
from chalicelib.services.orders.explain.explanation import Attempt

#: The last attempts whose outputs are looked up in the past market, where the order does not keep them.
_MAX_LOOKED_UP = 10


@dataclass(frozen=True, slots=True)
class Shortfall:
    """An output below the minimum, in base units. ``was_sent``: the swap was sent and would have returned that.

    ``is_exact``: the venue said so. Of a swap that was not sent, only the quote is known.
    """

    attempt: int
    quotes: QuotesReceived
    venue: str
    amount_out: int
    was_sent: bool
    is_exact: bool

    def is_chosen(self, minimum: int) -> bool:
        """True if the router chooses the same venue for an order with this minimum output."""
        quotes = {answer.venue: answer.quote for answer in self.quotes.answers if answer.quote}
        return choose(quotes, minimum).venue == self.venue

    def sentence(self, spec: OrderSpec) -> str:
        venue, output = wording.name_of(self.venue), wording.received(self.amount_out, spec)
        if self.was_sent:
            return f"the swap of attempt {self.attempt} on {venue} would have returned {output}"
        return f"{venue} quoted {output} in attempt {self.attempt}"


def shortfalls_of(order: Order, attempts: Sequence[Attempt], hindsight: Hindsight) -> list[Shortfall]:
    """The shortfalls, as far as their outputs are known. A simulated fault is none."""
    return list(_shortfalls(order, attempts, hindsight))


def is_certain(shortfall: Shortfall, shortfalls: Sequence[Shortfall], minimum: int) -> bool:
    """True if this minimum output certainly fills the order by the swap of the shortfall.

    An earlier swap that was not sent, and that this minimum would send, has an unknown outcome.
    """
    before = shortfalls[: shortfalls.index(shortfall)]
    sent_instead = any(one.amount_out >= minimum for one in before if not one.was_sent)
    return shortfall.is_exact and shortfall.is_chosen(minimum) and not sent_instead


def is_simulated(spec: OrderSpec, error: Failure) -> bool:
    """True for the failure of a fault that the client asked for: the market did not cause it."""
    return spec.simulate is not None and error.amount_out is None


def _shortfalls(order: Order, attempts: Sequence[Attempt], hindsight: Hindsight) -> Iterator[Shortfall]:
    first_looked_up = len(attempts) - _MAX_LOOKED_UP
    for index, attempt in enumerate(attempts):
        error = attempt.error
        if error is None or error.code is not FailureCode.SLIPPAGE_EXCEEDED:
            continue
        was_sent = any(isinstance(event.data, Submitted) for event in attempt.events)
        is_forgotten = error.amount_out is None and index < first_looked_up
        if was_sent and (is_forgotten or is_simulated(order.spec, error)):
            continue
        shortfall = _shortfall(order, attempt, error, hindsight)
        if shortfall:
            yield shortfall


def _shortfall(order: Order, attempt: Attempt, error: Failure, hindsight: Hindsight) -> Shortfall | None:
    data = {type(event.data): event.data for event in attempt.events}
    quotes, sent = data.get(QuotesReceived), data.get(Submitted)
    if not isinstance(quotes, QuotesReceived):
        return None
    if isinstance(sent, Submitted):
        is_kept, output = error.amount_out is not None, error.amount_out
        if output is None:
            output = _output_at_end(order, attempt, sent.venue, hindsight)
        return Shortfall(attempt.number, quotes, sent.venue, output, was_sent=True, is_exact=is_kept)
    quote = quotes.quote_of(quotes.chosen)
    if quote is None:
        return None
    return Shortfall(attempt.number, quotes, quotes.chosen, quote.amount_out, was_sent=False, is_exact=False)


def _output_at_end(order: Order, attempt: Attempt, venue: str, hindsight: Hindsight) -> int:
    """What a venue returned about when the swap landed. Orders of earlier versions do not keep it."""
    at = attempt.events[-1].at
    depth = hindsight.market(order.spec.pair, at, at, order.launched_in).depth(venue, to_ms(at))
    return depth.swap(order.spec.side, order.spec.amount_in).amount_out if depth else 0
