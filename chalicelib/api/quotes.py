"""Quotes on the wire. The contract names each venue's quote by the venue's initial, as in ``rQuote``, and
its error by the venue's name."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, NotRequired, TypedDict

from chalicelib.codec.times import from_ms, to_text
from chalicelib.domain.events import QuotesReceived, VenueQuote
from chalicelib.domain.failures import Failure
from chalicelib.domain.money import to_human_units
from chalicelib.domain.tokens import Token


class QuoteBody(TypedDict):
    """A venue's quote. Amounts are in human units, ``...Base`` are integers in base units as text. A quote of an
    earlier version has no ``quotedAt``.
    """

    price: Decimal
    amountOut: Decimal
    amountOutBase: str
    fee: Decimal
    feeBase: str
    feeBps: Decimal
    priceImpactPct: Decimal
    liquidity: Decimal
    quotedAt: NotRequired[str]


class FailureBody(TypedDict):
    code: str
    reason: str


class RouteBody(TypedDict):
    """A routing decision. Each venue adds a ``QuoteBody`` or null under its wire name: see
    ``quote_names``. ``degraded``: a venue gave no usable quote."""

    chosen: str
    reason: str
    degraded: bool
    errors: NotRequired[dict[str, FailureBody]]


def quote_names(venues: Iterable[str]) -> dict[str, str]:
    """The wire name of each venue's quote: ``<initial>Quote``, or ``<name>Quote`` if the initial is taken."""
    names: dict[str, str] = {}
    for venue in venues:
        short = f"{venue[0]}Quote"
        names[venue] = f"{venue}Quote" if short in names.values() else short
    return names


def route_body(quotes: QuotesReceived, token_in: Token, token_out: Token) -> dict[str, Any]:
    """A ``RouteBody``."""
    names = quote_names(answer.venue for answer in quotes.answers)
    body: dict[str, Any] = {
        names[answer.venue]: quote_body(answer.quote, token_in, token_out) if answer.quote else None
        for answer in quotes.answers
    }
    body |= {"chosen": quotes.chosen, "reason": quotes.reason, "degraded": quotes.is_degraded}
    errors = {answer.venue: failure_body(answer.failure) for answer in quotes.answers if answer.failure}
    return body | {"errors": errors} if errors else body


def quote_body(quote: VenueQuote, token_in: Token, token_out: Token) -> QuoteBody:
    body: QuoteBody = {
        "price": quote.price,
        "amountOut": to_human_units(quote.amount_out, token_out.decimals),
        "amountOutBase": str(quote.amount_out),
        "fee": to_human_units(quote.fee, token_in.decimals),
        "feeBase": str(quote.fee),
        "feeBps": quote.fee_bps,
        "priceImpactPct": quote.price_impact_pct,
        "liquidity": quote.liquidity,
    }
    if quote.quoted_at_ms is not None:
        body["quotedAt"] = to_text(from_ms(quote.quoted_at_ms))
    return body


def no_quotes(venues: Iterable[str]) -> Mapping[str, None]:
    """The quotes of an order that no venue can quote yet."""
    return dict.fromkeys(quote_names(venues).values())


def failure_body(failure: Failure) -> FailureBody:
    return {"code": failure.code.value, "reason": failure.reason}
