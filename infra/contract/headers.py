"""The headers of requests and responses, as components of the document."""

from typing import Any

from chalicelib.api.requests.numbers import MAX_SEQ

REQUEST_HEADERS: dict[str, dict[str, Any]] = {
    "Idempotency-Key": {
        "description": "A key of the client's own. A repeat with the same key and order within 24 hours gets the "
        "first answer, and places nothing. 1 to 255 characters, no control character.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$"},
    },
    "If-Match": {
        "description": "The order must be at this seq: its ETag, a list of tags, or *. 412 if it has moved on.",
        "schema": {"type": "string", "pattern": r'^(\*|(W/)?"[!#-~]*"(, ?(W/)?"[!#-~]*")*|[0-9]{1,8})$'},
    },
    "If-None-Match": {
        "description": "The ETag of the document that the client has. 304 if it is still the same.",
        "schema": {"type": "string"},
    },
    "Last-Event-ID": {
        "description": "With Accept: text/event-stream the last id that the client has; it wins over afterSeq.",
        "schema": {"type": "string", "pattern": f"^0*([0-9]{{1,{len(str(MAX_SEQ)) - 1}}}|{MAX_SEQ})$"},
    },
}

RESPONSE_HEADERS: dict[str, dict[str, Any]] = {
    "ETag": {
        "description": "The seq of the order, for If-Match; of a document its version.",
        "required": True,
        "schema": {"type": "string", "pattern": '^"[^"]+"$'},
    },
    "Cache-Control": {
        "description": "How long the document may be kept.",
        "required": True,
        "schema": {"type": "string"},
    },
    "Retry-After": {
        "description": "Seconds after which a repeat may succeed.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    },
    "Idempotent-Replayed": {
        "description": "Present if the answer is that of an earlier request with the same key.",
        "schema": {"type": "string", "const": "true"},
    },
    "WWW-Authenticate": {
        "description": "What the request lacks (RFC 6750).",
        "required": True,
        "schema": {"type": "string"},
    },
    "X-Request-Id": {
        "description": "The id of the request, which the logs have too.",
        "required": True,
        "schema": {"type": "string"},
    },
}


def header_references(*names: str) -> dict[str, dict[str, str]]:
    """References to these response headers, and to that of every response."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in (*names, "X-Request-Id")}


def parameter_references(*names: str) -> list[dict[str, str]]:
    """References to these request headers."""
    return [{"$ref": f"#/components/parameters/{name}"} for name in names]


def request_header_components() -> dict[str, dict[str, Any]]:
    return {
        name: {"name": name, "in": "header", "required": False, **header} for name, header in REQUEST_HEADERS.items()
    }
