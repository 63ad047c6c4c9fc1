"""The rule that chooses between quotes, and the sentence that explains the choice."""

from collections.abc import Sequence

from chalicelib.domain.money import percent, written
from chalicelib.domain.swaps import Quote

#: Outputs closer than this count as equal, and the deeper pool is preferred.
TIE_BPS = 10


def choose(quotes: Sequence[Quote]) -> tuple[Quote, str]:
    """The quote to take and why: best net output; within ``TIE_BPS`` the deeper pool, lower fee, name."""
    if len(quotes) == 1:
        return quotes[0], f"{quotes[0].venue} is the only venue with a quote"
    best = max(quotes, key=lambda quote: quote.amount_out)
    close = [quote for quote in quotes if (best.amount_out - quote.amount_out) * 10_000 <= TIE_BPS * best.amount_out]
    if len(close) == 1:
        second = max(quote.amount_out for quote in quotes if quote is not best)
        lead = percent(best.amount_out - second, best.amount_out)
        return best, f"{best.venue} returns {written(lead)} % more, net of fees"
    chosen = min(close, key=lambda quote: (-quote.liquidity, quote.fee_bps, quote.venue))
    rest = [quote for quote in close if quote is not chosen]
    within = f"outputs are within {TIE_BPS} bps"
    if all(quote.liquidity < chosen.liquidity for quote in rest):
        return chosen, f"{within} and {chosen.venue} has the deeper pool"
    if all(quote.fee_bps > chosen.fee_bps for quote in rest if quote.liquidity == chosen.liquidity):
        return chosen, f"{within}, pools are equally deep and {chosen.venue} has the lower fee"
    return chosen, f"{within}, depth and fee are equal and {chosen.venue} comes first by name"
