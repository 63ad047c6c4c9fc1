"""Replaces values that differ between runs by placeholders, so that two recordings of the same engine are equal.

Ids and transaction hashes are numbered in the order of their appearance. Numbers that depend on the simulated market
lose their value and keep their type: ``<number>`` is a JSON number and ``<integer text>`` a string of digits. Numbers
that follow from the order itself remain. If both venues had a quote, the better venue depends on the time, so its
name becomes ``<venue>``.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from tests.e2e.client import Json

#: Names of the fields with sentences for people, which may be reworded; no other value may change.
TEXTS = frozenset({"title", "detail", "message", "reason", "summary", "failReason", "waitReason"})
_VENUE_KEYS = frozenset({"chosen", "dex", "dexUsed"})
#: Names of the numbers that depend on the simulated market.
_MOVING = frozenset(
    {
        *("price", "amountOut", "amountOutBase", "minAmountOut", "minAmountOutBase", "executedPrice"),
        *("executionPrice", "slippagePct", "fee", "feeBase", "feeBps", "priceImpactPct", "liquidity"),
    }
)
_MINIMUM = frozenset({"minAmountOut", "minAmountOutBase"})
#: Raydium's fee is a fixed share of the input.
_FIXED_FEE = frozenset({"fee", "feeBase", "feeBps"})
#: Objects with counts over all orders of the engine; even their keys depend on the other tests.
_TALLIES = frozenset({"orders", "failures", "venues", "retries"})

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_HASH = re.compile(r"[1-9A-HJ-NP-Za-km-z]{80,90}")
_TRACE = re.compile(r"[0-9a-f]{32}")
_ADDRESS = re.compile(r"[1-9A-HJ-NP-Za-km-z]{32,44}")
#: The placeholders of fields whose values have a form of their own.
_FORMS = {"requestId": (_UUID, "<request>"), "traceId": (_TRACE, "<trace>"), "pool": (_ADDRESS, "<address>")}
_VENUE = re.compile(r"\b(raydium|meteora)\b")
_QUANTITY = re.compile(r"-?\d+\.\d+|-?\d+(?= %)")
#: The prefix of the ids that the session invents.
_MADE_UP = "00000000-"
_LONGEST = 400


@dataclass(frozen=True)
class _Place:
    """The context of a value: the type of its order, and whether either venue may have won that order."""

    kind: str = "market"
    undecided: bool = False
    parent: str = ""
    exact: bool = False


class Normalizer:
    """Replaces the varying values in one session's entries. ``names`` maps known texts to their placeholders.

    ``expiries`` are the expiry times that the session requested; answers repeat them.
    """

    def __init__(self, names: Mapping[str, str], expiries: Collection[str]) -> None:
        self._expiries = expiries
        self._names = sorted(names.items(), key=lambda name: -len(name[0]))
        self._numbers: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        self._kinds: dict[Any, str] = {}
        self._undecided: set[Any] = set()

    def session(self, entries: Sequence[Json]) -> list[Json]:
        """Return the entries with placeholders."""
        for number, entry in enumerate(entries):
            self._learn(entry, number)
        return [self._entry(number, entry) for number, entry in enumerate(entries)]

    def _learn(self, value: Any, owner: Any) -> None:
        """Collect the type of each order, and the orders and answers with quotes of both venues."""
        for found, order_id in _dicts(value, owner):
            if found.get("type") in ("market", "limit", "sniper") and "orderId" in found:
                self._kinds[found["orderId"]] = found["type"]
            elif found.get("limitPrice") is not None:
                self._kinds.setdefault(order_id, "limit")
            if found.get("rQuote") is not None and found.get("mQuote") is not None:
                self._undecided.add(order_id)

    def _entry(self, number: int, entry: Json) -> Json:
        request = entry.get("request", {})
        body = request.get("body")
        kind = str(body.get("type", "market")) if isinstance(body, dict) else "market"
        place = _Place(kind, undecided=number in self._undecided)
        if request.get("path") == "/api/stats":
            return {**entry, "answer": _tallied(self._value(entry["answer"], place))}
        said = replace(place, exact=True)
        return {
            name: self._value(value, said if name in ("step", "request", "said") else place)
            for name, value in entry.items()
        }

    def _value(self, value: Any, place: _Place) -> Any:
        if isinstance(value, dict):
            return self._dict(value, place)
        if isinstance(value, list | tuple):
            return [self._value(one, place) for one in value]
        return self._text(value) if isinstance(value, str) else value

    def _dict(self, value: Json, place: _Place) -> Json:
        order_id = value.get("orderId")
        if order_id is not None:
            kind = self._kinds.get(order_id, place.kind)
            place = replace(place, kind=kind, undecided=order_id in self._undecided)
        if "field" in value or ("chosen" in value and value["chosen"] is None):
            # A field error, or an answer without a quote: its content follows from the request alone.
            place = replace(place, exact=True, undecided=False)
        return {
            self._text(name): self._member(name, one, value, replace(place, exact=place.exact or name == "said"))
            for name, one in value.items()
        }

    def _member(self, name: str, value: Any, siblings: Json, place: _Place) -> Any:
        if isinstance(value, dict | list | tuple):
            return self._value(value, replace(place, parent=name))
        if name in _FORMS and isinstance(value, str) and _FORMS[name][0].fullmatch(value):
            return _FORMS[name][1]
        if name == "nextCursor" and value is not None:
            return "<cursor>"
        if place.parent == "history" and name in ("behind", "since"):
            return _masked(value) if name == "behind" else "<time or null>"
        if name == "expiresAt" and value in self._expiries:
            return "<expiry>"
        if name in TEXTS and isinstance(value, str):
            return self._sentence(value, place)
        # The trigger names the venue that reached the limit price; the later quotes may choose another venue.
        seen = name == "dex" and "trigger" in siblings
        if name in _VENUE_KEYS and isinstance(value, str) and (place.undecided or seen):
            return _VENUE.sub("<venue>", value)
        if name in _MOVING and not _stays(name, place):
            return _masked(value)
        return self._value(value, place)

    def _sentence(self, text: str, place: _Place) -> str:
        if not place.exact:
            text = _QUANTITY.sub("<n>", text)
        return self._text(_VENUE.sub("<venue>", text) if place.undecided else text)

    def _text(self, text: str) -> str:
        for known, name in self._names:
            text = text.replace(known, name)
        text = _TIME.sub("<time>", text)
        text = _HASH.sub(lambda found: self._numbered("tx", found[0]) if len(set(found[0])) > 9 else found[0], text)
        text = _UUID.sub(
            lambda found: found[0] if found[0].startswith(_MADE_UP) else self._numbered("order", found[0]), text
        )
        return text if len(text) <= _LONGEST else f"{text[:40]}<{len(text)} characters>"

    def _numbered(self, what: str, text: str) -> str:
        if text not in self._numbers:
            self._counts[what] = self._counts.get(what, 0) + 1
            self._numbers[text] = f"<{what} {self._counts[what]}>"
        return self._numbers[text]


def _stays(name: str, place: _Place) -> bool:
    """Return whether a number of this name follows from the order or from the pushed launch."""
    if place.exact or place.parent == "launch":
        return True
    if place.parent == "rQuote" and name in _FIXED_FEE:
        return True
    return name in _MINIMUM and place.kind == "limit"


def _masked(value: Any) -> Any:
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return "<number>"
    if isinstance(value, str):
        return "<integer text>" if value.isdigit() else "<text>"
    return value


def _tallied(value: Any, parent: str = "") -> Any:
    """Return the statistics with every count masked."""
    if isinstance(value, dict):
        if parent in _TALLIES:
            return {"<name>": _masked(next(iter(value.values())))}
        # ``_member`` has masked the history lag already.
        exact = ("headers", "status", "history")
        return {name: one if name in exact else _tallied(one, name) for name, one in value.items()}
    return value if isinstance(value, str) else _masked(value)


def _dicts(value: Any, owner: Any) -> Iterator[tuple[Json, Any]]:
    """Yield every object within a value, with the id of the order that it describes, or ``owner``."""
    if isinstance(value, dict):
        owner = value.get("orderId") or owner
        yield value, owner
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _dicts(one, owner)
