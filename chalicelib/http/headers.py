"""Headers that every answer has, and headers that a request has more than once."""

from collections.abc import Mapping, Sequence

from chalice.app import Request

#: Answers are about a caller or about a moment, so no cache may keep one. A browser neither guesses their type nor
#: sends their address, which contains ids, to other sites.
FIXED_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def header_values(request: Request, name: str) -> list[str]:
    """The value of each line with this header, whose ``name`` is in lower case.

    Chalice knows the last value alone, as the event of ``chalice local`` does.
    """
    lines: Mapping[str, Sequence[str]] = request.to_original_event().get("multiValueHeaders") or {}
    values = [value for line, values in lines.items() if line.lower() == name for value in values]
    last = request.headers.get(name)
    return values or ([] if last is None else [last])
