"""The text of an API key: ``oee_<stage>_<id>_<secret><checksum>``.

The prefix lets scanners recognise a leaked key. The checksum reveals a key that is mistyped or truncated without a
call to the table of keys.
"""

import hmac
import re
from dataclasses import dataclass

from chalicelib.codec.secret_text import (
    CHECKSUM_CHARACTERS,
    SECRET_CHARACTERS,
    has_checksum,
    random_text,
    with_checksum,
)
from chalicelib.domain.errors import InvalidCredentialError

PREFIX = "oee_"
_ID_CHARACTERS = 12
_FORM = re.compile(
    rf"{PREFIX}(?P<stage>[a-z]+)_(?P<id>[0-9A-Za-z]{{{_ID_CHARACTERS}}})"
    rf"_[0-9A-Za-z]{{{SECRET_CHARACTERS + CHECKSUM_CHARACTERS}}}",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class KeyText:
    """A key as its user holds it. ``id`` is public: the operators' list names the key by it."""

    id: str
    text: str

    def digest(self, key: bytes) -> str:
        """The keyed hash that the engine stores in place of the text."""
        return hmac.digest(key, self.text.encode(), "sha256").hex()


def new_key(stage: str) -> KeyText:
    """A key of 256 random bits."""
    key_id = random_text(_ID_CHARACTERS)
    return KeyText(key_id, with_checksum(f"{PREFIX}{stage}_{key_id}_{random_text()}"))


def read_key(text: str, stage: str) -> KeyText:
    """Read the text of a key of this stage.

    :raises InvalidCredentialError: if the text is not a key, has a wrong checksum, or is a key of another stage.
    """
    found = _FORM.fullmatch(text)
    if found is None or not has_checksum(text) or found["stage"] != stage:
        raise InvalidCredentialError
    return KeyText(found["id"], text)
