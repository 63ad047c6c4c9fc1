"""Whether an event is the amendment that a request made."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from orderengine.models.orders import Update
from orderengine.times import read_time


def amends_to(event: Update, body: Mapping[str, Any]) -> bool:
    """Whether an event amends an order to the terms of a request."""
    amended = event.meta.get("amended")
    if not isinstance(amended, Mapping):
        return False
    try:
        return _terms_of(amended) == _terms_of(body)
    except (ArithmeticError, TypeError, ValueError):
        return False


def _terms_of(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The terms of an amendment in comparable form; ``slippage`` is in percent, and events have basis points."""
    found: dict[str, Any] = {}
    for name, value in fields.items():
        if value is None:
            continue
        if name == "expiresAt":
            moment = read_time(value)
            found[name] = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
        elif name == "slippage":
            found["slippageBps"] = Decimal(value) * 100
        else:
            found[name] = Decimal(value)
    return found
