"""The settings of a client: its arguments, then the environment, then the defaults."""

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypedDict

from orderengine.core.requests import checked_credential
from orderengine.core.session import Key, Options, Session
from orderengine.errors import InvalidArgument
from orderengine.io.addresses import Addresses, addresses
from orderengine.times import seconds

#: The address of ``make run``.
LOCAL = "http://localhost:8000"


class Settings(TypedDict, total=False):
    """The settings that both clients take. A function for ``on_...`` of an ``AsyncClient`` may be awaitable."""

    key: Key | None  # an API key or a JWT, or a function that returns the present one; OE_KEY if none is given
    user: str | None  # the user of orders and lists; OE_USER if none is given, else the credential's
    timeout: float  # seconds for a call with all its requests and retries: 30
    try_timeout: float  # seconds for one attempt: 10
    retries: int  # most repeats of a request after its first attempt: 4
    use_tickets: bool  # open sockets with a ticket, so that the key is in no handshake
    on_reconnect: Callable[[Any], Any] | None
    on_rate_limit: Callable[[Any], Any] | None  # gets a Retry
    on_retry: Callable[[Any], Any] | None  # gets a Retry


def addresses_of(base_url: str | None, ws_url: str | None) -> Addresses:
    """:raises InvalidArgument: for an address that no engine can have."""
    return addresses(base_url or os.environ.get("OE_URL") or LOCAL, ws_url or os.environ.get("OE_WS_URL") or None)


def session_of(settings: Mapping[str, Any]) -> Session:
    """:raises InvalidArgument: for a name, a time or a number that makes no sense."""
    known = Settings.__annotations__
    if unknown := sorted(set(settings) - set(known)):
        raise InvalidArgument(f"there is no setting {', '.join(unknown)}: a client has {', '.join(known)}")
    options = Options(**settings)
    seconds("timeout", options.timeout)
    seconds("try_timeout", options.try_timeout)
    if not isinstance(options.retries, int) or options.retries < 0:
        raise InvalidArgument(f"retries is {options.retries!r}, and not 0 or more")
    key = options.key or os.environ.get("OE_KEY") or None
    if key is not None and not callable(key):
        checked_credential(key)
    return Session(replace(options, key=key, user=options.user or os.environ.get("OE_USER") or None))
