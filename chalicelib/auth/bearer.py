"""The ``Authorization`` header of a request, as RFC 6750 writes it."""

import re
from collections.abc import Sequence

from chalicelib.domain.errors import InvalidCredentialError, MissingCredentialError

#: API Gateway accepts 10,240 bytes of headers in all.
_MAX_CHARACTERS = 8 * 1024
#: RFC 6750, 2.1: the name of the scheme in any case, and a token of the form b64token.
_BEARER = re.compile(r"bearer +([a-z0-9._~+/-]+=*)", re.IGNORECASE | re.ASCII)


def bearer_token(authorizations: Sequence[str]) -> str:
    """The token in the values of a request's ``Authorization`` headers.

    :raises MissingCredentialError: if no header has a value.
    :raises InvalidCredentialError: if there are several headers, another scheme, or more than a token.
    """
    values = [value.strip(" \t") for value in authorizations]
    if not any(values):
        raise MissingCredentialError
    [value, *others] = values
    found = _BEARER.fullmatch(value) if len(value) <= _MAX_CHARACTERS else None
    if found is None or others:
        raise InvalidCredentialError
    return found[1]
