"""Amounts and prices: ``Decimal`` in human units, integers in base units, never a float."""

from decimal import ROUND_HALF_EVEN, Context, Decimal, Inexact, InvalidOperation

#: Base-unit amounts are unsigned 64-bit integers in the SPL token program.
MAX_BASE_UNITS = 2**64 - 1
#: Significant digits of a reported price or percentage.
PRICE_DIGITS = 12

_EXACT = Context(prec=120, traps=[Inexact, InvalidOperation])
_PRICE = Context(prec=PRICE_DIGITS, rounding=ROUND_HALF_EVEN)
#: The last place of a percentage.
PERCENT_STEP = Decimal("0.0001")
_BPS = 10_000


def to_base_units(amount: Decimal, decimals: int) -> int:
    """Human units to base units, exactly.

    :raises ValueError: if the amount has more than ``decimals`` decimal places.
    """
    try:
        return int(amount.scaleb(decimals, context=_EXACT).quantize(Decimal(1), context=_EXACT))
    except (Inexact, InvalidOperation):
        raise ValueError(f"more than {decimals} decimal places") from None


def to_human_units(base_units: int, decimals: int) -> Decimal:
    """Base units to human units, exactly and without trailing zeros (2000000000 at 9 is 2)."""
    return plain(Decimal(base_units).scaleb(-decimals, context=_EXACT))


def plain(number: Decimal) -> Decimal:
    """The same number without trailing zeros and never in exponent form (1E+2 is 100)."""
    normal = number.normalize(context=_EXACT)
    exponent = normal.as_tuple().exponent
    return normal.quantize(Decimal(1), context=_EXACT) if isinstance(exponent, int) and exponent > 0 else normal


def written(number: Decimal) -> str:
    """The number as a person reads it: in plain digits, without an exponent."""
    return format(plain(number), "f")


def price(quote_amount: Decimal, base_amount: Decimal) -> Decimal:
    """Quote units per base unit, to ``PRICE_DIGITS`` significant digits; 0 for an empty base amount."""
    if not base_amount:
        return Decimal(0)
    return plain(_PRICE.divide(quote_amount, base_amount))


def percent(part: Decimal | int, whole: Decimal | int) -> Decimal:
    """``part / whole`` in percent, to four decimal places; 0 for an empty whole."""
    if not whole:
        return Decimal(0)
    return plain((Decimal(part) * 100 / Decimal(whole)).quantize(PERCENT_STEP, rounding=ROUND_HALF_EVEN))


def minimum_output(quoted: int, slippage_bps: int) -> int:
    """The minimum output in base units: the quoted output less the tolerance, rounded down."""
    return quoted * (_BPS - slippage_bps) // _BPS
