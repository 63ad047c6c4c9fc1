"""The least change of a term with which an order would have filled, each by one step of the term."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from fractions import Fraction

from chalicelib.domain.depth import Depth
from chalicelib.domain.money import MAX_BASE_UNITS, plain
from chalicelib.domain.spec import OrderSpec
from chalicelib.domain.tokens import Side
from chalicelib.routing.best_swap import best_swap

#: Significant digits of a suggested price: its step is the last of them.
PRICE_STEP_DIGITS = 6
#: The smallest size that an explanation suggests, as a share of the order's.
_SMALLEST_SHARE = 1_000
_WHOLE_BPS = 10_000


def least_slippage_bps(quoted: int, output: int) -> int:
    """The least slippage tolerance in basis points with which ``output`` reaches the minimum of a quote.

    The least ``b`` with ``floor(quoted * (10000 - b) / 10000) <= output``; 0 if the output reaches the quote.
    """
    kept = ((output + 1) * _WHOLE_BPS - 1) // quoted if quoted else _WHOLE_BPS
    return max(_WHOLE_BPS - kept, 0)


def price_limit_for(spec: OrderSpec, output: int) -> Decimal | None:
    """The price limit nearest to the order's that this output meets, quote per base; ``None`` if it meets none.

    Sell: the highest ``L`` with ``floor(amountIn * L) <= output``. Buy: the lowest with
    ``floor(amountIn / L) <= output``.
    """
    if output < 1:
        return None
    paid = Fraction(spec.amount_in, 10**spec.token_in.decimals)
    beyond = Fraction(output + 1, 10**spec.token_out.decimals)
    buys = spec.side is Side.BUY
    bound = paid / beyond if buys else beyond / paid
    context = Context(prec=PRICE_STEP_DIGITS, rounding=ROUND_CEILING if buys else ROUND_FLOOR)
    limit = context.divide(Decimal(bound.numerator), Decimal(bound.denominator))
    if Fraction(limit) == bound:
        limit = context.next_plus(limit) if buys else context.next_minus(limit)
    return plain(limit) if limit > 0 else None


def min_output_with(spec: OrderSpec, limit: Decimal) -> int:
    """The minimum output of an order with another limit, or of a sniper order with another maximum price."""
    if spec.launch:
        return replace(spec, launch=replace(spec.launch, max_price=limit)).limit_min_out or 0
    return replace(spec, limit_price=limit).limit_min_out or 0


def largest_amount(fits: Callable[[int], bool], most: int) -> int | None:
    """An amount in base units below ``most`` that fits, while one more base unit does not; ``None`` if none fits.

    ``most`` does not fit. A larger amount has a worse price; among very small ones, rounding decides more than that.
    """
    fitting, too_large = most // 2, most
    while fitting >= max(most // _SMALLEST_SHARE, 1):
        if fits(fitting):
            return _between(fits, fitting, too_large)
        fitting, too_large = fitting // 2, fitting
    return None


def least_amount(fits: Callable[[int], bool], least: int) -> int | None:
    """An amount above ``least`` that fits, while one base unit less does not; ``None`` if none fits."""
    fitting, too_small = least * 2, least
    while fitting <= MAX_BASE_UNITS:
        if fits(fitting):
            return _between(fits, fitting, too_small)
        fitting, too_small = fitting * 2, fitting
    return None


def _between(fits: Callable[[int], bool], fitting: int, unfitting: int) -> int:
    """The fitting one of two adjacent amounts of which the other does not fit."""
    while abs(fitting - unfitting) > 1:
        middle = (fitting + unfitting) // 2
        fitting, unfitting = (middle, unfitting) if fits(middle) else (fitting, middle)
    return fitting


def limit_fits(spec: OrderSpec, depths: Sequence[Depth], amount: int) -> bool:
    """True if the best pool brings for this amount what the order's price limit asks of it."""
    best = best_swap(depths, spec.side, amount)
    return best is not None and best.amount_out >= (replace(spec, amount_in=amount).limit_min_out or 0)
