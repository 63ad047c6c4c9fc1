"""The values that a setting may have, and how they are written in an environment variable."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

#: Digits of other scripts, spaces, signs, exponents and underscores are mistakes here, though Python reads them.
_WHOLE = re.compile(r"[0-9]+", re.ASCII)
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?|\.[0-9]+", re.ASCII)
_MAX_DIGITS = 40
_MAX_URL_CHARACTERS = 128
_ISSUER = re.compile(
    r"(https://[a-z0-9.-]+|http://(localhost|127\.0\.0\.1))(:[0-9]{1,5})?(/[a-z0-9._~/-]*)?", re.A | re.I
)
_MAX_ORIGIN_CHARACTERS = 128
#: Browsers name an origin in lower case, without a path and without the default port of its scheme.
_HOST = r"([a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])"
_ORIGIN = re.compile(
    rf"\*|https://{_HOST}(:(?!443$)[1-9][0-9]{{0,4}})?|http://{_HOST}(:(?!80$)[1-9][0-9]{{0,4}})?", re.ASCII
)
_SWITCH = {"on": True, "1": True, "true": True, "off": False, "0": False, "false": False}


class Rule(Protocol):
    """The values of a setting. As text it completes the sentence "must be ..."."""

    def read(self, text: str) -> object:
        """The value that ``text`` means.

        :raises ValueError: if it means none of the values.
        """
        ...


@dataclass(frozen=True, slots=True)
class Number:
    """A number of ``unit`` between two bounds, both included. The kind ``int`` allows no fraction."""

    kind: Callable[[str], int | float | Decimal]
    least: Decimal
    most: Decimal
    unit: str = ""

    def read(self, text: str) -> int | float | Decimal:
        form = _WHOLE if self.kind is int else _NUMBER
        if len(text) > _MAX_DIGITS or not form.fullmatch(text):
            raise ValueError(text)
        if not self.least <= Decimal(text) <= self.most:
            raise ValueError(text)
        return self.kind(text)

    def __str__(self) -> str:
        kind, unit = "whole number" if self.kind is int else "number", f" of {self.unit}" if self.unit else ""
        return f"a {kind}{unit} from {self.least} to {self.most}"


def whole(least: int, most: int, unit: str) -> Number:
    """A whole number of ``unit``."""
    return Number(int, Decimal(least), Decimal(most), unit)


def seconds(least: float, most: float) -> Number:
    """Seconds with fractions."""
    return Number(float, Decimal(str(least)), Decimal(str(most)), "seconds")


@dataclass(frozen=True, slots=True)
class Switch:
    def read(self, text: str) -> bool:
        if text.lower() not in _SWITCH:
            raise ValueError(text)
        return _SWITCH[text.lower()]

    def __str__(self) -> str:
        return "on or off"


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of some words. ``earlier`` has pairs: a word of earlier versions, and the choice that it now means.

    A deployment keeps the values of its stage, so the engine goes on reading those words.
    """

    choices: tuple[str, ...]
    earlier: tuple[tuple[str, str], ...] = ()

    def read(self, text: str) -> str:
        text = dict(self.earlier).get(text, text)
        if text not in self.choices:
            raise ValueError(text)
        return text

    def __str__(self) -> str:
        return f"one of {', '.join(self.choices)}"


@dataclass(frozen=True, slots=True)
class IssuerUrl:
    """The address of an OIDC issuer. Only on this machine may the keys of its tokens travel unencrypted."""

    def read(self, text: str) -> str:
        if len(text) > _MAX_URL_CHARACTERS or not _ISSUER.fullmatch(text):
            raise ValueError(text)
        return text

    def __str__(self) -> str:
        return f"an https address of at most {_MAX_URL_CHARACTERS} characters, or an http one on localhost"


@dataclass(frozen=True, slots=True)
class Origin:
    """The origin of a page (RFC 6454) as browsers write it, or ``*`` for every origin."""

    def read(self, text: str) -> str:
        if len(text) > _MAX_ORIGIN_CHARACTERS or not _ORIGIN.fullmatch(text):
            raise ValueError(text)
        return text

    def __str__(self) -> str:
        return "* or one origin like https://app.example, in lower case and without a default port or a path"


@dataclass(frozen=True, slots=True)
class Text:
    """Text that fits an environment variable of a function and a line of a file."""

    max_length: int

    def read(self, text: str) -> str:
        if len(text) > self.max_length or not text.isprintable():
            raise ValueError(text)
        return text

    def __str__(self) -> str:
        return f"at most {self.max_length} printable characters"
