"""The trace id: 32 hexadecimal digits that follow an order from its request to its end."""

import re
from hashlib import sha256
from uuid import UUID

_VERSION_0 = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}", re.ASCII)
#: A later version may append fields, and its first ones are those of version 0 (W3C Trace Context, 4.2.2).
_LATER_VERSION = re.compile(r"(?!00|ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(?:-.*)?", re.ASCII)


def trace_id_of(request_id: str, traceparent: str | None = None) -> str:
    """The trace id of a valid ``traceparent`` header (W3C Trace Context), else one that follows from the request id.

    A request id that is a UUID gives its own digits.
    """
    found = _VERSION_0.fullmatch(traceparent or "") or _LATER_VERSION.fullmatch(traceparent or "")
    if found and int(found[1], 16) and int(found[2], 16):
        return found[1]
    try:
        return UUID(request_id).hex
    except ValueError:
        return sha256(request_id.encode()).hexdigest()[:32]
