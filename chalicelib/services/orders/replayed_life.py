"""The life of an order, computed again event by event.

The simulated market is a function of the moment and of what was pushed to it, and events keep both. A failure that
depends on anything else, such as a lost worker or a late answer, keeps no moment, and is not compared.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

from chalicelib.domain.events import (
    AttemptStarted,
    Building,
    Confirmed,
    Event,
    EventData,
    Failed,
    QuotesReceived,
    Submitted,
    VenueAnswer,
    VenueQuote,
)
from chalicelib.domain.failures import AttemptFailedError, Failure, FailureCode
from chalicelib.domain.orders import Order
from chalicelib.domain.swaps import Quote, Transaction
from chalicelib.ports.hindsight import Hindsight, PastVenue
from chalicelib.routing.router import Answer, decide, tradable, venue_answer
from chalicelib.services.orders import replayed_values as values
from chalicelib.services.orders.execution_events import (
    confirmation,
    guaranteed_min_output,
    min_acceptable_output,
    missed_minimum,
    swap_request,
)
from chalicelib.services.orders.past_markets import PastMarkets
from chalicelib.services.orders.replayed_values import Compared, Values, compare

#: What names the market data of a venue at a moment.
Basis = VenueQuote | Quote | Confirmed | Failure


class ReplayedLife:
    """Takes the events of an order in turn. ``unknown`` counts what cannot be computed any more.

    ``max_prices`` is as in ``PastMarkets``.
    """

    def __init__(self, hindsight: Hindsight, order: Order, max_prices: int | None = None) -> None:
        self.unknown = 0
        self._markets = PastMarkets(hindsight, order, max_prices)
        self._order = Order(order.order_id, order.placed_spec)
        #: The quotes of the last decision, and the transaction of the last attempt, as they are computed now.
        self._quotes: dict[str, Quote] = {}
        self._transaction: Transaction | None = None

    def after(self, event: Event) -> list[Compared]:
        """The values of the next event, compared with those that the engine computes now."""
        compared = list(self._compared(event))
        self._order = self._order.apply(event)
        return compared

    def _compared(self, event: Event) -> Iterator[Compared]:
        match event.data:
            case QuotesReceived():
                yield from self._decision(event.data)
            case Building():
                yield from self._building(event.data)
            case Submitted(tx_hash=signature) if self._transaction:
                yield from compare({"txHash": signature}, {"txHash": self._transaction.signature})
            case Confirmed():
                yield from self._fill(event.data)
            case AttemptStarted(last_failure=Failure() as failure) | Failed(failure=failure):
                yield from self._failure(failure)

    def _decision(self, kept: QuotesReceived) -> Iterator[Compared]:
        answers = {one.venue: self._answer(one) for one in kept.answers}
        for one in kept.answers:
            if answer := answers[one.venue]:
                now = values.of_answer(venue_answer(one.venue, answer))
                yield from compare(values.of_answer(one), now, f"{one.venue}.")
        self._quotes = {venue: answer for venue, answer in answers.items() if isinstance(answer, Quote)}
        quoted = [answers[one.venue] for one in kept.answers if one.quote]
        if quoted and all(quoted):
            yield from compare(values.of_decision(kept), self._choice(answers))

    def _answer(self, kept: VenueAnswer) -> Answer | None:
        """A venue's answer as it is computed now; ``None`` if it keeps too little for that."""
        basis = kept.quote or kept.failure
        if basis is None:
            return None
        at_ms = basis.quoted_at_ms if isinstance(basis, VenueQuote) else basis.at_ms
        venue = None if at_ms is None else self._venues(at_ms, basis).get(kept.venue)
        return self._quoted(venue) if venue else None

    def _quoted(self, venue: PastVenue) -> Answer:
        try:
            return self._quote(venue)
        except AttemptFailedError as error:
            return error

    def _quote(self, venue: PastVenue) -> Quote:
        return tradable(venue.quote(swap_request(self._order)), guaranteed_min_output(self._order))

    def _choice(self, answers: Mapping[str, Answer | None]) -> Values:
        try:
            return values.of_decision(decide(answers, guaranteed_min_output(self._order)).as_event())
        except AttemptFailedError as error:
            return values.of_failure(error.failure)

    def _building(self, kept: Building) -> Iterator[Compared]:
        quote, self._transaction = self._quotes.get(kept.venue), None
        venue = quote and self._venues(quote.quoted_at_ms, quote).get(kept.venue)
        if quote and venue:
            minimum = min_acceptable_output(self._order, quote.amount_out)
            self._transaction = venue.build(quote, minimum)
            now = Building(kept.venue, minimum, self._transaction.steps)
            yield from compare(values.of_building(kept), values.of_building(now))

    def _fill(self, kept: Confirmed) -> Iterator[Compared]:
        transaction, at_ms = self._transaction, kept.landed_at_ms
        venue = self._venues(at_ms, kept).get(kept.venue) if transaction and at_ms is not None else None
        if transaction and venue:
            try:
                now = values.of_fill(confirmation(self._order, venue.landing(transaction)))
            except AttemptFailedError as error:
                now = values.of_failure(error.failure)
            yield from compare(values.of_fill(kept), now)

    def _failure(self, kept: Failure) -> Iterator[Compared]:
        failures = self._failures(kept)
        if failures is not None:
            before, now = values.of_failure(kept), [values.of_failure(one) for one in failures]
            yield from compare(before, before if before in now else next(iter(now), {}))

    def _failures(self, kept: Failure) -> list[Failure] | None:
        """The failures that may end the attempt as it is computed now; ``None`` if the order keeps too little."""
        last, transaction = self._order.events[-1].data, self._transaction
        if kept.at_ms is None:
            return self._missed_minimum(last) if kept.code is FailureCode.SLIPPAGE_EXCEEDED else None
        venues = self._venues(kept.at_ms, kept)
        if not isinstance(last, Submitted):
            # Each venue may have failed at a moment of its own, and the order keeps one of these failures.
            return _failures_of([partial(self._quote, venue) for venue in venues.values()]) if venues else None
        venue = venues.get(last.venue)
        if not venue or not transaction:
            return None
        return _failures_of([partial(venue.landing, transaction), partial(venue.check_age, transaction.quote)])

    def _missed_minimum(self, last: EventData) -> list[Failure] | None:
        quote = self._quotes.get(last.chosen) if isinstance(last, QuotesReceived) else None
        if quote is None:
            return None
        missed = missed_minimum(quote.amount_out, min_acceptable_output(self._order, quote.amount_out))
        return [missed.failure] if missed else []

    def _venues(self, at_ms: int, basis: Basis) -> Mapping[str, PastVenue]:
        """The venues at a moment, with the market data that they had; none if that is unknown."""
        venues = self._markets.venues(at_ms, basis.price_at_ms, basis.launch_slot)
        if venues is None:
            self.unknown += 1
        return venues or {}


def _failures_of(calls: Iterable[Callable[[], object]]) -> list[Failure]:
    failures = []
    for call in calls:
        try:
            call()
        except AttemptFailedError as error:
            failures.append(error.failure)
    return failures
