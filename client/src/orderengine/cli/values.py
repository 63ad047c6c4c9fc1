"""The kinds of values on the command line: exact amounts, moments, and the words of an order."""

from collections.abc import Sequence
from typing import Any

import click

from orderengine.amounts import exact
from orderengine.errors import InvalidArgument, UsageError
from orderengine.times import duration, read_time, time_text


class Amount(click.ParamType[str]):
    """Decimal text, kept exact."""

    name = "amount"

    def convert(self, value: Any, param: click.Parameter | None, context: click.Context | None) -> str:
        try:
            return exact("it", str(value).removesuffix("%").strip())
        except UsageError:
            self.fail(f"{value!r} is not a decimal number such as 1.5", param, context)


class Expiry(click.ParamType[str]):
    """A duration from now, kept as text, or an RFC 3339 time."""

    name = "duration|time"

    def convert(self, value: Any, param: click.Parameter | None, context: click.Context | None) -> str:
        if is_duration(value):
            return str(value)
        try:
            return time_text(self.name, read_time(str(value)))
        except ValueError:
            self.fail(
                f"{value!r} is neither a duration such as 90s, 30m, 1h or 7d nor an RFC 3339 time", param, context
            )


class Moment(Expiry):
    """How long ago a time is, kept as text until the engine's clock is known, or an RFC 3339 time."""

    name = "time|duration ago"


class Seconds(click.ParamType[float]):
    """A duration in seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, context: click.Context | None) -> float:
        try:
            return duration("it", str(value)).total_seconds()
        except InvalidArgument:
            self.fail(f"{value!r} is not a duration such as 30s, 10m or 1h", param, context)


def is_duration(value: object) -> bool:
    try:
        duration("it", str(value))
    except InvalidArgument:
        return False
    return True


def words_of(words: Sequence[str], shape: tuple[str, ...], filler: str, example: str) -> list[str]:
    """The words of an order without its filler, such as ``for`` in ``sell 1.5 SOL for USDC``, and an exact amount.

    :raises click.UsageError: if there are more or fewer words, or no amount where it belongs.
    """
    found = [word for word in words if word.lower() != filler]
    place = shape.index("AMOUNT")
    if len(found) != len(shape):
        raise click.UsageError(f"write {' '.join(shape)}, for instance: {example}")
    try:
        found[place] = exact("AMOUNT", found[place])
    except UsageError:
        raise click.UsageError(
            f"{found[place]!r} is not an amount. AMOUNT is what you pay, and stands before its token: {example}"
        ) from None
    return found
