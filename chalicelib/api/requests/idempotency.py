"""The idempotency key of a request: a header over HTTP, a field of the message on a socket."""

from typing import Any

from chalicelib.api.codes import ProblemCode
from chalicelib.api.problems import malformed
from chalicelib.api.requests.fields import has_controls, has_replacement

_MAX_KEY_LENGTH = 255


def read_key(value: Any, name: str) -> str | None:
    """The key, or ``None`` without one. ``name`` is that of the header or field.

    :raises ProblemError: 400 if the value is not a valid key.
    """
    if value is None or (isinstance(value, str) and _is_key(value)):
        return value
    detail = f"{name} must have 1 to {_MAX_KEY_LENGTH} characters, no control character and no U+FFFD."
    raise malformed(detail, ProblemCode.MALFORMED_KEY)


def _is_key(text: str) -> bool:
    return 1 <= len(text) <= _MAX_KEY_LENGTH and not has_controls(text) and not has_replacement(text)
