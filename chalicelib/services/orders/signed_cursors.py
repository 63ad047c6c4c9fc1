"""The signatures of cursors: a client can go on with the pages that it was given, and with no others."""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import astuple, dataclass
from datetime import datetime

from chalicelib.codec.exact_json import dumps
from chalicelib.codec.times import to_text
from chalicelib.domain.errors import InvalidCursorError
from chalicelib.domain.identity import Caller
from chalicelib.ports.history import OrderFilter

#: 128 bits: a forger has no better way than to guess them, one request each.
_SIGNATURE_BYTES = 16


@dataclass(frozen=True, slots=True)
class CursorSigner:
    """Binds a cursor to its caller and filter. ``key`` is called for a list of several pages alone."""

    key: Callable[[], bytes]

    def sign(self, cursor: str, caller: Caller, wanted: OrderFilter) -> str:
        """The cursor with its signature."""
        filters = (to_text(value) if isinstance(value, datetime) else value for value in astuple(wanted))
        stated = dumps([cursor, caller.user_id, *filters])
        signature = hmac.digest(self.key(), stated.encode(), "sha256")[:_SIGNATURE_BYTES]
        return f"{cursor}.{urlsafe_b64encode(signature).rstrip(b'=').decode()}"

    def verified(self, signed: str, caller: Caller, wanted: OrderFilter) -> str:
        """The cursor without its signature.

        :raises InvalidCursorError: if ``sign`` did not make it for this caller and filter.
        """
        cursor = signed.rpartition(".")[0]
        if not signed.isascii() or not hmac.compare_digest(signed, self.sign(cursor, caller, wanted)):
            raise InvalidCursorError(signed)
        return cursor
