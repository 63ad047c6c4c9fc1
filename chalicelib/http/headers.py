"""Headers that every answer has, and headers that a request has more than once."""

import re
from collections.abc import Mapping, Sequence

from chalice.app import Request

CACHE_CONTROL = "Cache-Control"
#: Answers are about a caller or about a moment, so no cache may keep one unless its view allows it. A browser neither
#: guesses their type nor sends their address, which contains ids, to other sites.
FIXED_HEADERS = {
    CACHE_CONTROL: "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_REFUSED = re.compile(r"\bq\s*=\s*0(\.0*)?\s*(;|$)")


def header_values(request: Request, name: str) -> list[str]:
    """The value of each line with this header, whose ``name`` is in lower case.

    Chalice knows the last value alone, as the event of ``chalice local`` does.
    """
    lines: Mapping[str, Sequence[str]] = request.to_original_event().get("multiValueHeaders") or {}
    values = [value for line, values in lines.items() if line.lower() == name for value in values]
    last = request.headers.get(name)
    return values or ([] if last is None else [last])


def accepts_event_stream(accept: Sequence[str]) -> bool:
    """True for a request that asks for server-sent events and not for JSON too.

    ``accept`` has the value of each line of the header.
    """
    ranges = [one.partition(";") for line in accept for one in line.lower().split(",")]
    # A quality of 0 means "not acceptable" (RFC 9110, 12.4.2).
    kinds = {kind.strip() for kind, _, parameters in ranges if not _REFUSED.search(parameters)}
    return "text/event-stream" in kinds and "application/json" not in kinds
