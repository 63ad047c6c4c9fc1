"""The way to the engine: address, proxies, certificate."""

import os
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import SplitResult, urlsplit

from orderengine.cli.doctoring.check import Check, State
from orderengine.cli.settings import Settings
from orderengine.io.defaults import addresses_of

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
_LOCAL = ("localhost", "127.0.0.1", "::1")
_SECONDS = 5.0
_RENEW_DAYS = 14


def address(settings: Settings) -> Iterator[Check]:
    url = _url(settings)
    shown = f"{url.scheme}://{url.netloc.rpartition('@')[2]}{url.path}"
    if url.scheme == "https" or url.hostname in _LOCAL:
        yield Check("address", State.OK, shown)
    else:
        advice = "use https; between here and there anybody can read the key and change orders"
        yield Check("address", State.WARN, f"{shown} is not encrypted", advice)


def proxies() -> Iterator[Check]:
    found = [name for upper in _PROXIES for name in (upper, upper.lower()) if os.environ.get(name)]
    if found:
        advice = "if streams break, let it pass WebSockets, or put the engine's host into NO_PROXY"
        yield Check("proxy", State.WARN, f"{', '.join(found)} sends requests through a proxy", advice)
    else:
        yield Check("proxy", State.OK, "none is set")


def certificate(settings: Settings) -> Iterator[Check]:
    url = _url(settings)
    if url.scheme != "https" or settings.transport is not None:
        yield Check("certificate", State.SKIP, "there is none without https")
        return
    try:
        version, until = _handshake(url)
    except (OSError, ValueError) as error:
        advice = "a proxy may stand in between; SSL_CERT_FILE names a certificate authority of your own"
        yield Check("certificate", State.WARN, f"it cannot be looked at from here: {error}", advice)
        return
    left = until - datetime.now(UTC)
    soon = left < timedelta(days=_RENEW_DAYS)
    advice = "tell its operator to renew it" if soon else ""
    yield Check("certificate", State.WARN if soon else State.OK, f"{version}, good for {left.days} days", advice)


def _handshake(url: SplitResult) -> tuple[str, datetime]:
    host = url.hostname or ""
    with (
        socket.create_connection((host, url.port or 443), _SECONDS) as plain,
        ssl.create_default_context().wrap_socket(plain, server_hostname=host) as secure,
    ):
        found = secure.getpeercert() or {}
        ends = ssl.cert_time_to_seconds(str(found.get("notAfter")))
        return str(secure.version()), datetime.fromtimestamp(ends, UTC)


def _url(settings: Settings) -> SplitResult:
    return urlsplit(addresses_of(settings.url, None).http)
