"""The router asks every venue at once, takes the best net output, and keeps the reason."""

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, wait
from dataclasses import dataclass

from chalicelib.domain.as_of import ANY_TIME, AsOf
from chalicelib.domain.conditions import LaunchedPool
from chalicelib.domain.depth import Depth
from chalicelib.domain.events import QuotesReceived, VenueAnswer
from chalicelib.domain.failures import FATAL, AttemptFailedError, FailureCode
from chalicelib.domain.money import written
from chalicelib.domain.swaps import Quote, SwapRequest
from chalicelib.domain.tokens import Pair
from chalicelib.ports.venues import Venue
from chalicelib.routing.best_swap import MAX_IMPACT_PCT
from chalicelib.routing.choice import choose

log = logging.getLogger(__name__)

Answer = Quote | AttemptFailedError


@dataclass(frozen=True, slots=True)
class Route:
    """A routing decision: every venue's answer (``None`` for a venue not asked), the chosen quote and the reason."""

    answers: Mapping[str, Answer | None]
    chosen: Quote
    reason: str

    def as_event(self) -> QuotesReceived:
        """The decision as an order keeps it."""
        answers = tuple(venue_answer(venue, answer) for venue, answer in self.answers.items())
        return QuotesReceived(answers, self.chosen.venue, self.reason)


class Router:
    """Asks all venues for a quote and chooses between the answers."""

    def __init__(self, venues: Mapping[str, Venue], executor: Executor, quote_timeout_seconds: float) -> None:
        self._venues = venues
        self._executor = executor
        self._timeout = quote_timeout_seconds

    @property
    def venue_names(self) -> tuple[str, ...]:
        """The venues' names in the order of the registry."""
        return tuple(self._venues)

    def venue(self, name: str) -> Venue:
        return self._venues[name]

    def depths(self, pair: Pair, as_of: AsOf = ANY_TIME, pool: LaunchedPool | None = None) -> list[Depth]:
        """The pools of a pair as they are now, without venues that have none or do not answer."""
        depths = []
        for venue in self._asked(pool).values():
            try:
                depths.append(venue.depth(pair, as_of, pool))
            except AttemptFailedError:
                continue
            except Exception:
                log.exception("venue failed", extra={"venue": venue.name})
        return depths

    def route(self, request: SwapRequest, min_amount_out: int = 0) -> Route:
        """The best route now. If some venue reaches ``min_amount_out`` base units, the chosen venue does.

        :raises AttemptFailedError: if no venue has a usable quote; a retryable reason wins over a fatal one.
        """
        return decide(self._ask_all(request, min_amount_out), min_amount_out)

    def _asked(self, pool: LaunchedPool | None) -> Mapping[str, Venue]:
        return {pool.venue: self._venues[pool.venue]} if pool else self._venues

    def _ask_all(self, request: SwapRequest, min_amount_out: int) -> dict[str, Answer | None]:
        calls = {
            name: self._executor.submit(venue.quote, request) for name, venue in self._asked(request.pool).items()
        }
        wait(calls.values(), timeout=self._timeout)
        answers: dict[str, Answer | None] = dict.fromkeys(self._venues)
        for name, call in calls.items():
            if not call.done():
                call.cancel()
                answers[name] = AttemptFailedError(FailureCode.VENUE_TIMEOUT, f"{name} did not answer in time")
                continue
            try:
                answers[name] = tradable(call.result(), min_amount_out)
            except AttemptFailedError as error:
                answers[name] = error
            except Exception:
                # A faulty venue must not keep the router from using the others.
                log.exception("venue failed", extra={"venue": name})
                answers[name] = AttemptFailedError(FailureCode.VENUE_UNAVAILABLE, f"{name} failed")
        return answers


def decide(answers: Mapping[str, Answer | None], min_amount_out: int = 0) -> Route:
    """The routing decision between these answers, as ``Router.route`` describes it.

    :raises AttemptFailedError: if no answer is a quote; a retryable reason wins over a fatal one.
    """
    quotes = {venue: answer for venue, answer in answers.items() if isinstance(answer, Quote)}
    if not quotes:
        raise _most_retryable([answer for answer in answers.values() if isinstance(answer, AttemptFailedError)])
    choice = choose(quotes, min_amount_out)
    return Route(answers, quotes[choice.venue], choice.reason)


def venue_answer(venue: str, answer: Answer | None) -> VenueAnswer:
    """A venue's answer as an event keeps it."""
    match answer:
        case Quote():
            return VenueAnswer(venue, quote=answer.as_venue_quote())
        case AttemptFailedError():
            return VenueAnswer(venue, failure=answer.failure)
        case None:
            return VenueAnswer(venue)


def tradable(quote: Quote, min_amount_out: int = 0) -> Quote:
    """The quote, if an order may take it.

    :raises AttemptFailedError: if it brings nothing or moves the price too far.
    """
    if quote.amount_out <= 0:
        # An order with a minimum had a price once, so its amount is tradable and only the price moved.
        code = FailureCode.SLIPPAGE_EXCEEDED if min_amount_out else FailureCode.NO_LIQUIDITY
        raise _refused(quote, code, f"{quote.venue} would return nothing for this amount")
    if quote.price_impact_pct > MAX_IMPACT_PCT:
        reason = f"price impact on {quote.venue} is {written(quote.price_impact_pct)} %, over {MAX_IMPACT_PCT} %"
        raise _refused(quote, FailureCode.PRICE_IMPACT_TOO_HIGH, reason)
    return quote


def _refused(quote: Quote, code: FailureCode, reason: str) -> AttemptFailedError:
    return AttemptFailedError(
        code,
        reason,
        amount_out=quote.amount_out,
        at_ms=quote.quoted_at_ms,
        price_at_ms=quote.price_at_ms,
        launch_slot=quote.launch_slot,
    )


def _most_retryable(errors: Sequence[AttemptFailedError]) -> AttemptFailedError:
    return next((error for error in errors if error.code not in FATAL), errors[0])
