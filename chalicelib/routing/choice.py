"""The rule that chooses between quotes, its margin, and the sentence that explains the choice."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from chalicelib.domain.money import percent, written

#: Outputs closer than this count as equal, and the deeper pool is preferred.
TIE_BPS = 10


class RoutingRule(StrEnum):
    """The rules in the order in which they apply. ``REACHES_MINIMUM`` overrules the three tie breakers."""

    ONLY_QUOTE = "ONLY_QUOTE"
    BEST_OUTPUT = "BEST_OUTPUT"
    REACHES_MINIMUM = "REACHES_MINIMUM"
    DEEPER_POOL = "DEEPER_POOL"
    LOWER_FEE = "LOWER_FEE"
    NAME = "NAME"


class Offer(Protocol):
    """What the rules compare: a quote that a venue gives, or one that an order keeps."""

    @property
    def amount_out(self) -> int: ...

    @property
    def fee_bps(self) -> Decimal: ...

    @property
    def liquidity(self) -> Decimal: ...


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen venue, the rule that decides, and the sentence that an order keeps.

    ``against`` is the next venue by the rule; for ``REACHES_MINIMUM``, the venue that the tie breakers choose.
    ``margin_pct`` is the advantage over it in percent: of its output (``BEST_OUTPUT``, ``REACHES_MINIMUM``), of its
    liquidity (``DEEPER_POOL``), or of the amount paid (``LOWER_FEE``).
    """

    venue: str
    rule: RoutingRule
    against: str | None
    margin_pct: Decimal | None
    reason: str


def choose(offers: Mapping[str, Offer], min_amount_out: int = 0) -> Choice:
    """The offer to take, of those by venue: best net output; within ``TIE_BPS`` the deeper pool, lower fee, name.

    If some offer reaches ``min_amount_out`` base units, the chosen one does.
    """
    if len(offers) == 1:
        [venue] = offers
        return Choice(venue, RoutingRule.ONLY_QUOTE, None, None, f"{venue} is the only venue with a quote")
    best = max(offers, key=lambda venue: offers[venue].amount_out)
    most = offers[best].amount_out
    close = {venue: offer for venue, offer in offers.items() if (most - offer.amount_out) * 10_000 <= TIE_BPS * most}
    if len(close) == 1:
        second = max(offers.keys() - {best}, key=lambda venue: (offers[venue].amount_out, venue))
        lead = percent(most - offers[second].amount_out, offers[second].amount_out)
        reason = f"{best} returns {written(lead)} % more, net of fees"
        return Choice(best, RoutingRule.BEST_OUTPUT, second, lead, reason)
    choice = _break_tie(close)
    chosen = offers[choice.venue].amount_out
    if chosen < min_amount_out <= most:
        # The deeper pool brings slightly less, and that difference would miss the order's minimum.
        reason = f"{best} reaches the minimum output and {choice.venue} does not"
        return Choice(best, RoutingRule.REACHES_MINIMUM, choice.venue, percent(most - chosen, chosen), reason)
    return choice


def _break_tie(close: Mapping[str, Offer]) -> Choice:
    """The choice between offers whose outputs count as equal."""
    venue, following = sorted(close, key=lambda name: (-close[name].liquidity, close[name].fee_bps, name))[:2]
    chosen, other = close[venue], close[following]
    within = f"outputs are within {TIE_BPS} bps"
    if other.liquidity < chosen.liquidity:
        margin = percent(chosen.liquidity - other.liquidity, other.liquidity)
        reason = f"{within} and {venue} has the deeper pool"
        return Choice(venue, RoutingRule.DEEPER_POOL, following, margin, reason)
    if other.fee_bps > chosen.fee_bps:
        reason = f"{within}, pools are equally deep and {venue} has the lower fee"
        return Choice(venue, RoutingRule.LOWER_FEE, following, (other.fee_bps - chosen.fee_bps) / 100, reason)
    reason = f"{within}, depth and fee are equal and {venue} comes first by name"
    return Choice(venue, RoutingRule.NAME, following, None, reason)
