"""The router: every venue asked at once, the best net output taken, and the reason kept."""

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, wait
from dataclasses import dataclass
from typing import Any

from chalicelib.domain.conditions import LaunchedPool
from chalicelib.domain.depth import Depth
from chalicelib.domain.failures import FATAL, AttemptFailedError, FailureCode
from chalicelib.domain.money import percent
from chalicelib.domain.swaps import Quote, SwapRequest
from chalicelib.domain.tokens import Pair
from chalicelib.ports.venues import Venue
from chalicelib.routing.best_swap import MAX_IMPACT_PCT

log = logging.getLogger(__name__)

#: Outputs closer than this count as equal, and the deeper pool is preferred.
TIE_BPS = 10


Answer = Quote | AttemptFailedError


@dataclass(frozen=True, slots=True)
class Route:
    """A routing decision: what every venue answered (``None`` if it was not asked), which quote was taken and why."""

    answers: Mapping[str, Answer | None]
    chosen: Quote
    reason: str

    @property
    def degraded(self) -> bool:
        """Whether a venue was left out."""
        return any(isinstance(answer, AttemptFailedError) for answer in self.answers.values())

    def as_meta(self) -> dict[str, Any]:
        """The decision as the stream, the record and the quotes route show it."""
        meta: dict[str, Any] = {
            f"{name[0]}Quote": answer.as_meta() if isinstance(answer, Quote) else None
            for name, answer in self.answers.items()
        }
        meta |= {"chosen": self.chosen.venue, "reason": self.reason, "degraded": self.degraded}
        errors = {
            name: {"code": answer.code.value, "reason": answer.reason}
            for name, answer in self.answers.items()
            if isinstance(answer, AttemptFailedError)
        }
        return meta | {"errors": errors} if errors else meta


class Router:
    """Asks all venues for a quote and chooses between the answers."""

    def __init__(self, venues: Mapping[str, Venue], executor: Executor, quote_timeout_seconds: float) -> None:
        self._venues = venues
        self._executor = executor
        self._timeout = quote_timeout_seconds

    def venue(self, name: str) -> Venue:
        return self._venues[name]

    def depths(self, pair: Pair, market_as_of_ms: int = 0, pool: LaunchedPool | None = None) -> list[Depth]:
        """The pools of a pair as they are now, without those venues that have none or do not answer."""
        found = []
        for venue in self._asked(pool).values():
            try:
                found.append(venue.depth(pair, market_as_of_ms, pool))
            except AttemptFailedError:
                continue
            except Exception:
                log.exception("venue failed", extra={"venue": venue.name})
        return found

    def route(self, request: SwapRequest, least: int = 0) -> Route:
        """The best route now. Where a venue brings ``least`` base units, none that does not is chosen.

        :raises AttemptFailedError: if no venue has a usable quote; a retryable reason wins over a fatal one.
        """
        answers = self._ask_all(request, least)
        quotes = [answer for answer in answers.values() if isinstance(answer, Quote)]
        if not quotes:
            raise _worst([answer for answer in answers.values() if isinstance(answer, AttemptFailedError)])
        chosen, reason = choose(quotes)
        best = max(quotes, key=lambda quote: quote.amount_out)
        if chosen.amount_out < least <= best.amount_out:
            # The deeper pool would bring a little less, and that little is what the order must not go without.
            return Route(answers, best, f"{best.venue} reaches the minimum output and {chosen.venue} does not")
        return Route(answers, chosen, reason)

    def _asked(self, pool: LaunchedPool | None) -> Mapping[str, Venue]:
        return {pool.venue: self._venues[pool.venue]} if pool else self._venues

    def _ask_all(self, request: SwapRequest, least: int) -> dict[str, Answer | None]:
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
                answers[name] = _tradable(call.result(), least)
            except AttemptFailedError as error:
                answers[name] = error
            except Exception:
                # A venue's fault must not keep the others from being asked, whatever it is.
                log.exception("venue failed", extra={"venue": name})
                answers[name] = AttemptFailedError(FailureCode.VENUE_UNAVAILABLE, f"{name} failed")
        return answers


def choose(quotes: Sequence[Quote]) -> tuple[Quote, str]:
    """The quote to take and why: best net output; within ``TIE_BPS`` the deeper pool, lower fee, name."""
    if len(quotes) == 1:
        return quotes[0], f"{quotes[0].venue} is the only venue with a quote"
    best = max(quotes, key=lambda quote: quote.amount_out)
    close = [quote for quote in quotes if (best.amount_out - quote.amount_out) * 10_000 <= TIE_BPS * best.amount_out]
    if len(close) == 1:
        second = max(quote.amount_out for quote in quotes if quote is not best)
        lead = percent(best.amount_out - second, best.amount_out)
        return best, f"{best.venue} returns {lead} % more, net of fees"
    chosen = min(close, key=lambda quote: (-quote.liquidity, quote.fee_bps, quote.venue))
    rest = [quote for quote in close if quote is not chosen]
    within = f"outputs are within {TIE_BPS} bps"
    if all(quote.liquidity < chosen.liquidity for quote in rest):
        return chosen, f"{within} and {chosen.venue} has the deeper pool"
    if all(quote.fee_bps > chosen.fee_bps for quote in rest if quote.liquidity == chosen.liquidity):
        return chosen, f"{within}, pools are equally deep and {chosen.venue} has the lower fee"
    return chosen, f"{within}, depth and fee are equal and {chosen.venue} comes first by name"


def _tradable(quote: Quote, least: int) -> Quote:
    if quote.amount_out <= 0:
        # It brought something when it was promised so much.
        code = FailureCode.SLIPPAGE_EXCEEDED if least else FailureCode.NO_LIQUIDITY
        raise AttemptFailedError(code, f"{quote.venue} would return nothing for this amount")
    if quote.price_impact_pct > MAX_IMPACT_PCT:
        raise AttemptFailedError(
            FailureCode.PRICE_IMPACT_TOO_HIGH,
            f"price impact on {quote.venue} is {quote.price_impact_pct} %, over {MAX_IMPACT_PCT} %",
        )
    return quote


def _worst(errors: Sequence[AttemptFailedError]) -> AttemptFailedError:
    return next((error for error in errors if error.code not in FATAL), errors[0])
