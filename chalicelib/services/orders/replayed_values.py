"""The values that a replay compares, as text and by their names on the wire. Amounts are in base units."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from chalicelib.domain.events import Building, Confirmed, QuotesReceived, VenueAnswer, VenueQuote
from chalicelib.domain.failures import Failure
from chalicelib.domain.money import written

_NOTHING = "nothing"

Values = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Compared:
    """A value as the order keeps it, and as the engine computes it now."""

    field: str
    kept: str
    computed: str


def compare(kept: Values, computed: Values, prefix: str = "") -> Iterator[Compared]:
    """Each value that one side or the other has."""
    for name in dict.fromkeys((*kept, *computed)):
        yield Compared(prefix + name, kept.get(name, _NOTHING), computed.get(name, _NOTHING))


def of_answer(answer: VenueAnswer) -> Values:
    if answer.quote:
        return _of_quote(answer.quote)
    return of_failure(answer.failure) if answer.failure else {}


def _of_quote(quote: VenueQuote) -> Values:
    return {
        "price": written(quote.price),
        "amountOutBase": str(quote.amount_out),
        "feeBase": str(quote.fee),
        "feeBps": written(quote.fee_bps),
        "priceImpactPct": written(quote.price_impact_pct),
        "liquidity": written(quote.liquidity),
    }


def of_decision(decision: QuotesReceived) -> Values:
    return {"chosen": decision.chosen, "reason": decision.reason}


def of_building(building: Building) -> Values:
    return {"minAmountOutBase": str(building.min_amount_out), "steps": ", ".join(building.steps)}


def of_fill(fill: Confirmed) -> Values:
    slippage = {} if fill.slippage_pct is None else {"slippagePct": written(fill.slippage_pct)}
    return {"amountOutBase": str(fill.amount_out), "executedPrice": written(fill.executed_price), **slippage}


def of_failure(failure: Failure) -> Values:
    amount_out = {} if failure.amount_out is None else {"amountOutBase": str(failure.amount_out)}
    return {"error": f"{failure.code.value}: {failure.reason}", **amount_out}
