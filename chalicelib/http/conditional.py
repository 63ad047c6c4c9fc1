"""Answers that a reader may keep and ask for again by their tag."""

from collections.abc import Mapping
from hashlib import sha256

from chalice.app import Request, Response

from chalicelib.http.headers import header_values


def tagged(request: Request, text: str, tag: str, content_type: str, headers: Mapping[str, str]) -> Response:
    """The text, or 304 if its tag is among those of ``If-None-Match`` (RFC 9110, 13.1.2)."""
    all_headers: dict[str, str | list[str]] = {"ETag": tag, **headers}
    if _has(tag, ",".join(header_values(request, "if-none-match"))):
        return Response("", all_headers, 304)
    return Response(text, {**all_headers, "Content-Type": content_type}, 200)


def digest(data: bytes) -> str:
    """What a tag, or the name of a file, has of the data: a change of the data changes it."""
    return sha256(data).hexdigest()[:16]


def _has(tag: str, header: str) -> bool:
    tags = [known.strip().removeprefix("W/") for known in header.split(",")]
    return tag in tags or "*" in tags
