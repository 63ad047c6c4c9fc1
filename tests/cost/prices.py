"""The dated table of list prices, and bills in its units."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_FILE = Path(__file__).with_name("prices.json")
HOURS_A_MONTH = 730
MINUTES_A_MONTH = HOURS_A_MONTH * 60
GB = 2**30


@cache
def table() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(_FILE.read_text())
    return loaded


def price(name: str) -> float:
    """The price of one unit in USD."""
    usd: float = table()["prices"][name]["usd"]
    return usd


@dataclass(frozen=True)
class Bill:
    """Amounts by the names of the price table."""

    amounts: Mapping[str, float]

    def times(self, factor: float) -> "Bill":
        return Bill({name: amount * factor for name, amount in self.amounts.items()})

    def plus(self, other: "Bill") -> "Bill":
        both: Counter[str] = Counter()
        for bill in (self, other):
            for name, amount in bill.amounts.items():
                both[name] += amount  # type: ignore[assignment]
        return Bill(both)

    def usd(self, *services: str) -> float:
        """The price of the amounts of some services, or of all."""
        named = {name: amount for name, amount in self.amounts.items() if not services or _service(name) in services}
        return sum(price(name) * amount for name, amount in named.items())

    def services(self) -> dict[str, float]:
        """USD by service, the dearest first."""
        found = {service: self.usd(service) for service in {_service(name) for name in self.amounts}}
        return dict(sorted(found.items(), key=lambda one: -one[1]))

    def after_free_tier(self) -> "Bill":
        """The bill of a month without what AWS gives every account for ever."""
        free = table()["free"]
        return Bill({name: max(0.0, amount - free.get(name, 0)) for name, amount in self.amounts.items()})


def _service(name: str) -> str:
    return name.partition(".")[0]
