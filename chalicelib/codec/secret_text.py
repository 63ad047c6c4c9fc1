"""Secrets as text: random characters of base 62, and a checksum that reveals a typing error without a call.

The checksum protects nothing, because anybody can compute it.
"""

import re
import secrets
import string
from zlib import crc32

_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
#: 43 characters of 62 are 256 random bits.
SECRET_CHARACTERS = 43
#: 6 characters of 62 hold the 32 bits of a CRC.
CHECKSUM_CHARACTERS = 6

#: An API key or a ticket of the engine, or a JWT.
_CREDENTIAL = re.compile(r"oe[et]_[A-Za-z0-9]|^[\w-]{16,}\.[\w-]{16,}\.[\w-]*$", re.ASCII)


def without_credential(text: str) -> str:
    """The text, which a client chose, unless it looks like a credential that was put into the wrong place."""
    return "***" if _CREDENTIAL.search(text) else text


def random_text(characters: int = SECRET_CHARACTERS) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(characters))


def with_checksum(body: str) -> str:
    return body + _checksum(body)


def has_checksum(text: str) -> bool:
    """True if the text ends with the checksum of the rest."""
    return text[-CHECKSUM_CHARACTERS:] == _checksum(text[:-CHECKSUM_CHARACTERS])


def _checksum(body: str) -> str:
    digits, rest = "", crc32(body.encode())
    for _ in range(CHECKSUM_CHARACTERS):
        rest, digit = divmod(rest, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits
