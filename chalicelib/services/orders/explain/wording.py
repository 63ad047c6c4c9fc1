"""Amounts, prices, percentages, times and names as a person writes them."""

from datetime import datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal

from chalicelib.domain.conditions import TimeInForce
from chalicelib.domain.failures import Failure
from chalicelib.domain.money import to_human_units, written
from chalicelib.domain.spec import OrderSpec
from chalicelib.domain.tokens import Pair, Side, Token

#: Significant digits of a computed price, and of a percentage below one.
_PRICE = Context(prec=8, rounding=ROUND_HALF_EVEN)
_SMALL = Context(prec=2, rounding=ROUND_HALF_EVEN)
_CENT = Decimal("0.01")
_SECOND, _MINUTE, _HOUR, _DAY = 1_000, 60_000, 3_600_000, 86_400_000
#: A mint without a symbol is abbreviated to its first and last characters.
_MAX_SYMBOL = 12


def name_of(venue: str) -> str:
    return venue.capitalize()


def symbol(token: Token) -> str:
    return token.symbol if len(token.symbol) <= _MAX_SYMBOL else f"{token.symbol[:4]}…{token.symbol[-4:]}"


def amount(base_units: int, token: Token) -> str:
    return f"{written(to_human_units(base_units, token.decimals))} {symbol(token)}"


def paid(spec: OrderSpec) -> str:
    return amount(spec.amount_in, spec.token_in)


def received(base_units: int, spec: OrderSpec) -> str:
    return amount(base_units, spec.token_out)


def price(value: Decimal, pair: Pair) -> str:
    """A price that somebody set, in all its digits."""
    return f"{written(value)} {symbol(pair.quote)} per {symbol(pair.base)}"


def computed_price(value: Decimal, pair: Pair) -> str:
    return price(_PRICE.plus(value), pair)


def limit(spec: OrderSpec, value: Decimal) -> str:
    """A limit price with the side on which it is met."""
    return f"{price(value, spec.pair)} or {'less' if spec.side is Side.BUY else 'more'}"


def swap(spec: OrderSpec) -> str:
    """What the order asks for, as in ``sell 2 SOL for USDC``."""
    if spec.side is Side.BUY:
        return f"buy {symbol(spec.token_out)} with {paid(spec)}"
    return f"sell {paid(spec)} for {symbol(spec.token_out)}"


def percentage(value: Decimal) -> str:
    small = abs(value) < 1
    return f"{written(_SMALL.plus(value) if small else value.quantize(_CENT, rounding=ROUND_HALF_EVEN))} %"


def slippage(bps: int) -> str:
    return f"{written(Decimal(bps) / 100)} %"


def duration(milliseconds: int) -> str:
    if milliseconds < _SECOND:
        return f"{milliseconds} ms"
    if milliseconds < _MINUTE:
        tenths = (milliseconds + 50) // 100
        return f"{written(Decimal(tenths) / 10)} s"
    if milliseconds < _HOUR:
        return _two(milliseconds, (_MINUTE, "min"), (_SECOND, "s"))
    if milliseconds < _DAY:
        return _two(milliseconds, (_HOUR, "h"), (_MINUTE, "min"))
    days = _two(milliseconds, (_DAY, "days"), (_HOUR, "h"))
    return days.replace("1 days", "1 day") if days.split()[0] == "1" else days


def _two(milliseconds: int, large: tuple[int, str], small: tuple[int, str]) -> str:
    """The duration in the two units that it fills, without the smaller one where it is zero."""
    whole, rest = divmod(milliseconds, large[0])
    parts = [f"{whole} {large[1]}", f"{rest // small[0]} {small[1]}" if rest >= small[0] else ""]
    return " ".join(filter(None, parts))


def moment(at: datetime) -> str:
    """``2026-01-31 12:00:00.5 UTC``."""
    fraction = f".{at.microsecond // 1000:03}".rstrip("0").rstrip(".")
    return f"{at:%Y-%m-%d %H:%M:%S}{fraction} UTC"


def ordinal(number: int) -> str:
    """``1st``, ``2nd``, ``3rd``, ``4th``, ``11th``."""
    ending = "th" if 10 < number % 100 < 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def error(failure: Failure) -> str:
    return f"{failure.reason} ({failure.code.value})"


def computed_number(value: Decimal) -> str:
    return written(_PRICE.plus(value))


def fee(bps: Decimal) -> str:
    return percentage(bps / 100)


def kind(spec: OrderSpec) -> str:
    """``a market order``, ``an immediate-or-cancel limit order``."""
    return f"{'an immediate-or-cancel' if spec.time_in_force is TimeInForce.IOC else 'a'} {spec.type.value} order"
