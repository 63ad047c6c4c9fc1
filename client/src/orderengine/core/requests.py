"""Requests of the contract: paths, queries, bodies and headers, checked before anything is sent."""

import re
from collections.abc import Mapping
from typing import Any, Protocol, TypeAlias

from orderengine.amounts import shown
from orderengine.core.commands import Request
from orderengine.core.exact_json import dumps
from orderengine.errors import InvalidArgument

JSON = {"content-type": "application/json"}
#: An id is one segment of a path: "" or ".." would name another resource.
_ID = re.compile(r"[0-9A-Za-z_-]{1,255}")
#: As the contract has it.
_KEY = re.compile(r"[!-~]([ -~]{0,253}[!-~])?")
_HEADER_VALUE = re.compile(r"[\t -~]*")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_PATH = re.compile(r"/[!-~]*")


class HasId(Protocol):
    """An order of any form: placed, accepted, a record or a status."""

    @property
    def id(self) -> str: ...


OrderRef: TypeAlias = str | HasId


def order_id(order: OrderRef) -> str:
    """:raises InvalidArgument: for what cannot be the id of an order."""
    found = order if isinstance(order, str) else getattr(order, "id", None)
    if not isinstance(found, str) or not _ID.fullmatch(found):
        raise InvalidArgument(f"order is {shown(order)}, which is neither the id of an order nor an order")
    return found


def order_path(order: OrderRef, part: str = "") -> str:
    return f"/api/orders/{order_id(order)}{part}"


def json_request(
    method: str, path: str, body: Mapping[str, Any], headers: Mapping[str, str] | None = None
) -> Request:
    """:raises InvalidArgument: for a value that has no JSON."""
    return Request(method, path, (), {**JSON, **(headers or {})}, dumps(body))


def query(**fields: Any) -> tuple[tuple[str, str], ...]:
    """:raises InvalidArgument: for text that has no UTF-8."""
    found = tuple((name, str(value)) for name, value in fields.items() if value is not None)
    for name, text in found:
        try:
            text.encode()
        except UnicodeEncodeError:
            raise InvalidArgument(f"{name} is {shown(text)}, which has half of a surrogate pair") from None
    return found


def checked_key(key: str) -> str:
    """:raises InvalidArgument: for what the contract allows as no idempotency key."""
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise InvalidArgument(f"idempotency_key is {shown(key)}, and not 1 to 255 printable ASCII characters")
    return key


def checked_credential(key: str) -> str:
    """:raises InvalidArgument: for what is no API key or token; the message does not show it."""
    if not isinstance(key, str) or not key.isascii() or not key.isprintable() or " " in key:
        raise InvalidArgument("key is not an API key or a token: it has characters that no header may have")
    return key


def checked_path(path: str) -> str:
    """:raises InvalidArgument: for what is no path, which could lead to another server."""
    if not _PATH.fullmatch(path):
        raise InvalidArgument(f"path is {shown(path)}, and not a path such as /api/orders, percent-encoded")
    return path


def checked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers under lower-case names.

    :raises InvalidArgument: for what no header can have.
    """
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
            raise InvalidArgument(f"the header {shown(name)} has a name or value that no header may have")
    return {name.lower(): value for name, value in headers.items()}
